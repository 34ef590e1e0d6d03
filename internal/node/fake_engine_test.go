package node

import (
	"context"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/probe"
)

// answer is what a service answers to an attempt.
type answer struct {
	result    probe.Result
	after     time.Duration
	meanwhile func() // called in the middle of the attempt
}

var (
	healthy = answer{result: probe.Result{Outcome: probe.Success, Output: "ok"}}
	failing = answer{result: probe.Result{Outcome: probe.Failure, Output: "HTTP probe failed with statuscode: 500"}}
)

// fakeEngine makes attempts without a network; exec probes it really makes. It is safe for
// concurrent use.
type fakeEngine struct {
	log    *timeline
	joined sync.WaitGroup // of exec probes

	mu       sync.Mutex // guards what follows
	answers  map[string][]answer
	prepared int
	flying   int // attempts without a result that were not cancelled
}

// answer says how the service answers HTTP attempts at a path: the first, the second and so on, the
// last one for ever. Without it, it is healthy.
func (e *fakeEngine) answer(path string, answers ...answer) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.answers[path] = answers
}

func (e *fakeEngine) inFlight() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.flying
}

// fakePrepared is a prepared Prober.
type fakePrepared struct{ probe.Prober }

func (e *fakeEngine) Prepare(p probe.Prober) probe.Prober {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.prepared++
	return &fakePrepared{p}
}

func (e *fakeEngine) Close() { e.joined.Wait() }

func (e *fakeEngine) Go(p probe.Prober, done func(probe.Result)) (cancel func() bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.flying++
	var once sync.Once
	claim := func() (first bool) {
		once.Do(func() {
			first = true
			e.mu.Lock()
			defer e.mu.Unlock()
			e.flying--
		})
		return first
	}
	settle := func(r probe.Result) {
		if claim() {
			done(r)
		}
	}
	if exec, ok := p.(probe.Exec); ok {
		ctx, stop := context.WithCancel(context.Background())
		e.joined.Go(func() { settle(exec.Probe(ctx)) })
		return func() bool { defer stop(); return claim() }
	}
	a := e.nextLocked(p.(*fakePrepared).Prober)
	if a.meanwhile != nil {
		time.AfterFunc(a.after/2, a.meanwhile)
	}
	time.AfterFunc(a.after, func() { settle(a.result) })
	return claim
}

func (e *fakeEngine) nextLocked(p probe.Prober) answer {
	get, ok := p.(probe.HTTPGet)
	if !ok {
		return healthy
	}
	e.log.add("get %s:%d%s", get.Host, get.Port, get.Path)
	answers := e.answers[get.Path]
	if len(answers) == 0 {
		return healthy
	}
	if len(answers) > 1 {
		e.answers[get.Path] = answers[1:]
	}
	return answers[0]
}

// fakeTraffic tells the timeline what the node wants of it. idle and sent are nil while no request
// is in flight.
type fakeTraffic struct {
	log        *timeline
	idle, sent chan struct{}
}

func (f *fakeTraffic) Withdraw(types.UID) { f.log.add("withdraw") }
func (f *fakeTraffic) Admit(types.UID)    { f.log.add("admit") }

func (f *fakeTraffic) Exited(_ types.UID, how string) { f.log.add("gone: %s", how) }

func (f *fakeTraffic) Starting(_ *corev1.Pod, container string) {
	f.log.add("leave ports to %s", container)
}
func (f *fakeTraffic) NotStarted(_ *corev1.Pod, container string) {
	f.log.add("no start of %s", container)
}
func (f *fakeTraffic) Ended(_ *corev1.Pod, container string, failed bool) {
	f.log.add("end of %s, failed %v", container, failed)
}

func (f *fakeTraffic) Drained(types.UID) <-chan struct{} { return orClosed(f.idle) }
func (f *fakeTraffic) Sent(types.UID) <-chan struct{}    { return orClosed(f.sent) }

func orClosed(c chan struct{}) <-chan struct{} {
	if c == nil {
		return closedChannel()
	}
	return c
}
