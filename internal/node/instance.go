package node

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"syscall"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/process"
)

// instance is one run of a container.
type instance struct {
	id string
	// done when the process is gone: then its hooks end too, as with a container's PID namespace
	ctx     context.Context
	gone    context.CancelFunc
	env     *environment
	dir     string
	process process.Process
	signal  syscall.Signal // the stop signal, once it was sent
}

// ended says whether the process is gone.
func (i *instance) ended() bool {
	select {
	case <-i.process.Done():
		return true
	default:
		return false
	}
}

// dead says whether the process is gone, or dead while the rest of its tree still has to be. It
// asks the kernel.
func (i *instance) dead() bool { return i.ended() || process.Dead(i.process.PID()) }

// start prepares an instance and starts its process. Everything that may block happens in a
// goroutine of its own; it lives as long as the process.
func (r *runner) start(e lifecycle.StartContainer) {
	c := r.container(e.Container)
	inst := &instance{id: e.Instance}
	inst.ctx, inst.gone = context.WithCancel(r.ctx)
	spec, err := r.prepare(c, inst)
	if err != nil {
		inst.gone()
		failed := lifecycle.StartFailed{Container: c.Name, Instance: inst.id, Reason: "CreateContainerConfigError", Message: err.Error()}
		r.post(func() { r.on(failed) })
		return
	}
	r.running.Go(func() { r.runInstance(c, inst, spec, e.Restarts) })
}

// prepare evaluates what the instance needs from the manifest.
func (r *runner) prepare(c *corev1.Container, inst *instance) (process.Spec, error) {
	if r.ports == nil {
		ports, err := newPodPorts(r.pod, r.node.takePort)
		if err != nil {
			return process.Spec{}, err
		}
		r.ports = ports
	}
	if r.volumes == nil {
		volumes, err := makeVolumes(r.pod, r.node.objects, filepath.Join(r.dir, "volumes"))
		if err != nil {
			return process.Spec{}, err
		}
		r.volumes = volumes
	}
	injected := r.ports.variables(c)
	maps.Copy(injected, r.volumes)
	left := r.roomFor(c.Name)
	before := left.left
	env, err := newEnvironment(r.pod, c, r.node.objects, r.node.opts.Environ, injected, left)
	if err != nil {
		return process.Spec{}, err
	}
	line, err := commandLine(r.pod, c)
	if err != nil {
		return process.Spec{}, err
	}
	argv, err := left.expand(line, env.lookup, func(word int) string { return commandField(r.pod, c, word) })
	if err != nil {
		return process.Spec{}, err
	}
	r.strings[c.Name] = before - left.left
	inst.env, inst.dir = env, workingDir(r.pod, c)
	owner := fmt.Sprintf("%s/%s/%s", r.pod.Namespace, r.pod.Name, c.Name)
	return process.Spec{Argv: argv, Env: env.list(), Dir: inst.dir, Container: owner, OOMScore: r.score(c)}, nil
}

// roomFor is what the strings of a container may take beside those of the Pod's other containers.
func (r *runner) roomFor(container string) *room {
	left := newRoom()
	for name, bytes := range r.strings {
		if name != container {
			left.left -= bytes
		}
	}
	return left
}

// runInstance starts the process, says so, waits for its end and says that.
func (r *runner) runInstance(c *corev1.Container, inst *instance, spec process.Spec, restarts int) {
	defer inst.gone()
	p, log, err := r.launch(c, spec, restarts)
	if err != nil {
		failed := startFailure(c.Name, inst.id, err)
		r.post(func() { r.on(failed) })
		return
	}
	r.post(func() {
		inst.process = p
		r.instances[c.Name] = inst
		r.statusDirty = true
		r.on(lifecycle.Started{Container: c.Name, Instance: inst.id, At: p.StartedAt()})
		r.watchPorts(inst)
	})
	<-p.Done()
	// Nobody waits here, neither for the Pod's own goroutine nor for the log, as clients are being
	// refused.
	r.node.opts.Traffic.Withdraw(r.pod.UID)
	exit := p.Exit()
	r.post(func() { r.left(c, inst, exit) })
	r.closeLog(c, log)
	r.post(func() {
		delete(r.instances, c.Name)
		r.statusDirty = true
		r.explainExit(c, exit)
		r.on(lifecycle.Exited{Container: c.Name, Instance: inst.id, ExitCode: int32(exit.Code), Signal: int32(exit.Signal), At: exit.At})
	})
}

