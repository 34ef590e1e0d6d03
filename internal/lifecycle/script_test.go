package lifecycle

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

// script is how the program of one container behaves. Unset functions mean: starts at once, answers
// every probe at once, exits 143 on SIGTERM at once, never exits by itself, hooks succeed at once.
type script struct {
	// non-empty reason: it can't be started
	start func(instance int) (after time.Duration, reason, message string)
	probe func(run probeRun) answer
	term  func(instance int) exit // on the stop signal
	life  func(instance int) exit // by itself, counted from its start
	hook  func(h HookType) (time.Duration, error)
}

type probeRun struct {
	typ      ProbeType
	instance int           // 1 for the first
	n        int           // 1 for the first attempt on this instance
	age      time.Duration // of the instance
}

type answer struct {
	outcome ProbeOutcome
	output  string
	after   time.Duration
}

type exit struct {
	after time.Duration
	code  int32
	never bool
}

func (s *script) onStart(instance int) (after time.Duration, reason, message string) {
	if s.start == nil {
		return 0, "", ""
	}
	return s.start(instance)
}

func (s *script) onProbe(run probeRun) answer {
	if s.probe == nil {
		return answer{}
	}
	return s.probe(run)
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

// replies scripts the answers on each instance, by probe type: one word per attempt, the last one
// for ever. A word is a status code, "stall" or "nocmd" (prober errors), with "*n" for n times and
// "@d" for an answer after d: "200*3 500@1s".
type replies map[ProbeType]string

func (r replies) answer(run probeRun) answer {
	n := run.n
	var a answer
	for word := range strings.FieldsSeq(r[run.typ]) {
		word, times, _ := strings.Cut(word, "*")
		count, err := strconv.Atoi(times)
		if err != nil {
			count = 1
		}
		a = parseAnswer(word)
		if n -= count; n <= 0 {
			break
		}
	}
	return a
}

func parseAnswer(word string) answer {
	what, delay, late := strings.Cut(word, "@")
	a := map[string]answer{
		"200":   {},
		"302":   {outcome: OutcomeWarning, output: "Probe terminated redirects, Response body: moved"},
		"stall": {outcome: OutcomeErrorFailure, output: "context deadline exceeded"},
		"nocmd": {outcome: OutcomeErrorUnknown, output: "no such file"},
	}
	result, known := a[what]
	if !known {
		result = answer{outcome: OutcomeFailure, output: "HTTP probe failed with statuscode: " + what}
	}
	if late {
		after, err := time.ParseDuration(delay)
		if err != nil {
			panic(err)
		}
		result.after = after
	}
	return result
}

// onFirst answers by the list on the first instance, and with success on later ones.
func onFirst(r replies) func(probeRun) answer {
	return func(run probeRun) answer {
		if run.instance > 1 {
			return answer{}
		}
		return r.answer(run)
	}
}

func exits(after time.Duration, code int32) func(int) exit {
	return func(int) exit { return exit{after: after, code: code} }
}

func stubborn(int) exit { return exit{never: true} }

func hookTakes(which HookType, d time.Duration, err error) func(HookType) (time.Duration, error) {
	return func(h HookType) (time.Duration, error) {
		if h != which {
			return 0, nil
		}
		return d, err
	}
}

// scenario is a row of a table: a Pod, how its programs behave, what happens to it from outside,
// and what must be seen of it.
type scenario struct {
	name    string // case and rules
	spec    corev1.PodSpec
	opts    Options
	scripts map[string]script
	outside map[time.Duration]Event
	until   time.Duration
	watch   []string       // words that choose the lines of the log to compare
	want    []string       // those lines, complete and in order
	counts  map[string]int // how many lines of the log contain a word
	check   func(t *testing.T, w *testNode)
}

func play(t *testing.T, rows []scenario) {
	t.Helper()
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			w := newTestNode(t, row.spec, row.opts)
			for name, s := range row.scripts {
				*w.scripts[name] = s
			}
			for _, at := range sortedKeys(row.outside) {
				w.at(at, row.outside[at])
			}
			w.run(row.until)
			if diff := cmp.Diff(row.want, w.seen(row.watch...)); diff != "" {
				t.Errorf("log (-want +got):\n%s", diff)
			}
			for _, word := range sortedKeys(row.counts) {
				if got := len(w.seen(word)); got != row.counts[word] {
					t.Errorf("%d lines with %q, want %d:\n%s", got, word, row.counts[word], strings.Join(w.seen(word), "\n"))
				}
			}
			if row.check != nil {
				row.check(t, w)
			}
		})
	}
}

