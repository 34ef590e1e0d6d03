package rollout

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/probity-run/probity/internal/diagnosis"
	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/workload"
)

// kindOf is the kind of causes that a probe makes.
func kindOf(t lifecycle.ProbeType) Kind {
	switch t {
	case lifecycle.Startup:
		return Startup
	case lifecycle.Liveness:
		return Liveness
	}
	return Readiness
}

// killed is a container that a probe has restarted, n times.
func (s *scene) killed(p *corev1.Pod, st *corev1.ContainerStatus, spec *corev1.Container, t lifecycle.ProbeType, kill tally, n int) *candidate {
	c := of(p, kindOf(t), Doomed)
	c.Container, c.Since, c.Count = clean(st.Name), kill.first, n
	if kill.count > n && len(s.next.pods[p.UID].restarts) == 0 {
		c.Count = kill.count // the one that is being stopped has not ended yet
	}
	c.Evidence = []Evidence{kill.evidence(), {From: "status", RestartCount: int(st.RestartCount)}}
	which := strings.ToLower(string(t))
	c.Text = fmt.Sprintf("container %s is killed by its %s probe, %s", c.Container, which, times(c.Count))
	_, probe := lifecycle.ProbeOf(&p.Spec, spec.Name, t)
	f := s.failing(p, st, spec, t, time.Time{})
	if probe != nil && t == lifecycle.Startup {
		c.Text += ": it may take " + budgetText(probe) + " to start"
	} else if !wasReady(p) {
		c.Text += ", before it was ever ready"
	}
	c.Short = fmt.Sprintf("%s is killed by its %s probe, %s", c.Container, which, times(c.Count))
	if f.known() {
		c.Short = fmt.Sprintf("%s; killed %s", f.short(), times(c.Count))
	}
	c.alike = which + f.word() + f.asked
	f.describe(c)
	if len(f.line(false)) > 0 {
		c.Details = append(c.Details, f.line(false))
	}
	c.Next = f.next(t, probe)
	c.Logs = s.logs(p, st, true)
	s.doom(c, kills, 0)
	return c
}

// wasReady reports whether a Pod was ready before.
func wasReady(p *corev1.Pod) bool {
	cond, scheduled := condition(p, corev1.PodReady), condition(p, corev1.PodReadyToStartContainers)
	if cond == nil {
		return false
	}
	begun := p.CreationTimestamp.Time
	if p.Status.StartTime != nil && p.Status.StartTime.After(begun) {
		begun = p.Status.StartTime.Time
	}
	if scheduled != nil && scheduled.LastTransitionTime.After(begun) {
		begun = scheduled.LastTransitionTime.Time
	}
	return cond.Status == corev1.ConditionTrue || cond.LastTransitionTime.Sub(begun) > time.Second
}

// budgetText is how long a startup probe lets a program start: "3 s (3 × 1 s)".
func budgetText(p *corev1.Probe) string {
	period, delay := seconds(max(p.PeriodSeconds, 1)), seconds(p.InitialDelaySeconds)
	n := max(p.FailureThreshold, 1)
	sum := fmt.Sprintf("%d × %s", n, span(period))
	if delay > 0 {
		sum = span(delay) + " + " + sum
	}
	return fmt.Sprintf("%s (%s)", span(delay+time.Duration(n)*period), sum)
}

