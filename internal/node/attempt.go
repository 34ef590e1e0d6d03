package node

import (
	"errors"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/probe"
	"github.com/probity-run/probity/probe/engine"
)

// trial is an attempt in flight.
type trial struct {
	lifecycle.RunProbe
	instance *instance
	began    time.Time
	held     time.Duration // what the pulse said then
	calm     bool          // a success would change nothing
}

// attempt starts one attempt of a probe. The engine makes it and hands its result to the runner.
func (r *runner) attempt(e lifecycle.RunProbe) {
	now := time.Now()
	t := trial{e, r.instances[e.Container], now, r.node.pulse.heldUp(now), r.state.Calm(e.Container, e.Type)}
	prober, verdict := r.prober(t)
	if verdict != nil {
		r.post(func() { r.attempted(t, *verdict, time.Since(t.began)) })
		return
	}
	// The callback runs on the engine's loop, which serves all Pods.
	r.attempts[attemptKey{e.Container, e.Type}] = r.node.engine.Go(prober, func(result probe.Result) {
		took := time.Since(t.began)
		report := func() { r.attempted(t, result, took) }
		if t.calm && result.Outcome == probe.Success && result.Err == nil {
			r.node.calm.later(func() { r.post(report) })
			return
		}
		r.post(report)
	})
}

func (r *runner) cancelAttempt(key attemptKey) {
	if cancel := r.attempts[key]; cancel != nil {
		cancel()
	}
}

// attempted hands a result to the core, unless it says nothing about the service.
func (r *runner) attempted(t trial, result probe.Result, took time.Duration) {
	if errors.Is(result.Err, probe.ErrStopped) || t.instance.ended() || result.Outcome == probe.Failure && t.instance.dead() {
		return // cancelled, or a dead process whose exit is about to be reported (R34)
	}
	result = excuse(result, took, time.Duration(t.Probe.TimeoutSeconds)*time.Second, r.node.pulse.heldUp(t.began.Add(took))-t.held)
	o, output := outcome(result)
	r.on(lifecycle.ProbeDone{Container: t.Container, Instance: t.Instance, Type: t.Type, Outcome: o, Output: output})
	r.writeReport(t, result, took)
}

// errNoHandler is said of a probe without a handler that anyone knows; validation refuses such a
// probe (R49).
var errNoHandler = errors.New("the probe has no handler")

// prober finds what makes an attempt, or a verdict that stands without one.
func (r *runner) prober(t trial) (probe.Prober, *probe.Result) {
	if t.Probe.Exec != nil {
		return r.execProber(t)
	}
	host, port, ok := address(t.Probe)
	if !ok {
		return nil, unevaluable(errNoHandler)
	}
	to, err := r.ports.resolve(r.container(t.Container), host, port)
	if err != nil {
		return nil, unevaluable(err)
	}
	if !to.foreign {
		if verdict := r.locate(&to); verdict != nil {
			return nil, verdict
		}
	}
	return r.formatted(attemptKey{t.Container, t.Type}, t.Probe, to), nil
}

// unevaluable is the verdict on a probe that cannot be attempted (R47, R76).
func unevaluable(err error) *probe.Result {
	return &probe.Result{Outcome: probe.Unknown, Err: err}
}

func (r *runner) execProber(t trial) (probe.Prober, *probe.Result) {
	h := handler{t.Probe.Exec.Command, "exec.command"}
	command, err := newRoom().expand(h.command, t.instance.env.lookupStatic, h.word)
	if err != nil {
		return nil, unevaluable(err)
	}
	return probe.Exec{
		Command: command,
		Env:     t.instance.env.list(),
		Dir:     t.instance.dir,
		Timeout: time.Duration(t.Probe.TimeoutSeconds) * time.Second,
		Starter: execStarter{r.node.opts.Starter, string(r.pod.UID) + "/probe", r.score(r.container(t.Container))},
	}, nil
}

// preparedProbe is a probe over the network, formatted for the engine as long as its target stays
// the same.
type preparedProbe struct {
	target target
	probe  *engine.Probe
}

func (r *runner) formatted(key attemptKey, p *corev1.Probe, to target) probe.Prober {
	if prepared, ok := r.prepared[key]; ok && prepared.target == to {
		return prepared.probe
	}
	prepared := preparedProbe{to, r.node.engine.Prepare(networkProber(p, to, r.node.client))}
	r.prepared[key] = prepared
	return prepared.probe
}

// writeReport stores what a person wants to see of the last attempt.
func (r *runner) writeReport(t trial, result probe.Result, took time.Duration) {
	record := ProbeRecord{
		Container: t.Container, Type: t.Type, Outcome: result.Outcome.String(), Output: result.Output,
		Latency: took, Time: metav1.NewMicroTime(t.began),
	}
	if result.Err != nil {
		record.Outcome, record.Output = "error", result.Err.Error()
	}
	for _, s := range r.state.Probes() {
		if s.Container == t.Container && s.Type == t.Type {
			record.Result, record.Run, record.Threshold, record.Hold = s.Result, s.Run, s.Threshold, s.Hold
		}
	}
	r.storeReport(record)
}
