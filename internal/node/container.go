package node

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/process"
)

// containers starts, stops and kills the instances of a Pod's containers, and reports their starts
// and ends to the core.
type containers struct {
	loop     *loop
	pod      *corev1.Pod
	running  instances
	programs programs
	launcher *launcher
	ports    *portWatch
	report   *reportWriter
	traffic  *podTraffic
	// of people's questions about the past
	recording *recording
	object    *podObject
	log       *slog.Logger
}

// start prepares an instance and starts its process. Everything that may block happens in a
// goroutine of its own, which lives as long as the process.
func (c *containers) start(e lifecycle.StartContainer) {
	spec := containerNamed(&c.pod.Spec, e.Container)
	program, err := c.programs.of(spec)
	if err != nil {
		failed := lifecycle.StartFailed{Container: e.Container, Instance: e.Instance, Reason: "CreateContainerConfigError", Message: err.Error()}
		c.loop.post(func() { c.loop.on(failed) })
		return
	}
	inst := &instance{id: e.Instance, number: e.Restarts, program: program}
	inst.ctx, inst.gone = context.WithCancel(c.loop.ctx)
	c.loop.start(func() { c.run(spec, inst) })
}

// run starts the process, waits for its end, and posts both.
func (c *containers) run(spec *corev1.Container, inst *instance) {
	defer inst.gone()
	c.traffic.starting(spec.Name)
	p, output, err := c.launcher.launch(spec.Name, inst.program.spec(), inst.number)
	if err != nil {
		c.traffic.notStarted(spec.Name)
		failed := startFailure(spec.Name, inst.id, err)
		c.loop.post(func() { c.loop.on(failed) })
		return
	}
	c.loop.post(func() { c.started(spec, inst, p, output) })
	<-p.Done()
	// At once, without waiting for the Pod's own goroutine or for the log: clients are being
	// refused.
	c.traffic.withdrawNow()
	exit := p.Exit()
	c.traffic.ended(spec.Name, exit)
	c.loop.post(func() { c.traffic.exited(spec, inst, exit) })
	c.launcher.closeOutput(spec.Name, output)
	lines := c.launcher.lastLines(spec.Name, inst.number)
	c.loop.post(func() { c.exited(spec, inst, exit, lines) })
}

func (c *containers) started(spec *corev1.Container, inst *instance, p process.Process, output *process.Log) {
	inst.process, inst.output = p, output
	c.running[spec.Name] = inst
	c.object.stale = true
	c.recording.started(spec.Name, inst)
	c.loop.on(lifecycle.Started{Container: spec.Name, Instance: inst.id, At: p.StartedAt()})
	c.ports.watch(inst, c.running)
}

func (c *containers) exited(spec *corev1.Container, inst *instance, exit process.Exit, lines []string) {
	delete(c.running, spec.Name)
	c.recording.ended(spec.Name, inst, exit, lines)
	c.object.stale = true
	c.report.forget(spec.Name, time.Now())
	if message := portInUse(c.pod, spec, exit, c.ports.owners.among(c.running.processes()), c.ports.holders.describe); message != "" {
		c.object.explain(fieldPath(&c.pod.Spec, spec.Name), corev1.EventTypeWarning, "PortInUse", message)
	}
	if hasFailed(exit) {
		c.ports.renew(spec, c.running)
	}
	c.loop.on(lifecycle.Exited{Container: spec.Name, Instance: inst.id, ExitCode: int32(exit.Code), Signal: int32(exit.Signal), Reason: endReason(exit), At: exit.At})
}

// endReason is why a process ended, where its exit code does not tell.
func endReason(exit process.Exit) string {
	if exit.OutOfMemory {
		return "OOMKilled"
	}
	return ""
}

// stop takes the Pod out of the routes, waits for requests in flight and sends the stop signal. A
// process that is gone already needs none.
func (c *containers) stop(e lifecycle.StopContainer) {
	inst := c.running.find(e.Container, e.Instance)
	if inst == nil {
		return
	}
	c.traffic.withdraw(inst)
	c.traffic.drain(inst, func() {
		inst.signal = signalNumber(e.Signal)
		if err := inst.process.Signal(inst.signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
			c.log.Error("Cannot send the stop signal", "container", e.Container, "signal", e.Signal, "error", err)
		}
	})
}

// kill takes the Pod out of the routes and kills the process with its tree.
func (c *containers) kill(e lifecycle.KillContainer) {
	inst := c.running.find(e.Container, e.Instance)
	if inst == nil {
		return
	}
	c.traffic.withdraw(inst)
	if err := inst.process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		c.log.Error("Cannot kill the process", "container", e.Container, "pid", inst.process.PID(), "error", err)
	}
}
