package lifecycle

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

// chooser decides what happens: it returns a number below n. Seeded chance decides in the property
// test, a fuzzer's bytes in the fuzz target. Zero is always the quiet choice.
type chooser func(n int) int

func choose[T any](c chooser, options ...T) T { return options[c(len(options))] }

// rarely is true once in n times or less.
func (c chooser) rarely(n int) bool { return c(n) == n-1 }

func randomPod(c chooser) (corev1.PodSpec, Options) {
	s := corev1.PodSpec{
		RestartPolicy:                 choose(c, corev1.RestartPolicyAlways, corev1.RestartPolicyOnFailure, corev1.RestartPolicyNever),
		TerminationGracePeriodSeconds: new(choose[int64](c, 30, 0, 1, 4)),
	}
	for i := range choose(c, 0, 0, 1, 2) {
		s.InitContainers = append(s.InitContainers, sidecar(fmt.Sprintf("s%d", i), randomProbes(c)))
	}
	if c.rarely(3) {
		s.InitContainers = append(s.InitContainers, named("i"))
	}
	for i := range choose(c, 1, 2, 3) {
		container := named(fmt.Sprintf("c%d", i), randomProbes(c))
		if c.rarely(6) {
			container.RestartPolicy = new(choose(c, corev1.ContainerRestartPolicyAlways, corev1.ContainerRestartPolicyOnFailure, corev1.ContainerRestartPolicyNever))
		}
		s.Containers = append(s.Containers, container)
	}
	return s, Options{MaxRestartPeriod: choose(c, 0, time.Second, 15*time.Second)}
}

func randomProbes(c chooser) func(*corev1.Container) {
	probe := func() *corev1.Probe {
		p := newProbe(int32(1+c(3)), period(choose[int32](c, 1, 2, 7, 90)), delayed(choose[int32](c, 0, 0, 3)))
		if c.rarely(3) {
			p.TerminationGracePeriodSeconds = new(choose[int64](c, 1, 6))
		}
		return p
	}
	return func(container *corev1.Container) {
		if c(2) == 1 {
			container.LivenessProbe = probe()
		}
		if c(2) == 1 {
			container.ReadinessProbe = probe()
			container.ReadinessProbe.SuccessThreshold = int32(1 + c(3))
			container.ReadinessProbe.TerminationGracePeriodSeconds = nil
		}
		if c.rarely(3) {
			container.StartupProbe = probe()
		}
		if c.rarely(4) {
			preStop(container)
		}
		if c.rarely(5) {
			postStart(container)
		}
	}
}

func randomScript(c chooser) script {
	return script{
		start: func(int) (time.Duration, string, string) {
			after := choose(c, 0, 0, 100*time.Millisecond, 2*time.Second)
			if c.rarely(15) {
				return after, choose(c, "RunContainerError", "CreateContainerError"), "no such file"
			}
			return after, "", ""
		},
		probe: func(probeRun) answer {
			return answer{
				outcome: choose(c, OutcomeSuccess, OutcomeSuccess, OutcomeSuccess, OutcomeFailure, OutcomeFailure, OutcomeWarning, OutcomeErrorFailure, OutcomeErrorUnknown),
				after:   choose(c, 0, 0, 0, 300*time.Millisecond, time.Second, 2500*time.Millisecond),
			}
		},
		term: func(int) exit {
			return exit{after: choose(c, 0, 100*time.Millisecond, time.Second, 3*time.Second), code: choose[int32](c, 143, 0, 1), never: c.rarely(3)}
		},
		life: func(int) exit {
			return exit{
				after: choose(c, time.Minute, 0, 700*time.Millisecond, 4*time.Second, 20*time.Second, 11*time.Minute),
				code:  choose[int32](c, 0, 1), never: c(3) == 0,
			}
		},
		hook: func(HookType) (time.Duration, error) {
			return choose(c, 0, 0, 500*time.Millisecond, 5*time.Second), choose(c, nil, nil, nil, errors.New("exit status 1"))
		},
	}
}

// history plays a random Pod for a number of steps, then deletes it, under the eyes of an auditor.
type history struct {
	*testNode
	c       chooser
	auditor *auditor
}

func newHistory(t *testing.T, c chooser) *history {
	spec, opts := randomPod(c)
	w := newTestNode(t, spec, opts)
	for _, name := range sortedKeys(w.scripts) {
		*w.scripts[name] = randomScript(c)
	}
	return &history{w, c, newAuditor(w.pod, spec, opts)}
}

func (h *history) play(steps int) {
	h.t.Helper()
	for range steps {
		h.disturb()
		if !h.step(choose(h.c, 0, 0, 0, 0, 0, 0, 0, 20*time.Millisecond, 3*time.Second)) {
			break
		}
	}
	h.give(Deleted{Grace: 30 * time.Second}, h.now)
	end := h.now.Add(time.Hour)
	for !h.auditor.finished {
		if !h.step(0) || h.now.After(end) {
			h.t.Fatalf("a deleted Pod does not end\n%s", h.tail())
		}
	}
}

// step lets the next thing happen, late by the given time. It reports whether there was one.
func (h *history) step(late time.Duration) bool {
	h.t.Helper()
	at, queued := h.next()
	if at.IsZero() {
		h.checkAtRest()
		return false
	}
	at = latest(at.Add(late), h.now)
	if queued {
		event := h.queue[0].event
		h.queue = h.queue[1:]
		h.give(event, at)
		return true
	}
	before := h.pod.Deadline()
	effects := h.give(Tick{}, at)
	if len(effects) == 0 && h.pod.Deadline().Equal(before) {
		h.t.Fatalf("the deadline made no progress\n%s", h.tail())
	}
	return true
}

