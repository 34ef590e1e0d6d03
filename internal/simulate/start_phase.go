package simulate

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/simulate/script"
)

// startPhase says where among the ticks of a Pod's probes a container starts for the first time.
// The ticks of all its probes count from one moment (R3, R7). By itself a container starts at any
// moment between them. What comes behind a sidecar's startup probe starts when that has succeeded,
// and so at one of its ticks (R174): of a probe with the same period, a whole period remains then.
type startPhase struct {
	// sidecar is the one whose startup probe it waits for; "" if it starts at any moment.
	sidecar string
	// period is that of the sidecar's startup probe, and after how long behind one of its ticks the
	// container starts.
	period, after time.Duration
}

// startPhaseOf walks through what happens before a container starts.
func startPhaseOf(pod *corev1.PodSpec, container string, program func(container string) script.Program) (at startPhase) {
	// takes time that is known, or not
	pass := func(d script.Distribution) {
		if !d.IsFixed() {
			at = startPhase{}
		}
		at.after += d.A
	}
	for i, c := range lifecycle.Containers(pod) {
		if c.Name == container {
			break
		}
		p, isInit := program(c.Name), i < len(pod.InitContainers)
		switch {
		case isInit && !isSidecar(c):
			if p.Exit != nil {
				pass(p.Exit.After)
			}
		case isInit && c.StartupProbe != nil:
			at = behindProbe(c, p)
		default:
			pass(postStart(c, p))
		}
	}
	return at
}

// behindProbe is where a container starts that waits for the startup probe of a sidecar. An answer
// that was waited for, or a connection that was tried for again (R93), comes between the ticks.
func behindProbe(c *corev1.Container, p script.Program) startPhase {
	waits := p.Before.Kind == script.ReplyHang || p.Before.Kind == script.ReplyRefused && c.StartupProbe.GRPC != nil
	if waits && !p.Startup.IsZero() {
		return startPhase{}
	}
	at := startPhase{sidecar: c.Name, period: seconds(c.StartupProbe.PeriodSeconds)}
	if c.StartupProbe.TCPSocket == nil {
		at.after = p.Latency.Quantile(0.5)
	}
	return at
}

// postStart is how long the hook at the start of a container takes, as [scripted.Hook] has it:
// nothing else of the Pod is started meanwhile (R140).
func postStart(c *corev1.Container, p script.Program) script.Distribution {
	if c.Lifecycle == nil || c.Lifecycle.PostStart == nil {
		return script.Distribution{}
	}
	hook := c.Lifecycle.PostStart
	switch {
	case hook.Sleep != nil:
		return script.Fixed(time.Duration(hook.Sleep.Seconds) * time.Second)
	case p.PostStart.IsZero() && hook.Exec != nil:
		return script.Fixed(sleeps(hook.Exec.Command))
	}
	return p.PostStart
}

// firstTicks are when, behind its initial delay, the first attempt of a probe can come; all are
// equally likely. It is nil if that is any moment within a period.
func (at startPhase) firstTicks(delay, period time.Duration) (ticks []time.Duration) {
	if at.sidecar == "" {
		return nil
	}
	grid := time.Duration(greatestDivisor(int64(period), int64(at.period)))
	for tick := time.Duration(0); tick < period; tick += grid {
		since := (tick + at.after + delay) % period // the last tick, when the initial delay is over
		ticks = append(ticks, (period-since)%period)
	}
	return ticks
}
