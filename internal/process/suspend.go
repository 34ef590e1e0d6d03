package process

import (
	"errors"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// ErrNoJobControl is why a process cannot be suspended: no shell could continue it.
var ErrNoJobControl = errors.New("it cannot be suspended here: no shell could continue it")

// stopBound is how long Suspend waits to be stopped, and once more to hear that it was continued. A
// thread of this process has to be scheduled for both, which takes a while on a busy machine.
const stopBound = time.Second

// Suspend stops the process group of this process, as Ctrl-Z does, until a shell continues it. It
// returns when it was continued, with SIGCONT on its way to whoever else is notified of that; or at
// once with [ErrNoJobControl], with nothing stopped.
func Suspend() error {
	if signal.Ignored(syscall.SIGTSTP) || isOrphaned() {
		return ErrNoJobControl
	}
	continued := make(chan os.Signal, 1)
	signal.Notify(continued, syscall.SIGCONT)
	defer signal.Stop(continued)
	_ = syscall.Kill(0, syscall.SIGTSTP) // its own group is always there
	for range 2 {                        // the time is up at once after a long stop
		select {
		case <-continued:
			return nil
		case <-time.After(stopBound):
		}
	}
	return ErrNoJobControl
}

// isOrphaned reports whether the process group of this process has no parent in its session that
// could continue it (POSIX, orphaned process group): the kernel does not stop such a group by
// SIGTSTP. If the parent is of the same group it is a script between a shell and this process,
// unless the whole session began with it.
func isOrphaned() bool {
	parent := os.Getppid()
	session, err := unix.Getsid(0)
	parentSession, parentErr := unix.Getsid(parent)
	group, groupErr := unix.Getpgid(parent)
	switch {
	case errors.Join(err, parentErr, groupErr) != nil || parentSession != session:
		return true
	case group != unix.Getpgrp():
		return false
	default:
		return session == group
	}
}
