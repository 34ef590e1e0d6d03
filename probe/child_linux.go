package probe

import (
	"errors"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// child is a process that this one has started and not reaped yet.
type child struct {
	pid int
	// exit becomes readable when the child ends, so that waiting for it takes no thread. Nil if the
	// kernel has no such descriptors, or none is left.
	exit *os.File
}

// startChild starts a process. It goes below package os/exec, which costs a tenth of what a small
// command costs.
func startChild(path string, argv []string, attr *syscall.ProcAttr) (*child, error) {
	fd := -1
	attr.Sys.PidFD = &fd
	pid, _, err := syscall.StartProcess(path, argv, attr)
	if err != nil {
		return nil, err
	}
	c := &child{pid: pid}
	if fd >= 0 {
		// so that NewFile gives it to Go's poller; if that fails, awaitExit takes a thread
		_ = unix.SetNonblock(fd, true)
		c.exit = os.NewFile(uintptr(fd), "pidfd")
	}
	return c, nil
}

func (c *child) close() {
	if c.exit != nil {
		_ = c.exit.Close()
	}
}

// awaitExit returns when the child has ended, without reaping it.
func (c *child) awaitExit() error {
	if c.exit != nil && c.exit.SetReadDeadline(time.Time{}) == nil {
		return c.awaitReadable()
	}
	_, err := c.ended(0)
	return err
}

func (c *child) awaitReadable() error {
	raw, err := c.exit.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Read(func(uintptr) bool {
		ended, err := c.ended(unix.WNOHANG)
		failed = err
		return ended || err != nil
	})
	return errors.Join(err, failed)
}

// ended reports whether the child has ended; without WNOHANG it waits for that.
func (c *child) ended(flags int) (bool, error) {
	for {
		var info unix.Siginfo
		err := unix.Waitid(unix.P_PID, c.pid, &info, unix.WEXITED|unix.WNOWAIT|flags, nil)
		if err != unix.EINTR {
			return info.Signo != 0, err
		}
	}
}

// reap takes the child's status.
func (c *child) reap() (syscall.WaitStatus, error) { return reap(c.pid) }

// newPipe opens a pipe: a descriptor from which one can read without waiting, and the end for a
// child.
func newPipe() (r int, w *os.File, err error) {
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_CLOEXEC); err != nil {
		return -1, nil, os.NewSyscallError("pipe2", err)
	}
	return ends[0], os.NewFile(uintptr(ends[1]), "|1"), notWaiting(ends[0])
}
