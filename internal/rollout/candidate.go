package rollout

import (
	"cmp"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/workload"
)

// candidate is a cause before it is merged with those of other Pods that are alike.
type candidate struct {
	Cause
	pod *corev1.Pod // nil if it is the workload's
	// alike is the same for Pods that have the same trouble, whatever their counters say.
	alike string
	// head, if not nil, makes the text, by how many Pods have it.
	head func(pods int) string
	// ripe says that it has been seen often and long enough for a verdict; otherwise due is when it
	// may be, if nothing changes. Zero means that this depends on what is to come.
	ripe bool
	due  time.Time
}

// doom decides whether a cause that is doomed has been seen often enough, and for long enough, for
// a verdict. retry is how long it can take until the cluster tries again what has failed: what was
// mended within the patience is only seen then. 0 means that nothing is tried again that the status
// would not show at once.
func (s *scene) doom(c *candidate, often int, retry time.Duration) {
	key := causeKey{kind: c.Kind, container: c.Container}
	if c.pod != nil {
		key.pod = c.pod.UID
	}
	known := s.remember(key, c.Count)
	if c.Since.IsZero() || c.Since.After(s.Now) {
		c.Since = known.since
	}
	if c.Count < often && !s.EventsForbidden {
		c.Degree = Suspect // so far
		return
	}
	c.Degree, c.due = Doomed, known.since.Add(s.Patience)
	if retry > 0 && known.grown.Before(c.due) {
		c.due = c.due.Add(retry)
	}
	c.ripe = !s.Now.Before(c.due)
}

// merge puts the causes of Pods together that are alike: the one that was seen most often stands
// for all.
func merge(all []*candidate) (merged []*candidate) {
	slices.SortStableFunc(all, func(a, b *candidate) int {
		return cmp.Or(cmp.Compare(a.Kind.rank(), b.Kind.rank()), strings.Compare(a.Container, b.Container), strings.Compare(a.alike, b.alike),
			cmp.Compare(b.Degree, a.Degree), -compareBool(a.ripe, b.ripe), cmp.Compare(b.Count, a.Count), strings.Compare(nameOf(a.pod), nameOf(b.pod)))
	})
	for _, c := range all {
		var last *candidate
		if len(merged) > 0 {
			last = merged[len(merged)-1]
		}
		if last == nil || last.Kind != c.Kind || last.Container != c.Container || last.alike != c.alike {
			merged = append(merged, c)
			continue
		}
		last.Pods = append(last.Pods, c.Pods...)
		last.due, last.Since = workload.Sooner(last.due, c.due), workload.Sooner(last.Since, c.Since)
	}
	for _, c := range merged {
		slices.Sort(c.Pods)
		c.Pods = slices.Compact(c.Pods)
		c.Key = strings.Join([]string{string(c.Kind), c.Container, c.alike}, "/")
		if c.head != nil {
			c.Text = c.head(len(c.Pods))
		}
	}
	slices.SortStableFunc(merged, func(a, b *candidate) int {
		return cmp.Or(cmp.Compare(b.Degree, a.Degree), -compareBool(a.ripe, b.ripe), cmp.Compare(len(b.Pods), len(a.Pods)), cmp.Compare(a.Kind.rank(), b.Kind.rank()),
			strings.Compare(a.Container, b.Container), strings.Compare(a.alike, b.alike))
	})
	return merged
}

func nameOf(p *corev1.Pod) string {
	if p == nil {
		return ""
	}
	return p.Name + "/" + string(p.UID)
}

// compareBool orders false before true.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// of is a cause of a Pod.
func of(p *corev1.Pod, kind Kind, degree Degree) *candidate {
	return &candidate{pod: p, Cause: Cause{Kind: kind, Degree: degree, Pods: []string{clean(p.Name)}}}
}
