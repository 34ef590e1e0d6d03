package drill

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/store"
	"github.com/probity-run/probity/internal/workload"
)

// record is what was seen of the Pods of a system, from the history of each, which is gone with it.
type record struct {
	began   time.Time
	store   *store.Store
	history history.Reader

	mu       sync.Mutex // guards the rest
	pods     map[types.UID]*podRecord
	changes  []Change
	attempts []Attempt
}

// podRecord is how far a Pod's history was read.
type podRecord struct {
	name    string
	seen    time.Time       // the newest change that was taken in
	started map[string]bool // instances, by container and number
	ended   map[string]bool
	probes  map[history.Key]probeRecord
	deleted bool
	ready   bool
}

// probeRecord is the last attempt of a probe that was read.
type probeRecord struct {
	seq      uint64
	instance int
	result   history.Result // NotKnown before the first attempt of each instance
}

func newRecord(began time.Time, s *store.Store, h history.Reader) *record {
	return &record{began: began, store: s, history: h, pods: map[types.UID]*podRecord{}}
}

// readPeriod is how often the histories are read. What they say has times of its own.
const readPeriod = 50 * time.Millisecond

// run reads until the context is done.
func (r *record) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(readPeriod):
			r.read()
		}
	}
}

func (r *record) since(t time.Time) Offset { return Offset(t.Sub(r.began)) }

// read takes in what is new.
func (r *record) read() {
	pods, _ := store.List[*corev1.Pod](r.store, store.Selector{})
	r.mu.Lock()
	defer r.mu.Unlock()
	there := map[types.UID]bool{}
	for _, pod := range pods {
		there[pod.UID] = true
		r.readPod(pod)
	}
	for uid, p := range r.pods {
		if there[uid] {
			continue
		}
		if p.ready {
			r.add(p.name, time.Now(), ChangeUnready, "")
		}
		delete(r.pods, uid)
	}
}

func (r *record) add(pod string, at time.Time, kind ChangeKind, text string) {
	r.addOf(pod, "", at, kind, text)
}

func (r *record) addOf(pod, container string, at time.Time, kind ChangeKind, text string) {
	r.changes = append(r.changes, Change{At: r.since(at), Pod: pod, Kind: kind, Container: container, Text: text})
}

// note adds something that the drill did itself.
func (r *record) note(pod string, at time.Time, kind ChangeKind, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.add(pod, at, kind, text)
}

func (r *record) readPod(pod *corev1.Pod) {
	p := r.pods[pod.UID]
	if p == nil {
		p = &podRecord{name: pod.Name, started: map[string]bool{}, ended: map[string]bool{}, probes: map[history.Key]probeRecord{}}
		r.pods[pod.UID] = p
	}
	if pod.DeletionTimestamp != nil && !p.deleted {
		p.deleted = true
		r.add(p.name, time.Now(), ChangeDeleted, "")
	}
	for _, c := range r.history.Changes(pod.UID) {
		if c.Kind != history.ReadyChanged || c.Container != "" || !c.Time.After(p.seen) {
			continue
		}
		p.seen = c.Time
		kind := ChangeUnready
		if p.ready = c.To == "True"; p.ready {
			kind = ChangeReady
		}
		if c.From != "" || p.ready {
			r.add(p.name, c.Time, kind, c.Message)
		}
	}
	for _, i := range r.history.Instances(pod.UID) {
		r.readInstance(p, i)
	}
	for _, probe := range r.history.Probes(pod.UID) {
		r.readProbe(p, pod.UID, probe.Key)
	}
}

func (r *record) readInstance(p *podRecord, i history.Instance) {
	key := fmt.Sprintf("%s/%d", i.Container, i.Number)
	if !p.started[key] {
		p.started[key] = true
		r.addOf(p.name, i.Container, i.Started, ChangeStarted, i.Container)
	}
	if i.Ended.IsZero() || p.ended[key] {
		return
	}
	p.ended[key] = true
	how := fmt.Sprintf("exit code %d", i.ExitCode)
	if i.Cause != "" || p.deleted {
		how += askedTo
	}
	r.addOf(p.name, i.Container, i.Ended, ChangeEnded, how)
}

