package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/process"
)

// NotRunningError says that there is no running instance of a container, and so nothing to use.
type NotRunningError struct{ Container string }

func (e *NotRunningError) Error() string {
	return fmt.Sprintf("container %s does not run", e.Container)
}

// Exit codes of commands that could not be started, as shells have them.
const (
	exitNotExecutable = 126
	exitNotFound      = 127
)

// Exec runs a command beside the program of a running container, with its environment, folder and
// namespace, and returns its exit code, or 128 + n if signal n ended it. The command is killed,
// with all that it has started, when the context ends, when the container does, and when nobody
// takes what it writes; what it has left running is killed when it has ended. Why it could not be
// started is written to where its errors go, as a shell does, with exit code 127 or 126. The error
// is a [*NotRunningError], or that of a machine that is short of something.
func (n *Node) Exec(ctx context.Context, pod types.UID, container string, command []string, s process.Streams) (int, error) {
	r := n.runner(pod)
	if r == nil {
		return 0, &NotRunningError{container}
	}
	console, err := process.OpenConsole(s)
	if err != nil {
		return 0, err
	}
	defer console.Close()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	e := &execution{container: container, command: command, console: console, ctx: ctx, started: make(chan error, 1), ended: make(chan struct{})}
	r.loop.post(func() { r.containers.exec(e) })
	if err := e.awaitStart(r.gone); err != nil {
		return notStarted(s, err)
	}
	console.Carry(e.ended, cancel)
	return e.code, nil
}

// notStarted says what a command's user has to know that did not start.
func notStarted(s process.Streams, err error) (int, error) {
	failed, ok := errors.AsType[*process.StartError](err)
	_, noNamespace := errors.AsType[*process.NamespaceError](err)
	if !ok || noNamespace || errors.Is(err, process.ErrShortage) {
		return 0, err
	}
	to := s.Stderr
	if s.Terminal {
		to = s.Stdout
	}
	if to != nil {
		_, _ = fmt.Fprintln(to, failed) // whoever is gone need not know
	}
	if errors.Is(err, fs.ErrNotExist) {
		return exitNotFound, nil
	}
	return exitNotExecutable, nil
}

// execution is a command that somebody runs beside the program of a container. The goroutine that
// has started it is the Pod's, so that nothing is left of it when the Pod is gone; its streams are
// carried by whoever waits for it, so that the Pod need not wait for them.
type execution struct {
	container string
	command   []string
	console   *process.Console
	ctx       context.Context
	started   chan error    // has room for one
	ended     chan struct{} // closed when nothing of it is left
	code      int           // written before that
}

// awaitStart waits until the process runs, or is not going to.
func (e *execution) awaitStart(gone <-chan struct{}) error {
	select {
	case err := <-e.started:
		return err
	case <-gone:
	}
	select {
	case err := <-e.started: // it came just before the end
		return err
	default:
		return &NotRunningError{e.container}
	}
}

// exec runs a command beside a container. It belongs to the loop's goroutine.
func (c *containers) exec(e *execution) {
	inst := c.running[e.container]
	if inst == nil || inst.ended() {
		e.started <- &NotRunningError{e.container}
		return
	}
	spec := inst.program.beside(e.command, string(c.pod.UID)+"/exec")
	e.console.Place(&spec)
	if spec.Terminal {
		spec.Env = append(spec.Env, "TERM=xterm") // as container runtimes say it
	}
	c.loop.start(func() { e.run(c.launcher.starter, spec, inst, c.killFailed) })
}

// run starts the process and ends it when its time is over.
func (e *execution) run(starter process.Starter, spec process.Spec, inst *instance, failed func(process.Process, error)) {
	p, err := starter.Start(spec)
	e.console.Release()
	e.started <- err
	if err != nil {
		return
	}
	select {
	case <-p.Done():
	case <-e.ctx.Done():
	case <-inst.process.Done():
	}
	if err := p.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		failed(p, err)
	}
	<-p.Done()
	e.code = p.Exit().Code
	close(e.ended)
}

// killFailed logs that a process could not be killed.
func (c *containers) killFailed(p process.Process, err error) {
	c.log.Error("Cannot kill the process of a command", "pid", p.PID(), "error", err)
}

// beside is a command that runs with the program of a container, and is no part of it. owner is for
// people.
func (p *invocation) beside(argv []string, owner string) process.Spec {
	return process.Spec{Argv: argv, Env: p.env.List(), Dir: p.dir, Container: owner, OOMScore: p.oomScore, Namespace: p.namespace}
}
