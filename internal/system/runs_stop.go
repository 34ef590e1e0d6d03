package system

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// StopRun tells a run that has just answered to stop, as a Ctrl-C does. It does not wait.
func StopRun(run Run) error {
	if err := syscall.Kill(run.PID, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("cannot stop %s: %w", run, err)
	}
	return nil
}

const (
	// endPeriod is how often a run that is being stopped is looked at.
	endPeriod = 20 * time.Millisecond
	// exitTime is how long a process that has given back its state folder may take to exit. One
	// whose parent does not ask for its end stays as a zombie.
	exitTime = 200 * time.Millisecond
)

// AwaitEnd waits until a run has ended: it has given back its state folder, which it does last.
func AwaitEnd(ctx context.Context, run Run) error {
	tick := time.NewTicker(endPeriod)
	defer tick.Stop()
	for isHeld(run.StateDir) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%s has not ended yet", run)
		}
	}
	for late := time.After(exitTime); !errors.Is(syscall.Kill(run.PID, 0), syscall.ESRCH); {
		select {
		case <-tick.C:
		case <-late:
			return nil
		}
	}
	return nil
}

// isHeld reports whether a run uses a state folder.
func isHeld(dir string) bool {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return false // it is gone
	}
	defer root.Close() // it is only read
	lock, err := lockFile(root, lockName)
	if err != nil {
		return errors.Is(err, errLocked)
	}
	_ = lock.Close() // nothing was written
	return false
}
