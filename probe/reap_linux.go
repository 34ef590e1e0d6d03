package probe

import (
	"errors"
	"os"
	"os/exec"

	"golang.org/x/sys/unix"
)

// reap waits for the leader, kills what is left of its group and reaps it, in this order: until it is reaped no other
// process can get its number, so the group that is killed is the right one.
func (p *localProcess) reap() error {
	if err := awaitExit(p.cmd.Process.Pid); err != nil {
		return os.NewSyscallError("waitid", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = killGroup(p.cmd.Process.Pid) // the leader's end is the result, whatever its children are up to
	err := p.cmd.Wait()
	p.reaped = true
	if _, ok := errors.AsType[*exec.ExitError](err); ok {
		return nil
	}
	return err
}

// awaitExit returns when the child has ended, without reaping it.
func awaitExit(pid int) error {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if err != unix.EINTR {
			return err
		}
	}
}
