package probe

import "syscall"

// reap waits for a child and takes its status, and its number with it.
func reap(pid int) (status syscall.WaitStatus, err error) {
	for {
		if _, err = syscall.Wait4(pid, &status, 0, nil); err != syscall.EINTR {
			return status, err
		}
	}
}
