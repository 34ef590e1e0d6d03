package node

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/probe"
)

// errTCPHook is what becomes of a tcpSocket hook: it passes validation and fails when it runs
// (R145).
var errTCPHook = errors.New("cannot run a tcpSocket hook: Kubernetes has no such handler at run time")

// hook runs a lifecycle hook in a goroutine of its own. The end of its container is its only time
// limit (R142).
func (r *runner) hook(e lifecycle.RunHook) {
	inst := r.instances[e.Container]
	if e.Hook == lifecycle.PreStop {
		r.withdraw(inst)
	}
	run := r.hookFunc(r.container(e.Container), inst, e.Handler)
	r.running.Go(func() {
		err := run(inst.ctx)
		if inst.ctx.Err() != nil {
			return // it was cut off, and nobody waits for it
		}
		if err != nil {
			// The text stays out of Events, as in Kubernetes (R140); the log has it.
			r.log.Warn("Hook failed", "container", e.Container, "hook", e.Hook, "error", err)
		}
		r.post(func() {
			r.on(lifecycle.HookDone{Container: e.Container, Instance: e.Instance, Hook: e.Hook, Err: err})
		})
	})
}

// hookFunc chooses the handler on the runner's goroutine; what it returns does not touch the
// runner's state.
func (r *runner) hookFunc(c *corev1.Container, inst *instance, h *corev1.LifecycleHandler) func(context.Context) error {
	switch {
	case h.Exec != nil:
		return r.execHook(c, inst, h.Exec)
	case h.HTTPGet != nil:
		t, err := r.ports.resolve(c, h.HTTPGet.Host, h.HTTPGet.Port)
		if err != nil {
			return func(context.Context) error { return err }
		}
		return r.httpHook(httpGet(h.HTTPGet, t, r.node.client))
	case h.Sleep != nil:
		return func(ctx context.Context) error { return sleep(ctx, time.Duration(h.Sleep.Seconds)*time.Second) }
	default:
		return func(context.Context) error { return errTCPHook }
	}
}

// noTimeout is the timeout of a hook that has none: longer than any Pod lives.
const noTimeout = 100 * 365 * 24 * time.Hour

func (r *runner) execHook(c *corev1.Container, inst *instance, action *corev1.ExecAction) func(context.Context) error {
	h := handler{action.Command, "exec.command"}
	line, err := newRoom().expand(h.command, inst.env.lookupStatic, h.word)
	if err != nil {
		return func(context.Context) error { return err }
	}
	command := probe.Exec{
		Command: line,
		Env:     inst.env.list(),
		Dir:     inst.dir,
		Timeout: noTimeout,
		Starter: execStarter{r.node.opts.Starter, string(r.pod.UID) + "/hook", r.score(c)},
	}
	return func(ctx context.Context) error {
		result := command.Probe(ctx)
		switch {
		case result.Err != nil:
			return result.Err
		case result.Outcome != probe.Success:
			return fmt.Errorf("%s: %s", strings.Join(command.Command, " "), strings.TrimSpace(result.Output))
		}
		return nil
	}
}

// httpHook succeeds on any response (R143).
func (r *runner) httpHook(get probe.HTTPGet) func(context.Context) error {
	return func(ctx context.Context) error {
		fallback, err := probe.LifecycleHTTP(ctx, get)
		if fallback {
			message := fmt.Sprintf("request to HTTPS lifecycle hook %s:%d got HTTP response, retry with HTTP succeeded", get.Host, get.Port)
			r.post(func() { r.record("", corev1.EventTypeWarning, "LifecycleHTTPFallback", message) })
		}
		return err
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
