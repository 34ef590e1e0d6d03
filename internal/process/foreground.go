package process

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// ForegroundCommand is a command that is run for whoever started this program, with that one's
// streams and terminal. It is no Pod's process and no child of the shepherd.
type ForegroundCommand struct {
	// Argv are the program, looked for in PATH, and its arguments. Required.
	Argv []string
	// Env is its environment. Required.
	Env []string
	// Stdin, Stdout and Stderr are its streams. Nil is /dev/null.
	Stdin, Stdout, Stderr *os.File
	// Suspended, if not nil, is called when it was suspended at the terminal, and this process is
	// about to be suspended with it.
	Suspended func()
}

// CommandError says that a command could not be started, with the exit code that a shell would
// give: 127 if there is no such program, 126 if it cannot be executed.
type CommandError struct {
	Code int
	err  error
}

func (e *CommandError) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e *CommandError) Unwrap() error { return e.err }

// Find returns the path of the command's program. The error is a [*CommandError].
func (c ForegroundCommand) Find() (string, error) {
	path, err := exec.LookPath(c.Argv[0])
	if err == nil || errors.Is(err, exec.ErrDot) {
		return path, nil
	}
	return "", commandError(c.Argv[0], err)
}

func commandError(name string, err error) error {
	code := 126
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		code = 127
	}
	if e, ok := errors.AsType[*exec.Error](err); ok {
		err = e.Err
	}
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	return &CommandError{code, fmt.Errorf("cannot run %q: %w", name, err)}
}

// Foreground is a command that runs in a process group of its own, in the foreground of the
// terminal if this process was there. Its methods are safe for concurrent use.
type Foreground struct {
	done   chan struct{}
	status syscall.WaitStatus // once done is closed

	mu  sync.Mutex // guards pid
	pid int        // 0 once it was reaped
}

// StartForeground starts a command. When it has ended, what is left in its process group is killed,
// and the terminal is taken back if it has it. On Linux the command itself dies with this process,
// and those of its orphans that become children of this process are reaped when they have ended, as
// long as it runs: meanwhile the caller must have no children but through a [Shepherd]. The error
// is a [*CommandError].
func StartForeground(c ForegroundCommand) (*Foreground, error) {
	path, err := c.Find()
	if err != nil {
		return nil, err
	}
	f, started := &Foreground{done: make(chan struct{})}, make(chan error, 1)
	go func() {
		runtime.LockOSThread() // the kernel ends the command with the thread that started it
		tty := controllingTerminal()
		if tty != nil {
			defer tty.Close()
		}
		given := tty
		if !HasForeground(tty) {
			given = nil // it may get it later
		}
		if f.pid, err = c.start(path, foregroundAttributes(given)); err != nil {
			giveUp(given)
			started <- err
			return
		}
		close(started)
		f.status = f.wait(tty, c.Suspended)
		close(f.done)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return f, nil
}

// start starts the process of the command.
func (c ForegroundCommand) start(path string, attributes *syscall.SysProcAttr) (pid int, err error) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	defer null.Close()
	files := []*os.File{c.Stdin, c.Stdout, c.Stderr}
	for i, file := range files {
		if file == nil {
			files[i] = null
		}
	}
	process, err := os.StartProcess(path, c.Argv, &os.ProcAttr{Env: c.Env, Files: files, Sys: attributes})
	if err != nil {
		return 0, commandError(c.Argv[0], err)
	}
	pid = process.Pid
	return pid, process.Release() // wait waits for it by its number
}

// foregroundAttributes have a command get a process group of its own, and the terminal if it is
// given.
func foregroundAttributes(tty *os.File) *syscall.SysProcAttr {
	attributes := &syscall.SysProcAttr{Setpgid: true}
	if tty != nil {
		attributes.Foreground, attributes.Ctty = true, int(tty.Fd())
	}
	killWithParent(attributes)
	return attributes
}

// wait waits for the end of the command, and stops with it as often as it is suspended.
func (f *Foreground) wait(tty *os.File, suspended func()) syscall.WaitStatus {
	if tty != nil {
		// else what this process writes, and taking the terminal back, could stop it
		signal.Ignore(syscall.SIGTTOU)
		defer signal.Reset(syscall.SIGTTOU)
	}
	defer f.attend(tty)()
	for {
		var status syscall.WaitStatus
		_, err := syscall.Wait4(f.pid, &status, syscall.WUNTRACED, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err == nil && status.Stopped():
			if tty != nil {
				f.suspend(tty, suspended)
			}
		default:
			f.mu.Lock()
			killGroup(f.pid)
			takeBack(tty, f.pid)
			f.pid = 0
			f.mu.Unlock()
			return status
		}
	}
}

// orphanReapPeriod is the least time between two looks for orphans that have ended.
const orphanReapPeriod = 100 * time.Millisecond

// attend has a goroutine hand the terminal over when a shell continues this process, and reap the
// orphans that the command leaves, until end is called. end waits for it.
func (f *Foreground) attend(tty *os.File) (end func()) {
	command, ended := f.pid, make(chan struct{})
	continued, deaths := make(chan os.Signal, 1), make(chan os.Signal, 1)
	if tty != nil {
		signal.Notify(continued, syscall.SIGCONT)
	}
	signal.Notify(deaths, syscall.SIGCHLD)
	if HasForeground(tty) { // a shell was faster; later it could be a suspension that has it
		f.resume(tty)
	}
	var attending sync.WaitGroup
	attending.Go(func() {
		due := time.After(orphanReapPeriod) // some may have ended before deaths are told
		for {
			select {
			case <-continued:
				f.resume(tty)
			case <-deaths:
				if due == nil {
					due = time.After(orphanReapPeriod)
				}
			case <-due:
				due = nil
				if reapOrphans(command) {
					due = time.After(orphanReapPeriod)
				}
			case <-ended:
				reapOrphans(command)
				return
			}
		}
	})
	return func() {
		signal.Stop(continued)
		signal.Stop(deaths)
		close(ended)
		attending.Wait()
	}
}

// reapPeriod is the time between two looks at what was killed.
const reapPeriod = 2 * time.Millisecond

// killGroup kills what is left in the group of a command that has ended, most often nothing, and
// reaps what of it has become a child of this process.
func killGroup(group int) {
	if syscall.Kill(-group, syscall.SIGKILL) != nil {
		return
	}
	for deadline := time.Now().Add(KillBound); time.Now().Before(deadline); {
		pid, err := syscall.Wait4(-group, nil, syscall.WNOHANG, nil)
		switch {
		case err != nil && !errors.Is(err, syscall.EINTR):
			return // none is left
		case pid == 0:
			time.Sleep(reapPeriod)
		}
	}
}

// Signal sends a signal to the process group of the command, unless that has ended. It continues
// one that is stopped, which would not notice the signal otherwise.
func (f *Foreground) Signal(sig syscall.Signal) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.pid != 0 {
		_ = syscall.Kill(-f.pid, sig) // it may end at this instant
		_ = syscall.Kill(-f.pid, syscall.SIGCONT)
	}
}

// Done is closed when the command has ended.
func (f *Foreground) Done() <-chan struct{} { return f.done }

// Status is how the command ended. It waits for the end.
func (f *Foreground) Status() syscall.WaitStatus {
	<-f.done
	return f.status
}
