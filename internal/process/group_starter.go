package process

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// GroupStarter is the [Starter] of systems without a shepherd. The process has a group of its own,
// which is signalled and, at the end of the process, killed; descendants that left the group, and
// all of them when Probity itself is killed, are not found. The zero value is ready.
//
// It is compiled on Linux too, because most runs of its tests are there; nothing else uses it
// there.
type GroupStarter struct{}

// Start starts spec; see [Starter].
func (GroupStarter) Start(spec Spec) (Process, error) {
	c, err := resolve(spec)
	if err != nil {
		return nil, err
	}
	cmd := &exec.Cmd{
		Path: c.path, Args: c.argv, Env: c.env, Dir: c.dir,
		SysProcAttr: &syscall.SysProcAttr{Setpgid: !spec.Terminal, Setsid: spec.Terminal, Setctty: spec.Terminal},
	}
	// A typed nil would not be /dev/null.
	if spec.Stdin != nil {
		cmd.Stdin = spec.Stdin
	}
	if spec.Stdout != nil {
		cmd.Stdout = spec.Stdout
	}
	if spec.Stderr != nil {
		cmd.Stderr = spec.Stderr
	}
	if err := cmd.Start(); err != nil {
		return nil, groupStartError(c, err)
	}
	p := &groupProcess{cmd: cmd, startedAt: time.Now(), done: make(chan struct{})}
	go p.wait()
	return p, nil
}

func groupStartError(c command, err error) error {
	errno, ok := errors.AsType[syscall.Errno](err)
	if !ok {
		return startError(c.argv[0], c.path, c.dir, stepGroup, err)
	}
	if errno == syscall.EAGAIN || errno == syscall.ENOMEM {
		return startError(c.argv[0], c.path, c.dir, stepFork, errno)
	}
	return startError(c.argv[0], c.path, c.dir, stepExec, errno)
}

// groupProcess owns the goroutine wait, which ends with the process.
type groupProcess struct {
	cmd       *exec.Cmd
	startedAt time.Time
	done      chan struct{}
	exit      Exit // written before done is closed
}

func (p *groupProcess) wait() {
	// The error repeats the state, which is read instead.
	_ = p.cmd.Wait()
	at := time.Now()
	status, _ := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	// A group id is not reused while the group has a member.
	_ = syscall.Kill(-p.PID(), syscall.SIGKILL)
	p.exit = exitOf(status, at, nil)
	close(p.done)
}

func (p *groupProcess) PID() int              { return p.cmd.Process.Pid }
func (p *groupProcess) StartedAt() time.Time  { return p.startedAt }
func (p *groupProcess) Done() <-chan struct{} { return p.done }
func (p *groupProcess) Kill() error           { return p.Signal(syscall.SIGKILL) }

func (p *groupProcess) Signal(sig syscall.Signal) error {
	select {
	case <-p.done:
		return os.ErrProcessDone
	default:
		return done(signalGroup(p.PID(), sig))
	}
}

func (p *groupProcess) Exit() Exit {
	select {
	case <-p.done:
		return p.exit
	default:
		return Exit{}
	}
}

// done turns "no such process" into the error that callers know.
func done(err error) error {
	if errors.Is(err, syscall.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}