// launch opens the log and starts the process that writes to it.
func (r *runner) launch(c *corev1.Container, spec process.Spec, restarts int) (process.Process, *process.Log, error) {
	log, err := r.node.logs.Open(process.LogOptions{Dir: filepath.Join(r.dir, c.Name), Instance: restarts, OnError: func(err error) {
		r.log.Error("Cannot keep the output", "container", c.Name, "error", err)
	}})
	if err != nil {
		return nil, nil, err
	}
	if r.node.opts.Follow != nil {
		r.follow(c, log)
	}
	spec.Stdout, spec.Stderr = log.Stdout(), log.Stderr()
	p, err := r.node.opts.Starter.Start(spec)
	log.CloseWriters()
	if err != nil {
		r.closeLog(c, log)
		return nil, nil, err
	}
	return p, log, nil
}

// follow hands the lines of a log to whoever wants them live. The goroutine ends with the log.
func (r *runner) follow(c *corev1.Container, log *process.Log) {
	follower := log.Follow(0)
	r.running.Go(func() {
		for entry := range follower.Entries() {
			r.node.opts.Follow(r.pod, c.Name, entry)
		}
		if dropped := follower.Dropped(); dropped > 0 {
			r.log.Warn("Lines were left out, as nobody took them in time; the log files have them", "container", c.Name, "lines", dropped)
		}
	})
}

func (r *runner) closeLog(c *corev1.Container, log *process.Log) {
	if err := log.Close(); err != nil {
		r.log.Warn("Output is incomplete", "container", c.Name, "dropped", log.Dropped(), "error", err)
	}
}

// startFailure tells a program that cannot run from a machine that lacks something: the first is an
// instance that failed, the second is not (R26).
func startFailure(container, id string, err error) lifecycle.StartFailed {
	reason := "RunContainerError"
	if errors.Is(err, process.ErrShortage) || errors.Is(err, process.ErrShepherdGone) {
		reason = "CreateContainerError"
	}
	return lifecycle.StartFailed{Container: container, Instance: id, Reason: reason, Message: err.Error()}
}

// current is the running instance of a container, if it is that one.
func (r *runner) current(container, id string) *instance {
	if inst := r.instances[container]; inst != nil && inst.id == id {
		return inst
	}
	return nil
}

// stop takes the Pod out of the routes and sends the stop signal. A process that is gone already
// needs none.
func (r *runner) stop(e lifecycle.StopContainer) {
	inst := r.current(e.Container, e.Instance)
	if inst == nil {
		return
	}
	r.withdraw(inst)
	r.drained(inst, func() {
		inst.signal = signalNumber(e.Signal)
		if err := inst.process.Signal(inst.signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
			r.log.Error("Cannot send the stop signal", "container", e.Container, "signal", e.Signal, "error", err)
		}
	})
}

func (r *runner) kill(e lifecycle.KillContainer) {
	inst := r.current(e.Container, e.Instance)
	if inst == nil {
		return
	}
	r.withdraw(inst)
	if err := inst.process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		r.log.Error("Cannot kill the process", "container", e.Container, "pid", inst.process.PID(), "error", err)
	}
}

// processes lists the running processes of the Pod.
func (r *runner) processes() []process.Process {
	var all []process.Process
	for _, inst := range r.instances {
		all = append(all, inst.process)
	}
	return all
}
