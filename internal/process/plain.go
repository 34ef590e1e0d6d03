package process

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// Plain is the Starter for systems without a shepherd. The process has a group of
// its own, which is signalled and, at its end, killed; descendants that left the
// group, and all of them when Probity itself is killed, are not found. The zero
// value is ready.
type Plain struct{}

// Start starts spec; see [Starter].
func (Plain) Start(spec Spec) (Process, error) {
	c, err := resolve(spec)
	if err != nil {
		return nil, err
	}
	cmd := &exec.Cmd{
		Path: c.path, Args: c.argv, Env: c.env, Dir: c.dir,
		SysProcAttr: &syscall.SysProcAttr{Setpgid: true},
	}
	// A typed nil would not be /dev/null.
	if spec.Stdout != nil {
		cmd.Stdout = spec.Stdout
	}
	if spec.Stderr != nil {
		cmd.Stderr = spec.Stderr
	}
	if err := cmd.Start(); err != nil {
		return nil, plainStartError(c, err)
	}
	p := &plainProcess{cmd: cmd, startedAt: time.Now(), done: make(chan struct{})}
	go p.wait()
	return p, nil
}

func plainStartError(c command, err error) error {
	errno, ok := errors.AsType[syscall.Errno](err)
	if !ok {
		return startError(c.argv[0], c.path, c.dir, stageGroup, err)
	}
	if errno == syscall.EAGAIN || errno == syscall.ENOMEM {
		return startError(c.argv[0], c.path, c.dir, stageFork, errno)
	}
	return startError(c.argv[0], c.path, c.dir, stageExec, errno)
}

// plainProcess owns the goroutine wait, which ends with the process.
type plainProcess struct {
	cmd       *exec.Cmd
	startedAt time.Time
	done      chan struct{}
	exit      Exit // written before done is closed
}

func (p *plainProcess) wait() {
	// The error repeats the state, which is read instead.
	_ = p.cmd.Wait()
	at := time.Now()
	status, _ := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	// A group id is not reused while the group has a member.
	_ = syscall.Kill(-p.PID(), syscall.SIGKILL)
	p.exit = exitOf(status, at, nil)
	close(p.done)
}

func (p *plainProcess) PID() int              { return p.cmd.Process.Pid }
func (p *plainProcess) StartedAt() time.Time  { return p.startedAt }
func (p *plainProcess) Done() <-chan struct{} { return p.done }
func (p *plainProcess) Kill() error           { return p.Signal(syscall.SIGKILL) }

func (p *plainProcess) Signal(sig syscall.Signal) error {
	select {
	case <-p.done:
		return os.ErrProcessDone
	default:
		return done(signalGroup(p.PID(), sig))
	}
}

func (p *plainProcess) Exit() Exit {
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
