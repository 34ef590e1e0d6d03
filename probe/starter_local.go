package probe

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
)

// LocalStarter starts commands as children of this process. It needs to be the one who waits for
// them: it does not work in a process that reaps all its children or ignores SIGCHLD.
type LocalStarter struct{}

// Start implements [Starter].
func (LocalStarter) Start(command Command) (Running, error) {
	running, err := start(command)
	if err != nil {
		return nil, fmt.Errorf("cannot start %q: %w", command.Argv[0], err)
	}
	return running, nil
}

func start(command Command) (Running, error) {
	path, err := lookPath(command.Argv[0], command.Env)
	if err != nil {
		return nil, err
	}
	// a file of package os would be offered to the poller
	null, err := syscall.Open(os.DevNull, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: os.DevNull, Err: err}
	}
	defer syscall.Close(null)
	child, err := startChild(path, command.Argv, &syscall.ProcAttr{
		Dir:   command.Dir,
		Env:   (&exec.Cmd{Env: command.Env, Dir: command.Dir}).Environ(),
		Files: []uintptr{uintptr(null), command.Stdout.Fd(), command.Stderr.Fd()},
		Sys:   &syscall.SysProcAttr{Setpgid: true},
	})
	if err != nil {
		return nil, cmp.Or(checkDir(command.Dir), error(&os.PathError{Op: "fork/exec", Path: path, Err: err}))
	}
	return &localProcess{child: child}, nil
}

// checkDir explains a failed start, whose own error blames the program for a missing working
// directory.
func checkDir(dir string) error {
	if dir == "" {
		return nil
	}
	if _, err := os.Stat(dir); err != nil {
		return fmt.Errorf("cannot use the working directory: %w", err)
	}
	return nil
}

// localProcess is the leader of a process group, started by this process.
type localProcess struct {
	child *child

	// guards reaped, and keeps signals from a process number that is no longer ours
	mu     sync.Mutex
	reaped bool
}

// Wait implements [Running]. It reaps the leader after it has killed what is left of its group, in
// this order: until the leader is reaped no other process can get its number, so the group that is
// killed is the right one.
func (p *localProcess) Wait() (int, error) {
	defer p.child.close()
	if err := p.child.awaitExit(); err != nil {
		return 0, os.NewSyscallError("waitid", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = killGroup(p.child.pid) // the leader's end is the result, whatever its children are up to
	status, err := p.child.reap()
	p.reaped = true
	switch {
	case err != nil:
		return 0, os.NewSyscallError("wait", err)
	case status.Signaled():
		return 128 + int(status.Signal()), nil
	}
	return status.ExitStatus(), nil
}

// Kill implements [Running].
func (p *localProcess) Kill() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reaped {
		return nil
	}
	return killGroup(p.child.pid)
}

// killGroup kills every process of the group. That there is none is no error.
func killGroup(group int) error {
	err := syscall.Kill(-group, syscall.SIGKILL)
	if errors.Is(err, syscall.ESRCH) {
		return nil
	}
	return err
}

// lookPath finds the program of a command that has the environment env. A name with a slash is
// taken as it is. Relative directories in PATH are skipped, for they would mean another program in
// every working directory.
func lookPath(name string, env []string) (string, error) {
	if strings.ContainsRune(name, '/') {
		return name, nil
	}
	for _, dir := range filepath.SplitList(searchPath(env)) {
		if !filepath.IsAbs(dir) {
			continue
		}
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path, nil
		}
	}
	return "", &exec.Error{Name: name, Err: exec.ErrNotFound}
}

// searchPath returns the PATH of the environment; the last of several wins, as it does for the
// command.
func searchPath(env []string) string {
	if env == nil {
		return os.Getenv("PATH")
	}
	path := ""
	for _, variable := range env {
		if value, ok := strings.CutPrefix(variable, "PATH="); ok {
			path = value
		}
	}
	return path
}
