package probe

import (
	"os"
	"syscall"
)

// reap waits for a child and takes its status, and its number with it.
func reap(pid int) (status syscall.WaitStatus, err error) {
	for {
		if _, err = syscall.Wait4(pid, &status, 0, nil); err != syscall.EINTR {
			return status, err
		}
	}
}

// notWaiting makes reads return at once.
func notWaiting(fd int) error { return os.NewSyscallError("fcntl", syscall.SetNonblock(fd, true)) }
