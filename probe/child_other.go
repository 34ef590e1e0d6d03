//go:build !linux

package probe

import (
	"os"
	"syscall"
)

// child is a process that this one has started.
type child struct {
	pid    int
	status syscall.WaitStatus // from awaitExit on
}

func startChild(path string, argv []string, attr *syscall.ProcAttr) (*child, error) {
	pid, _, err := syscall.StartProcess(path, argv, attr)
	if err != nil {
		return nil, err
	}
	return &child{pid: pid}, nil
}

func (*child) close() {}

// awaitExit waits for the child and reaps it: these systems cannot reliably wait without reaping.
// So for an instant the number of an empty group could be given to another one; numbers are not
// reused that soon.
func (c *child) awaitExit() (err error) {
	c.status, err = reap(c.pid)
	return err
}

func (c *child) reap() (syscall.WaitStatus, error) { return c.status, nil }

// newPipe opens a pipe: a descriptor from which one can read without waiting, and the end for a
// child.
func newPipe() (r int, w *os.File, err error) {
	var ends [2]int
	syscall.ForkLock.RLock() // or another goroutine's child gets it
	err = syscall.Pipe(ends[:])
	if err == nil {
		syscall.CloseOnExec(ends[0])
		syscall.CloseOnExec(ends[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return -1, nil, os.NewSyscallError("pipe", err)
	}
	return ends[0], os.NewFile(uintptr(ends[1]), "|1"), notWaiting(ends[0])
}
