//go:build traffic

package traffic

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/test/harness"
)

// sequences are the rollouts that R219 works out, as counts of old and new Pods that are not being
// deleted; * is when the new ones become available.
var sequences = []struct {
	replicas                     int
	surge, unavailable, sequence string
	most, least                  int // P01: Pods there may be, and available ones there have to be
}{
	{10, "25%", "25%", "10/0 10/3 8/3 8/5 * 3/5 3/10 * 0/10", 13, 8},
	{3, "1", "0", "3/0 3/1 * 2/1 2/2 * 1/2 1/3 * 0/3", 4, 3},
	{4, "0", "1", "4/0 3/0 3/1 * 2/1 2/2 * 1/2 1/3 * 0/3 0/4 *", 4, 3},
	{1, "25%", "25%", "1/0 1/1 * 0/1", 2, 1},
	{3, "0", "10%", "3/0 2/0 2/1 * 1/1 1/2 * 0/2 0/3 *", 3, 2},
	{4, "25%", "25%", "4/0 4/1 3/1 3/2 * 1/2 1/4 * 0/4", 5, 3},
}

// TestSequences compares rollouts of real processes with those sequences (P02). New replicas become
// ready together, when the wall clock reaches a multiple of five seconds, and available at a whole
// second later (R211). If some become ready later than the others, the steps are smaller than in
// the sequence, and only the bounds are checked.
func TestSequences(t *testing.T) {
	for _, s := range sequences {
		t.Run(fmt.Sprint(s.replicas, " ", s.surge, " ", s.unavailable), func(t *testing.T) {
			t.Parallel()
			w := newWeb(t)
			w.Replicas, w.Answers, w.Available = s.replicas, "/ready=aligned:5s", 1
			w.Strategy = fmt.Sprintf("{type: RollingUpdate, rollingUpdate: {maxSurge: %s, maxUnavailable: %s}}", s.surge, s.unavailable)
			r := begin(t, w)
			r.waitAvailable()
			before := r.waitReady(s.replicas)
			from := len(r.run.Changes())
			r.save(func(w *web) { w.Version = "2" })
			r.waitRolled(before)
			rollout := newRolloutState(before)
			steps := []string{rollout.String()}
			for _, c := range r.run.Changes()[from:] {
				rollout.observe(c)
				if there, ready := rollout.total(), rollout.ready(); there > s.most || ready < s.least {
					t.Errorf("%v: %d Pods, %d ready, want at most %d and at least %d", rollout, there, ready, s.most, s.least)
				}
				if step := rollout.String(); steps[len(steps)-1] != step {
					steps = append(steps, step)
				}
			}
			t.Logf("%s", strings.Join(steps, " "))
			if missing := firstMissing(steps, strings.ReplaceAll(s.sequence, "* ", "")); missing != "" && !rollout.readyLate() {
				t.Errorf("%v: it never was %s", steps, missing)
			} else if missing != "" {
				t.Logf("it never was %s, as some replicas became ready late", missing)
			}
		})
	}
}

// firstMissing returns the first state of a sequence that is not among the steps in that order, or
// "".
func firstMissing(steps []string, sequence string) string {
	for want := range strings.FieldsSeq(strings.TrimSuffix(sequence, " *")) {
		i := slices.Index(steps, want)
		if i < 0 {
			return want
		}
		steps = steps[i:]
	}
	return ""
}

// rolloutState is the old and the new Pods, as the changes that probity prints show them.
type rolloutState struct {
	old          string // template hash
	pods         map[string]*corev1.Pod
	readySeconds map[int64]bool // seconds in which new Pods became ready
}

func newRolloutState(old map[string]*corev1.Pod) *rolloutState {
	f := &rolloutState{pods: map[string]*corev1.Pod{}, readySeconds: map[int64]bool{}}
	for name, pod := range old {
		f.old, f.pods[name] = pod.Labels["pod-template-hash"], pod
	}
	return f
}

func (f *rolloutState) observe(c harness.Change) {
	if c.Pod == nil {
		return
	}
	if f.pods[c.Pod.Name] = c.Pod; c.Pod.DeletionTimestamp != nil || c.Type == "DELETED" {
		delete(f.pods, c.Pod.Name)
	}
	for _, condition := range c.Pod.Status.Conditions {
		if condition.Type == corev1.PodReady && condition.Status == corev1.ConditionTrue && c.Pod.Labels["pod-template-hash"] != f.old {
			f.readySeconds[condition.LastTransitionTime.Unix()] = true
		}
	}
}

func (f *rolloutState) count(holds func(*corev1.Pod) bool) (n int) {
	for _, pod := range f.pods {
		if holds(pod) {
			n++
		}
	}
	return n
}

func (f *rolloutState) total() int { return len(f.pods) }
func (f *rolloutState) ready() int { return f.count(harness.Ready) }

// readyLate reports whether new Pods became ready at other times than in the first second after a
// multiple of five seconds.
func (f *rolloutState) readyLate() bool {
	for second := range f.readySeconds {
		if second%5 != 0 {
			return true
		}
	}
	return false
}

func (f *rolloutState) String() string {
	old := f.count(func(pod *corev1.Pod) bool { return pod.Labels["pod-template-hash"] == f.old })
	return fmt.Sprintf("%d/%d", old, f.total()-old)
}

// waitAvailable waits until the first replicas have been ready for a second, so that the rollout
// begins with all of them available.
func (r *rig) waitAvailable() {
	r.t.Helper()
	ready := func(pod *corev1.Pod) bool {
		i := slices.IndexFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool { return c.Type == corev1.PodReady })
		return harness.Ready(pod) && time.Since(pod.Status.Conditions[i].LastTransitionTime.Time) > 2*time.Second
	}
	harness.WaitFor(r.t, "the first replicas to be available", func() bool {
		pods := existingPods(r.run.Changes())
		for _, pod := range pods {
			if !ready(pod) {
				return false
			}
		}
		return len(pods) == r.web.Replicas
	})
}
