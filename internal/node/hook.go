package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/probe"
)

// errTCPHook is the error of every tcpSocket hook: it passes validation and fails when it runs
// (R145).
var errTCPHook = errors.New("cannot run a tcpSocket hook: Kubernetes has no such handler at run time")

// hooks runs the lifecycle hooks of a Pod's containers.
type hooks struct {
	loop     *loop
	pod      *corev1.Pod
	running  instances
	commands execStarter
	ports    *portWatch
	client   *probe.HTTPClient
	traffic  *podTraffic
	object   *podObject
	log      *slog.Logger
}

// hookFunc performs a hook. It runs in a goroutine of its own and does not touch the state of the
// loop.
type hookFunc func(context.Context) error

// run runs a hook in a goroutine of its own. The end of its container is its only time limit
// (R142). Before a preStop hook the Pod leaves the routes.
func (h *hooks) run(e lifecycle.RunHook) {
	inst := h.running[e.Container]
	if e.Hook == lifecycle.PreStop {
		h.traffic.withdraw(inst)
	}
	hook := h.handler(containerNamed(&h.pod.Spec, e.Container), inst, e.Handler)
	h.loop.start(func() {
		err := hook(inst.ctx)
		if inst.ctx.Err() != nil {
			return // the end of the instance cut it off, and nobody waits for it
		}
		if err != nil {
			// The text stays out of Events, as in Kubernetes (R140); the log has it.
			h.log.Warn("Hook failed", "container", e.Container, "hook", e.Hook, "error", err)
		}
		done := lifecycle.HookDone{Container: e.Container, Instance: e.Instance, Hook: e.Hook, Err: err}
		h.loop.post(func() { h.loop.on(done) })
	})
}

// handler chooses what performs a hook.
func (h *hooks) handler(c *corev1.Container, inst *instance, handler *corev1.LifecycleHandler) hookFunc {
	switch {
	case handler.Exec != nil:
		command, err := h.commands.exec(handler.Exec.Command, inst.program, noTimeout)
		if err != nil {
			return func(context.Context) error { return err }
		}
		return execHook(command)
	case handler.HTTPGet != nil:
		to, err := h.httpTarget(c, handler.HTTPGet)
		if err != nil {
			return func(context.Context) error { return err }
		}
		return h.httpHook(httpGet(handler.HTTPGet, to, h.client))
	case handler.Sleep != nil:
		return sleepHook(time.Duration(handler.Sleep.Seconds) * time.Second)
	default:
		return func(context.Context) error { return errTCPHook }
	}
}

// noTimeout is the timeout of a hook that has none: longer than any Pod lives.
const noTimeout = 100 * 365 * 24 * time.Hour

// execHook fails if the command does, or cannot be run.
func execHook(command probe.Exec) hookFunc {
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

// httpTarget is where an httpGet hook goes: as a probe's, the request is for the Pod's own socket.
func (h *hooks) httpTarget(c *corev1.Container, get *corev1.HTTPGetAction) (target, error) {
	to, err := h.ports.allocation.ports.resolve(c, get.Host, get.Port)
	if err != nil {
		return target{}, err
	}
	to, verdict := h.ports.find(to, h.running)
	return to, verdictError(verdict)
}

// verdictError is why there is nothing to attempt; nil if there is.
func verdictError(verdict *probe.Result) error {
	switch {
	case verdict == nil:
		return nil
	case verdict.Err != nil:
		return verdict.Err
	}
	return errors.New(verdict.Output)
}

// httpHook succeeds on any response (R143).
func (h *hooks) httpHook(get probe.HTTPGet) hookFunc {
	return func(ctx context.Context) error {
		fallback, err := probe.LifecycleHTTP(ctx, get)
		if fallback {
			message := fmt.Sprintf("request to HTTPS lifecycle hook %s:%d got HTTP response, retry with HTTP succeeded", get.Host, get.Port)
			h.loop.post(func() { h.object.record("", corev1.EventTypeWarning, "LifecycleHTTPFallback", message) })
		}
		return err
	}
}

// sleepHook waits; it fails only if it is cut off.
func sleepHook(d time.Duration) hookFunc {
	return func(ctx context.Context) error {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