// app is a Pod of one container, called app, under restartPolicy Always and with 30 s of grace.
func app(change ...func(*corev1.Container)) corev1.PodSpec { return spec(named("app", change...)) }

func named(name string, change ...func(*corev1.Container)) corev1.Container {
	c := corev1.Container{Name: name}
	for _, f := range change {
		f(&c)
	}
	return c
}

func spec(containers ...corev1.Container) corev1.PodSpec {
	return corev1.PodSpec{RestartPolicy: corev1.RestartPolicyAlways, TerminationGracePeriodSeconds: new(int64(30)), Containers: containers}
}

func withPolicy(p corev1.RestartPolicy, s corev1.PodSpec) corev1.PodSpec {
	s.RestartPolicy = p
	return s
}

func withGrace(seconds int64, s corev1.PodSpec) corev1.PodSpec {
	s.TerminationGracePeriodSeconds = &seconds
	return s
}

func withInit(s corev1.PodSpec, init ...corev1.Container) corev1.PodSpec {
	s.InitContainers = init
	return s
}

func sidecar(name string, change ...func(*corev1.Container)) corev1.Container {
	c := named(name, change...)
	c.RestartPolicy = new(corev1.ContainerRestartPolicyAlways)
	return c
}

// liveness, readiness and startup give a container a probe with P = 1 s, T = 1 s, S = 1 and the
// given failure threshold.
func liveness(failures int32, change ...func(*corev1.Probe)) func(*corev1.Container) {
	return func(c *corev1.Container) { c.LivenessProbe = newProbe(failures, change...) }
}

func readiness(failures int32, change ...func(*corev1.Probe)) func(*corev1.Container) {
	return func(c *corev1.Container) { c.ReadinessProbe = newProbe(failures, change...) }
}

func startup(failures int32, change ...func(*corev1.Probe)) func(*corev1.Container) {
	return func(c *corev1.Container) { c.StartupProbe = newProbe(failures, change...) }
}

func newProbe(failures int32, change ...func(*corev1.Probe)) *corev1.Probe {
	p := &corev1.Probe{PeriodSeconds: 1, TimeoutSeconds: 1, SuccessThreshold: 1, FailureThreshold: failures}
	p.HTTPGet = &corev1.HTTPGetAction{Path: "/"}
	for _, f := range change {
		f(p)
	}
	return p
}

func period(s int32) func(*corev1.Probe)   { return func(p *corev1.Probe) { p.PeriodSeconds = s } }
func timeout(s int32) func(*corev1.Probe)  { return func(p *corev1.Probe) { p.TimeoutSeconds = s } }
func delayed(s int32) func(*corev1.Probe)  { return func(p *corev1.Probe) { p.InitialDelaySeconds = s } }
func succeeds(n int32) func(*corev1.Probe) { return func(p *corev1.Probe) { p.SuccessThreshold = n } }

func probeGrace(s int64) func(*corev1.Probe) {
	return func(p *corev1.Probe) { p.TerminationGracePeriodSeconds = &s }
}

func preStop(c *corev1.Container) {
	lifecycleOf(c).PreStop = &corev1.LifecycleHandler{Exec: &corev1.ExecAction{Command: []string{"bye"}}}
}

func postStart(c *corev1.Container) {
	lifecycleOf(c).PostStart = &corev1.LifecycleHandler{Exec: &corev1.ExecAction{Command: []string{"hello"}}}
}

func lifecycleOf(c *corev1.Container) *corev1.Lifecycle {
	if c.Lifecycle == nil {
		c.Lifecycle = &corev1.Lifecycle{}
	}
	return c.Lifecycle
}

// Lines of the log that many rows share. The first word of each row's line is its instant.
const (
	failure = " Warning Unhealthy %s probe failed: HTTP probe failed with statuscode: 500"

	killL    = " Normal Killing Container app failed liveness probe, will be restarted"
	killU    = " Normal Killing Container app failed startup probe, will be restarted"
	stopping = " Normal Killing Stopping container app"
)

func failed(t ProbeType) string { return fmt.Sprintf(failure, t) }
