package lifecycle

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// world is a node in virtual time: it carries out a Pod's effects by script and delivers the events that follow from them.
type world struct {
	t       *testing.T
	pod     *Pod
	start   time.Time
	now     time.Time
	scripts map[string]*script
	queue   []delivery
	log     []entry
	count   map[string]int // probe runs by instance and type
	end     map[string]bool
}

// script is how the program of one container behaves. Unset functions mean: answers every probe at once, exits 143 on SIGTERM at
// once, never exits by itself, hooks succeed at once.
type script struct {
	probe func(run probeRun) answer
	term  func(instance int) exit // on the stop signal
	life  func(instance int) exit // by itself, counted from its start
	hook  func(h HookType) (time.Duration, error)
	start func(instance int) (reason, message string) // non-empty reason: it can't be started
}

type probeRun struct {
	typ      ProbeType
	instance int // 1 for the first
	n        int // 1 for the first attempt on this instance
	at       time.Duration
}

type answer struct {
	outcome Outcome
	output  string
	after   time.Duration
}

type exit struct {
	after time.Duration
	code  int32
	never bool
}

type delivery struct {
	at    time.Time
	event Event
}

// entry is a line of the log: what was seen, and when.
type entry struct {
	at   time.Duration
	text string
}

// testOffset is where the first tick falls behind the initial delay in these tests, so that tables show round numbers.
const testOffset = 500 * time.Millisecond

func newWorld(t *testing.T, spec corev1.PodSpec, opts Options) *world {
	t.Helper()
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "default", UID: types.UID("u1"), Generation: 1}, Spec: spec}
	w := &world{t: t, pod: NewPod(pod, opts), start: start, now: start, scripts: map[string]*script{}, count: map[string]int{}, end: map[string]bool{}}
	w.pod.eachWorker(func(c *container, worker *Worker) { worker.offset = testOffset })
	for c := range w.pod.containers() {
		w.scripts[c.spec.Name] = &script{}
	}
	w.at(0, Tick{})
	return w
}

func (w *world) at(after time.Duration, e Event) {
	w.queue = append(w.queue, delivery{w.start.Add(after), e})
	slices.SortStableFunc(w.queue, func(a, b delivery) int { return a.at.Compare(b.at) })
}

func (w *world) later(after time.Duration, e Event) { w.at(w.now.Add(after).Sub(w.start), e) }

// run lets virtual time pass until the given instant.
func (w *world) run(until time.Duration) {
	w.t.Helper()
	end := w.start.Add(until)
	for range 1_000_000 {
		var event Event = Tick{}
		next := w.pod.Deadline()
		if len(w.queue) > 0 && (next.IsZero() || !w.queue[0].at.After(next)) {
			next, event = w.queue[0].at, w.queue[0].event
		}
		if next.IsZero() || next.After(end) {
			w.now = end
			return
		}
		if _, tick := event.(Tick); !tick || len(w.queue) > 0 && w.queue[0].at.Equal(next) && w.queue[0].event == event {
			w.queue = w.queue[1:]
		}
		if next.Before(w.now) {
			w.t.Fatalf("deadline %v lies before %v", next.Sub(w.start), w.now.Sub(w.start))
		}
		w.now = next
		for _, effect := range w.pod.On(event, w.now) {
			w.carryOut(effect)
		}
	}
	w.t.Fatal("the Pod does not come to rest")
}

func (w *world) carryOut(effect Effect) {
	switch e := effect.(type) {
	case StartContainer:
		w.startContainer(e)
	case StopContainer:
		w.note("%s to %s", e.Signal, e.Container)
		if x := w.script(e.Container).onTerm(instanceNumber(e.Instance)); !x.never {
			w.later(x.after, Exited{Container: e.Container, Instance: e.Instance, ExitCode: x.code, At: w.now.Add(x.after)})
		}
	case KillContainer:
		w.note("SIGKILL to %s", e.Container)
		w.later(0, Exited{Container: e.Container, Instance: e.Instance, ExitCode: 137, Signal: 9, At: w.now})
	case RunProbe:
		w.runProbe(e)
	case RunHook:
		w.note("hook %s of %s", e.Hook, e.Container)
		after, err := w.script(e.Container).onHook(e.Hook)
		w.later(after, HookDone{e.Container, e.Instance, e.Hook, err})
	case Record:
		w.note("%s %s %s", e.Type, e.Reason, e.Message)
	case Finished:
		w.note("finished")
	case StatusChanged:
		w.pod.Status(w.now)
	}
}

func (w *world) startContainer(e StartContainer) {
	n := instanceNumber(e.Instance)
	if s := w.script(e.Container); s.start != nil {
		if reason, message := s.start(n); reason != "" {
			w.later(0, StartFailed{e.Container, e.Instance, reason, message})
			return
		}
	}
	w.note("start %s #%d", e.Container, n)
	w.later(0, Started{e.Container, e.Instance, w.now})
	if x := w.script(e.Container).onLife(n); !x.never {
		w.later(x.after, Exited{Container: e.Container, Instance: e.Instance, ExitCode: x.code, At: w.now.Add(x.after)})
	}
}

func (w *world) runProbe(e RunProbe) {
	key := e.Instance + string(e.Type)
	w.count[key]++
	run := probeRun{e.Type, instanceNumber(e.Instance), w.count[key], w.now.Sub(w.start)}
	w.note("%s probe of %s", e.Type, e.Container)
	a := answer{}
	if s := w.script(e.Container); s.probe != nil {
		a = s.probe(run)
	}
	w.later(a.after, ProbeDone{e.Container, e.Instance, e.Type, a.outcome, a.output})
}

func (w *world) script(container string) *script { return w.scripts[container] }

func (w *world) note(format string, args ...any) {
	w.log = append(w.log, entry{w.now.Sub(w.start), fmt.Sprintf(format, args...)})
}

// seen lists the log lines that contain one of the words, with their instants.
func (w *world) seen(words ...string) []string {
	var lines []string
	for _, e := range w.log {
		if slices.ContainsFunc(words, func(word string) bool { return strings.Contains(e.text, word) }) {
			lines = append(lines, fmt.Sprintf("%v %s", e.at, e.text))
		}
	}
	return lines
}

func (s *script) onTerm(instance int) exit {
	if s.term == nil {
		return exit{code: 143}
	}
	return s.term(instance)
}

func (s *script) onLife(instance int) exit {
	if s.life == nil {
		return exit{never: true}
	}
	return s.life(instance)
}

func (s *script) onHook(h HookType) (time.Duration, error) {
	if s.hook == nil {
		return 0, nil
	}
	return s.hook(h)
}

func instanceNumber(instance string) int {
	var n int
	fmt.Sscan(instance[strings.LastIndex(instance, "-")+1:], &n)
	return n
}