// probing is a container that runs, and that its probes do not let be ready.
func (s *scene) probing(p *corev1.Pod, st *corev1.ContainerStatus, spec *corev1.Container, init bool) *candidate {
	r := st.State.Running
	if r == nil || st.Ready {
		return nil
	}
	if init {
		return s.initRuns(p, st)
	}
	started := st.Started == nil && spec.StartupProbe == nil || st.Started != nil && *st.Started
	if !started {
		return s.starting(p, st, spec)
	}
	if _, ready := workload.ReadySince(p); ready || spec.ReadinessProbe == nil {
		return nil
	}
	f := s.failing(p, st, spec, lifecycle.Readiness, r.StartedAt.Time)
	probe := spec.ReadinessProbe
	due := r.StartedAt.Add(seconds(probe.InitialDelaySeconds) + 2*seconds(max(probe.PeriodSeconds, 1)) + seconds(max(probe.TimeoutSeconds, 1)))
	if !f.known() && s.Now.Before(due) {
		s.again = workload.Sooner(s.again, due)
		return nil
	}
	c := of(p, Readiness, Suspect)
	c.Container = clean(st.Name)
	c.counted(f.tally)
	c.Since = r.StartedAt.Time
	if f.first.After(c.Since) {
		c.Since = f.first
	}
	c.Text = fmt.Sprintf("container %s runs and has started, but is not ready", c.Container)
	c.Short, c.alike = f.short(), f.short()
	f.since = s.since(c.Since)
	c.Details = []string{"readiness " + f.line(!wasReady(p))}
	f.describe(c)
	c.Next = f.next(lifecycle.Readiness, probe)
	c.Logs = s.logs(p, st, false)
	return c
}

// initRuns is an init container that does not end.
func (s *scene) initRuns(p *corev1.Pod, st *corev1.ContainerStatus) *candidate {
	began := st.State.Running.StartedAt.Time
	if due := began.Add(s.Patience); s.Now.Before(due) {
		s.again = workload.Sooner(s.again, due)
		return nil
	}
	c := of(p, Init, Suspect)
	c.Container, c.Since = clean(st.Name), began
	c.Short = fmt.Sprintf("init container %s still runs%s", c.Container, s.since(began))
	c.Text, c.alike = c.Short+"; the others start when it has ended", "init runs"
	c.Logs = s.logs(p, st, false)
	return c
}

// starting is a container that has not started yet, by its startup probe.
func (s *scene) starting(p *corev1.Pod, st *corev1.ContainerStatus, spec *corev1.Container) *candidate {
	f := s.failing(p, st, spec, lifecycle.Startup, st.State.Running.StartedAt.Time)
	if !f.known() || spec.StartupProbe == nil {
		return nil
	}
	c := of(p, Startup, Suspect)
	c.Container = clean(st.Name)
	c.counted(f.tally)
	c.Text = fmt.Sprintf("container %s has not started: it may take %s", c.Container, budgetText(spec.StartupProbe))
	c.Short, c.alike = f.short(), f.short()
	c.Details = []string{f.line(false)}
	f.describe(c)
	c.Next = f.next(lifecycle.Startup, spec.StartupProbe)
	c.Logs = s.logs(p, st, false)
	return c
}

// failing is how a probe fails, by the Events of that.
type failing struct {
	tally
	failure diagnosis.Failure
	which   string // "readiness"
	asked   string // "GET :8080/ready"
	since   string
	spec    *corev1.Probe
	c       *corev1.Container
	ports   string // what is declared, if the probe asks another port
	output  string
}

// failing finds how a probe fails, in Events of the instance that began then.
func (s *scene) failing(p *corev1.Pod, st *corev1.ContainerStatus, spec *corev1.Container, t lifecycle.ProbeType, began time.Time) failing {
	f := failing{which: strings.ToLower(string(t)), c: spec}
	prefix := string(t) + " probe "
	f.tally = s.tally(p.UID, "Unhealthy", func(e *corev1.Event, m string) bool {
		_, last, _ := timesOf(e)
		return about(e, st.Name) && strings.HasPrefix(m, prefix) && !last.Before(began.Truncate(time.Second))
	})
	_, f.output, _ = strings.Cut(f.message, ": ")
	_, f.spec = lifecycle.ProbeOf(&p.Spec, spec.Name, t)
	f.failure = diagnosis.FailureOf(f.output, f.spec)
	f.asked = f.which + " probe"
	if f.spec != nil {
		f.asked = diagnosis.Asked(spec, f.spec, true)
		f.ports = otherPorts(p, spec, f.spec)
	}
	return f
}

