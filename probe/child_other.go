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

// awaitExit waits for the child and reaps it: these systems cannot reliably wait without reaping. So for an instant the number of an empty group could
// be given to another one; numbers are not reused that soon.
func (c *child) awaitExit() (err error) {
	c.status, err = reap(c.pid)
	return err
}

func (c *child) reap() (syscall.WaitStatus, error) { return c.status, nil }

func newPipe() (r, w *os.File, err error) { return os.Pipe() }