// askedTo marks the end of a process that somebody wanted.
const askedTo = ", as it was told"

func (r *record) readProbe(p *podRecord, uid types.UID, key history.Key) {
	for _, a := range r.history.Attempts(uid, key, p.probes[key].seq) {
		good := a.Outcome == history.Answered || a.Outcome == history.Warning
		r.attempts = append(r.attempts, Attempt{
			At: r.since(a.Time), Took: Offset(a.Took), Pod: p.name, Container: key.Container, Probe: key.Type, Success: good, Message: a.Message,
		})
		before := p.probes[key]
		if before.instance != a.Instance {
			before.result = history.NotKnown
		}
		p.probes[key] = probeRecord{a.Seq, a.Instance, a.Result}
		if a.Result == history.Failing && before.result != history.Failing && key.Type != string(lifecycle.Readiness) {
			r.addOf(p.name, key.Container, a.Time.Add(a.Took), ChangeDecided, key.Type)
		}
	}
}

// within are the changes between two moments, in the order of time.
func (r *record) within(from, to Offset, pods []string) (changes []Change, attempts []Attempt) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.changes {
		if c.At >= from && c.At <= to && (c.Pod == "" || slices.Contains(pods, c.Pod)) {
			changes = append(changes, c)
		}
	}
	for _, a := range r.attempts {
		if a.At >= from && a.At <= to && slices.Contains(pods, a.Pod) {
			attempts = append(attempts, a)
		}
	}
	slices.SortStableFunc(changes, func(a, b Change) int { return cmp.Compare(a.At, b.At) })
	slices.SortStableFunc(attempts, func(a, b Attempt) int { return cmp.Compare(a.At, b.At) })
	return changes, attempts
}

// slowestStart is how long the slowest start of these Pods took, from the start of a process until
// the Pod was ready first; 0 if none was seen.
func (r *record) slowestStart(pods []Replica) (slowest Offset) {
	r.mu.Lock()
	defer r.mu.Unlock()
	changes := slices.Clone(r.changes)
	slices.SortStableFunc(changes, func(a, b Change) int { return cmp.Compare(a.At, b.At) })
	for _, pod := range pods {
		var started *Offset
		for _, c := range changes {
			switch {
			case c.Pod != pod.Pod:
			case c.Kind == ChangeStarted:
				started = new(c.At)
			case c.Kind == ChangeReady && started != nil:
				slowest, started = max(slowest, c.At-*started), nil
			}
		}
	}
	return slowest
}

// firstIn is the first change of a kind of a container, or of its Pod as a whole, after a moment;
// nil if there is none.
func firstIn(changes []Change, pod, container string, from Offset, kinds ...ChangeKind) *Offset {
	other := func(c Change) bool { return c.Container != "" && c.Container != container }
	return first(slices.DeleteFunc(slices.Clone(changes), other), pod, from, kinds...)
}

// first is the first change of a kind of a Pod after a moment; nil if there is none.
func first(changes []Change, pod string, from Offset, kinds ...ChangeKind) *Offset {
	for _, c := range changes {
		if c.Pod == pod && c.At >= from && slices.Contains(kinds, c.Kind) {
			return new(c.At)
		}
	}
	return nil
}

// endedByItself reports whether a change is the end of a process that nobody wanted.
func (c Change) endedByItself() bool {
	return c.Kind == ChangeEnded && !strings.HasSuffix(c.Text, askedTo)
}

// isReady reports whether a Pod that is not to go is Ready.
func isReady(pod *corev1.Pod) bool {
	_, ready := workload.ReadySince(pod)
	return ready && pod.DeletionTimestamp == nil
}
