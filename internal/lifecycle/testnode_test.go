package lifecycle

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// testNode is a node in virtual time: it carries out a Pod's effects by script and delivers the
// events that follow from them.
type testNode struct {
	t       *testing.T
	pod     *Pod
	start   time.Time
	now     time.Time
	scripts map[string]*script
	queue   []delivery
	log     []entry
	effects []Effect             // everything that the Pod asked for
	runs    map[string]int       // probe attempts by instance and type
	born    map[string]time.Time // when an instance's process began
	gone    map[string]bool      // instances whose process has ended
	shown   map[string]string    // the last status line of each subject
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

// testOffset is where the first tick falls behind the initial delay in these tests, so that tables
// show round numbers.
const testOffset = 500 * time.Millisecond

func newTestNode(t *testing.T, spec corev1.PodSpec, opts Options) *testNode {
	t.Helper()
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "default", UID: "u1", Generation: 1}, Spec: spec}
	w := &testNode{
		t: t, pod: NewPod(pod, opts), start: start, now: start, scripts: map[string]*script{},
		runs: map[string]int{}, born: map[string]time.Time{}, gone: map[string]bool{}, shown: map[string]string{},
	}
	w.pod.eachWorker(func(_ *container, worker *Worker) { worker.offset = testOffset })
	for c := range w.pod.containers() {
		w.scripts[c.spec.Name] = &script{}
	}
	w.at(0, Tick{})
	return w
}

func (w *testNode) at(after time.Duration, e Event) {
	w.queue = append(w.queue, delivery{w.start.Add(after), e})
	slices.SortStableFunc(w.queue, func(a, b delivery) int { return a.at.Compare(b.at) })
}

func (w *testNode) later(after time.Duration, e Event) { w.at(w.now.Add(after).Sub(w.start), e) }

// run lets virtual time pass until the given instant.
func (w *testNode) run(until time.Duration) {
	w.t.Helper()
	end := w.start.Add(until)
	for range 1_000_000 {
		at, queued := w.next()
		if at.IsZero() || at.After(end) {
			w.now = end
			return
		}
		var event Event = Tick{}
		if queued {
			event, w.queue = w.queue[0].event, w.queue[1:]
		}
		w.deliver(event, at)
	}
	w.t.Fatal("the Pod does not come to rest")
}

// next is when something happens next, and whether it is an event of the queue or just the Pod's
// deadline.
func (w *testNode) next() (at time.Time, queued bool) {
	deadline := w.pod.Deadline()
	if len(w.queue) > 0 && (deadline.IsZero() || !w.queue[0].at.After(deadline)) {
		return w.queue[0].at, true
	}
	return deadline, false
}

// routine reports whether an event is a success that changes nothing, while nothing else is due.
func (w *testNode) routine(event Event) bool {
	e, ok := event.(ProbeDone)
	return ok && e.Outcome == OutcomeSuccess && w.pod.Deadline().After(w.now) && w.pod.SuccessIsRoutine(e.Container, e.Type)
}

// deliver gives an event to the Pod and carries out what it asks for.
func (w *testNode) deliver(event Event, at time.Time) []Effect {
	w.t.Helper()
	if at.Before(w.now) {
		w.t.Fatalf("%T at %v lies before %v", event, at.Sub(w.start), w.now.Sub(w.start))
	}
	before := w.now
	w.now = at
	if e, ok := event.(Exited); ok {
		if w.gone[e.Instance] {
			return nil
		}
		w.gone[e.Instance] = true
		w.note("exit %s #%d code %d", e.Container, instanceNumber(e.Instance), e.ExitCode)
	}
	routine, kills := w.routine(event), w.killTimes()
	effects := w.pod.On(event, w.now)
	w.checkKillTimes(kills, before, effects)
	if routine && slices.ContainsFunc(effects, func(e Effect) bool { _, run := e.(RunProbe); return !run }) {
		w.t.Errorf("a success that changes nothing has effects: %v", effects)
	}
	w.effects = append(w.effects, effects...)
	for _, effect := range effects {
		w.carryOut(effect)
	}
	return effects
}

func (w *testNode) carryOut(effect Effect) {
	switch e := effect.(type) {
	case StartContainer:
		w.startContainer(e)
	case StopContainer:
		w.note("%s to %s", e.Signal, e.Container)
		w.exitBy(e.Container, e.Instance, w.scripts[e.Container].onTerm(instanceNumber(e.Instance)))
	case KillContainer:
		w.note("SIGKILL to %s", e.Container)
		w.later(0, Exited{Container: e.Container, Instance: e.Instance, ExitCode: 137, Signal: 9, At: w.now})
	case RunProbe:
		w.runProbe(e)
	case CancelProbe:
		w.note("%s cancelled on %s #%d", e.Type, e.Container, instanceNumber(e.Instance))
	case RunHook:
		w.note("hook %s of %s", e.Hook, e.Container)
		after, err := w.scripts[e.Container].onHook(e.Hook)
		w.later(after, HookDone{e.Container, e.Instance, e.Hook, err})
	case Record:
		w.note("%s %s %s", e.Type, e.Reason, e.Message)
	case Finished:
		w.note("finished")
	case StatusChanged:
		w.noteStatus()
	}
}

// killTimes are when SIGKILL is to be sent, by container, as the Pod says.
func (w *testNode) killTimes() map[string]time.Time {
	times := map[string]time.Time{}
	for c := range w.pod.containers() {
		times[c.spec.Name] = w.pod.KillAt(c.spec.Name)
	}
	return times
}