// checkAtRest makes sure that a Pod with nothing to wait for has nothing left to do.
func (h *history) checkAtRest() {
	h.t.Helper()
	if h.auditor.deleted || h.pod.Terminal() {
		return
	}
	for c := range h.pod.containers() {
		due := c.exit != nil && h.pod.restarts(c) || c.exit == nil && h.pod.initialized
		if due && !c.alive() {
			h.t.Fatalf("%s is forgotten\n%s", c.spec.Name, h.tail())
		}
	}
}

func (h *history) give(event Event, at time.Time) []Effect {
	h.t.Helper()
	if e, ok := event.(Exited); ok && h.gone[e.Instance] {
		return nil
	}
	effects := h.deliver(event, at)
	h.auditor.observe(event, effects, at)
	if len(h.auditor.faults) > 0 {
		h.t.Fatalf("%s\n%s", strings.Join(h.auditor.faults, "\n"), h.tail())
	}
	return effects
}

// disturb does something out of the order: now and then, and mostly something that has to be
// ignored.
func (h *history) disturb() {
	h.t.Helper()
	switch h.c(40) {
	case 39:
		h.ignored(h.stale())
	case 38:
		at, _ := h.next()
		if d := at.Sub(h.now); d > 0 {
			h.now = h.now.Add(d / 2)
			h.ignored(Tick{})
		}
	case 37:
		h.give(ConditionSet{corev1.PodCondition{Type: "example.com/x", Status: choose(h.c, corev1.ConditionTrue, corev1.ConditionFalse)}}, h.now)
	case 36:
		if h.c.rarely(5) {
			h.give(Deleted{Grace: choose(h.c, 30*time.Second, 0, 3*time.Second)}, h.now)
		}
	case 35:
		if h.c.rarely(30) {
			h.give(Aborted{}, h.now)
		}
	}
}

// stale is an event about an instance that is gone, or never was.
func (h *history) stale() Event {
	name := choose(h.c, h.auditor.order...)
	instance := choose(h.c, "u1-"+name+"-0", "", "u2-"+name+"-1")
	if b := h.auditor.books[name]; b.instances > 1 && h.c(2) == 1 {
		instance = "u1-" + name + "-1"
		if instance == b.instance {
			instance = "?"
		}
	}
	if h.c.rarely(4) {
		name = "stranger"
	}
	return choose[Event](h.c,
		Exited{Container: name, Instance: instance, ExitCode: 1, At: h.now},
		Started{name, instance, h.now},
		StartFailed{name, instance, "RunContainerError", "no such file"},
		ProbeDone{name, instance, choose(h.c, ProbeTypes()...), choose(h.c, OutcomeFailure, OutcomeSuccess, OutcomeErrorUnknown), ""},
		HookDone{name, instance, choose(h.c, PreStop, PostStart), nil},
	)
}

func (h *history) ignored(event Event) {
	h.t.Helper()
	deadline, status, probes := h.pod.Deadline(), h.pod.Status(h.now), h.pod.Probes()
	if at, _ := h.next(); !at.IsZero() && !at.After(h.now) {
		return // something else happens at this instant
	}
	if effects := h.pod.On(event, h.now); len(effects) > 0 {
		h.t.Fatalf("%#v had effects: %v\n%s", event, effects, h.tail())
	}
	if got := h.pod.Deadline(); !got.Equal(deadline) {
		h.t.Fatalf("%#v moved the deadline from %v to %v\n%s", event, deadline, got, h.tail())
	}
	if got := h.pod.Status(h.now); !reflect.DeepEqual(got, status) {
		h.t.Fatalf("%#v changed the status:\n%s\n%s", event, cmp.Diff(status, got), h.tail())
	}
	if got := h.pod.Probes(); !slices.EqualFunc(got, probes, sameButNext) {
		h.t.Fatalf("%#v changed the probes:\n%s\n%s", event, cmp.Diff(probes, got), h.tail())
	}
}

// sameButNext compares but for the next ticks: those of workers behind a closed gate move with the
// time.
func sameButNext(a, b ProbeState) bool {
	a.Next, b.Next = time.Time{}, time.Time{}
	return a == b
}

// tail is the Pod and the last lines of the log, for a failure.
func (h *history) tail() string {
	var b strings.Builder
	if spec, err := json.Marshal(h.auditor.spec); err == nil {
		fmt.Fprintf(&b, "spec: %s\n", spec)
	}
	for _, e := range h.log[max(0, len(h.log)-60):] {
		fmt.Fprintf(&b, "%v %s\n", e.at, e.text)
	}
	return b.String()
}

func TestInvariants(t *testing.T) {
	const pods, steps = 250, 200
	for seed := range uint64(pods) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			newHistory(t, rand.New(rand.NewPCG(seed, 0)).IntN).play(steps)
		})
	}
}

func FuzzPod(f *testing.F) {
	for seed := range uint64(8) {
		random := rand.New(rand.NewPCG(seed, 1))
		data := make([]byte, 300)
		for i := range data {
			data[i] = byte(random.Uint32())
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		bytes := func(n int) int {
			if len(data) == 0 {
				return 0
			}
			b := data[0]
			data = data[1:]
			return int(b) % n
		}
		h := newHistory(t, bytes)
		h.play(min(len(data), 400))
	})
}
