package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/probe"
)

// attempt runs one attempt of a probe in a goroutine of its own and hands its result to the core.
func (r *runner) attempt(e lifecycle.RunProbe) {
	key := attemptKey{e.Container, e.Type}
	ctx, cancel := context.WithCancel(r.ctx)
	r.attempts[key] = cancel
	inst := r.instances[e.Container]
	prober := r.prober(r.container(e.Container), inst, e.Probe)
	r.running.Go(func() {
		defer cancel()
		began := time.Now()
		held := r.node.pulse.heldUp(began)
		result := safely(ctx, prober)
		latency := time.Since(began)
		if result.Outcome == probe.Failure && inst.dead() {
			return // a dead process says nothing; its exit is about to be reported (R34)
		}
		result = excuse(result, latency, time.Duration(e.Probe.TimeoutSeconds)*time.Second, r.node.pulse.heldUp(time.Now())-held)
		if errors.Is(result.Err, probe.ErrStopped) && ctx.Err() != nil {
			return // nobody waits for it any more
		}
		r.post(func() {
			if !inst.ended() {
				r.attempted(e, result, began, latency)
			}
		})
	})
}

func (r *runner) cancelAttempt(key attemptKey) {
	if cancel := r.attempts[key]; cancel != nil {
		cancel()
	}
}

func (r *runner) attempted(e lifecycle.RunProbe, result probe.Result, began time.Time, latency time.Duration) {
	o, output := outcome(result)
	r.on(lifecycle.ProbeDone{Container: e.Container, Instance: e.Instance, Type: e.Type, Outcome: o, Output: output})
	r.writeReport(e, result, began, latency)
}

// safely turns a panic of a prober into an error of the attempt: one broken probe must not end the supervision of all others (R16).
func safely(ctx context.Context, p probe.Prober) (result probe.Result) {
	defer func() {
		if cause := recover(); cause != nil {
			result = probe.Result{Outcome: probe.Unknown, Err: fmt.Errorf("the probe panicked: %v", cause)}
		}
	}()
	return p.Probe(ctx)
}

// unresolvable is the prober of a probe that cannot be evaluated (R47, R76).
type unresolvable struct{ err error }

func (u unresolvable) Probe(context.Context) probe.Result {
	return probe.Result{Outcome: probe.Unknown, Err: u.err}
}

// errNoHandler is said of a probe without a handler that anyone knows; validation refuses such a probe (R49).
var errNoHandler = errors.New("the probe has no handler")

// prober makes the prober of an attempt. It runs on the runner's goroutine; what it returns does not touch the runner.
func (r *runner) prober(c *corev1.Container, inst *instance, p *corev1.Probe) probe.Prober {
	if p.Exec != nil {
		return probe.Exec{
			Command: expandAll(p.Exec.Command, inst.env.lookupStatic),
			Env:     inst.env.list(),
			Dir:     inst.dir,
			Timeout: time.Duration(p.TimeoutSeconds) * time.Second,
			Starter: execStarter{r.node.opts.Starter, string(r.pod.UID) + "/probe"},
		}
	}
	host, port, ok := address(p)
	if !ok {
		return unresolvable{errNoHandler}
	}
	t, err := r.ports.resolve(c, host, port)
	if err != nil {
		return unresolvable{err}
	}
	if t.foreign {
		return networkProber(p, t, r.node.client)
	}
	return &guarded{identity: &r.identity, tree: treeOf(r.processes()), target: t, probe: p, client: r.node.client, moved: r.portIgnored}
}

// writeReport stores what a person wants to see of the last attempt.
func (r *runner) writeReport(e lifecycle.RunProbe, result probe.Result, began time.Time, latency time.Duration) {
	record := ProbeRecord{
		Container: e.Container, Type: e.Type, Outcome: result.Outcome.String(), Output: result.Output,
		Latency: latency, Time: metav1.NewMicroTime(began),
	}
	if result.Err != nil {
		record.Outcome, record.Output = "error", result.Err.Error()
	}
	for _, s := range r.state.Probes() {
		if s.Container == e.Container && s.Type == e.Type {
			record.Result, record.Run, record.Threshold, record.Hold = s.Result, s.Run, s.Threshold, s.Hold
		}
	}
	r.storeReport(record)
}