// checkKillTimes sees to it that SIGKILL comes by the first event at or after the time that was
// said, unless the Pod is aborted. before is when the last event came.
func (w *testNode) checkKillTimes(said map[string]time.Time, before time.Time, effects []Effect) {
	for _, effect := range effects {
		if e, ok := effect.(KillContainer); ok && !w.pod.aborted {
			if at := said[e.Container]; at.IsZero() || w.now.Before(at) || !before.Before(at) {
				w.t.Errorf("SIGKILL to %s comes at %v, and was said to come at %v", e.Container, w.now, at)
			}
		}
		if e, ok := effect.(StopContainer); ok && !w.pod.KillAt(e.Container).After(w.now) {
			w.t.Errorf("%s gets its stop signal at %v, and SIGKILL is said to come at %v", e.Container, w.now, w.pod.KillAt(e.Container))
		}
	}
}

func (w *testNode) startContainer(e StartContainer) {
	n := instanceNumber(e.Instance)
	s := w.scripts[e.Container]
	after, reason, message := s.onStart(n)
	w.note("start %s #%d", e.Container, n)
	if reason != "" {
		w.later(after, StartFailed{e.Container, e.Instance, reason, message})
		return
	}
	began := w.now.Add(after)
	w.born[e.Instance] = began
	w.later(after, Started{e.Container, e.Instance, began})
	life := s.onLife(n)
	life.after += after
	w.exitBy(e.Container, e.Instance, life)
}

func (w *testNode) exitBy(container, instance string, x exit) {
	if !x.never {
		w.later(x.after, Exited{Container: container, Instance: instance, ExitCode: x.code, At: w.now.Add(x.after)})
	}
}

func (w *testNode) runProbe(e RunProbe) {
	key := e.Instance + string(e.Type)
	w.runs[key]++
	n := instanceNumber(e.Instance)
	w.note("%s probe of %s #%d", e.Type, e.Container, n)
	a := w.scripts[e.Container].onProbe(probeRun{e.Type, n, w.runs[key], w.now.Sub(w.born[e.Instance])})
	w.later(a.after, ProbeDone{e.Container, e.Instance, e.Type, a.outcome, a.output})
}

func (w *testNode) note(format string, args ...any) {
	w.log = append(w.log, entry{w.now.Sub(w.start), fmt.Sprintf(format, args...)})
}

// noteStatus logs what is new in the status: "app is Running started ready", "pod is Pending",
// "cond Ready is False …".
func (w *testNode) noteStatus() {
	status := w.pod.Status(w.now)
	for _, c := range slices.Concat(status.InitContainerStatuses, status.ContainerStatuses) {
		w.noteNew(c.Name, describe(c))
	}
	w.noteNew("pod", string(status.Phase))
	for _, c := range status.Conditions {
		w.noteNew("cond "+string(c.Type), strings.TrimSpace(fmt.Sprintf("%s %s %s", c.Status, c.Reason, c.Message)))
	}
}

func (w *testNode) noteNew(subject, line string) {
	if w.shown[subject] != line {
		w.shown[subject] = line
		w.note("%s is %s", subject, line)
	}
}

func describe(c corev1.ContainerStatus) string {
	var line string
	switch s := c.State; {
	case s.Running != nil:
		line = "Running"
	case s.Waiting != nil:
		line = "Waiting " + s.Waiting.Reason
	case s.Terminated != nil:
		line = fmt.Sprintf("Terminated %s %d", s.Terminated.Reason, s.Terminated.ExitCode)
	}
	if c.Started != nil && *c.Started {
		line += " started"
	}
	if c.Ready {
		line += " ready"
	}
	return line
}

// seen lists the log lines that contain one of the words, with their instants.
func (w *testNode) seen(words ...string) []string {
	var lines []string
	for _, e := range w.log {
		if slices.ContainsFunc(words, func(word string) bool { return strings.Contains(e.text, word) }) {
			lines = append(lines, fmt.Sprintf("%v %s", e.at, e.text))
		}
	}
	return lines
}

// delays lists how long a container was down before each of its restarts.
func (w *testNode) delays(container string) []time.Duration {
	var delays []time.Duration
	var exited time.Duration
	for _, e := range w.log {
		switch {
		case strings.HasPrefix(e.text, "exit "+container+" #"):
			exited = e.at
		case strings.HasPrefix(e.text, "start "+container+" #") && e.text != "start "+container+" #1":
			delays = append(delays, e.at-exited)
		}
	}
	return delays
}

func (w *testNode) containerStatus(name string) corev1.ContainerStatus {
	w.t.Helper()
	status := w.pod.Status(w.now)
	for _, c := range slices.Concat(status.InitContainerStatuses, status.ContainerStatuses) {
		if c.Name == name {
			return c
		}
	}
	w.t.Fatalf("no status of container %q", name)
	return corev1.ContainerStatus{}
}

func (w *testNode) condition(t corev1.PodConditionType) corev1.PodCondition {
	w.t.Helper()
	for _, c := range w.pod.Status(w.now).Conditions {
		if c.Type == t {
			return c
		}
	}
	w.t.Fatalf("no condition %q", t)
	return corev1.PodCondition{}
}

func instanceNumber(instance string) int {
	var n int
	fmt.Sscan(instance[strings.LastIndex(instance, "-")+1:], &n)
	return n
}

// sortedKeys lists the keys of a map in order.
func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