func (f failing) known() bool { return f.count > 0 }

// word is in which way it fails: "404", "connection refused".
func (f failing) word() string {
	if n, err := strconv.Atoi(f.failure.Word()); err == nil {
		return strconv.Itoa(n)
	}
	return clean(f.failure.Reason(diagnosis.Style{}))
}

// answers reports whether what it fails by is an answer of HTTP.
func (f failing) answers() bool {
	_, err := strconv.Atoi(f.failure.Word())
	return err == nil
}

func (f failing) short() string {
	switch {
	case !f.known():
		return f.which + " does not pass: " + f.asked
	case f.answers():
		return fmt.Sprintf("%s answers %s to %s", f.which, f.word(), f.asked)
	}
	return fmt.Sprintf("%s: %s: %s", f.which, f.asked, f.word())
}

// line says what is asked, how it fails and how often; never that it has not passed yet.
func (f failing) line(never bool) string {
	if !f.known() {
		return f.asked + " does not pass; no Event says why"
	}
	text := fmt.Sprintf("%s: %s, at least %s%s", f.asked, f.word(), times(f.count), f.since)
	if never {
		text += "; no yes yet"
	}
	if f.ports != "" {
		text += "; " + f.ports
	}
	return text
}

// describe gives a cause the probe in the form of machines.
func (f failing) describe(c *candidate) {
	c.Probe = &Probe{Type: f.which, Answer: clean(f.output), AtLeast: f.count}
	if f.known() && len(c.Evidence) > 0 && c.Evidence[0].Reason != "Unhealthy" {
		c.Evidence = append(c.Evidence, f.evidence())
	}
	if f.spec == nil {
		return
	}
	port, _ := portOf(f.spec)
	c.Probe.Port = number(f.c, port)
	switch {
	case f.spec.HTTPGet != nil:
		c.Probe.Action, c.Probe.Path = "GET", clean("/"+strings.TrimPrefix(f.spec.HTTPGet.Path, "/"))
	case f.spec.TCPSocket != nil:
		c.Probe.Action = "tcp"
	case f.spec.GRPC != nil:
		c.Probe.Action = "grpc"
	case f.spec.Exec != nil:
		c.Probe.Action = "exec"
	}
}

func portOf(p *corev1.Probe) (port intstr.IntOrString, ok bool) {
	switch {
	case p.HTTPGet != nil:
		return p.HTTPGet.Port, true
	case p.TCPSocket != nil:
		return p.TCPSocket.Port, true
	case p.GRPC != nil:
		return intstr.FromInt32(p.GRPC.Port), true
	}
	return port, false
}

// number is a port as a number; 0 if its name is that of no port.
func number(c *corev1.Container, port intstr.IntOrString) int {
	if port.Type == intstr.Int {
		return int(port.IntVal)
	}
	for _, declared := range c.Ports {
		if declared.Name == port.StrVal {
			return int(declared.ContainerPort)
		}
	}
	return 0
}

// otherPorts says which ports are declared, if a probe asks one that no container declares; "" if
// it does not, or nothing is declared.
func otherPorts(p *corev1.Pod, c *corev1.Container, probe *corev1.Probe) string {
	port, ok := portOf(probe)
	asked := number(c, port)
	var declared []string
	for _, other := range lifecycle.Containers(&p.Spec) {
		for _, d := range other.Ports {
			if int(d.ContainerPort) == asked {
				return ""
			}
			declared = append(declared, strings.TrimSpace(clean(d.Name)+" "+strconv.Itoa(int(d.ContainerPort))))
		}
	}
	if !ok || len(declared) == 0 {
		return ""
	}
	return fmt.Sprintf("no container declares port %s (declared: %s)", clean(port.String()), strings.Join(declared, ", "))
}
