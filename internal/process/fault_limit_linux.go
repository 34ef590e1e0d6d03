package process

import (
	"syscall"

	"golang.org/x/sys/unix"
	"time"
)

// limitFault is FaultDescriptors and FaultFileSize: a soft limit of every process of the tree.
// Children inherit it, so it is whole when nothing new is found.
type limitFault struct {
	root     int
	resource int
	limit    uint64
	before   map[int]uint64
}

func (f *limitFault) begin(time.Time) error {
	f.before = map[int]uint64{}
	return visitTree(f.root, func(pid int) (isNew bool, err error) {
		if _, known := f.before[pid]; known {
			return false, nil
		}
		var was unix.Rlimit
		if err := unix.Prlimit(pid, f.resource, nil, &was); err != nil {
			return false, err
		}
		if was.Cur <= f.limit {
			return false, nil // inherited, or less than that anyway
		}
		f.before[pid] = was.Cur
		return true, unix.Prlimit(pid, f.resource, &unix.Rlimit{Cur: f.limit, Max: was.Max}, nil)
	})
}

func (f *limitFault) step(time.Time) (next time.Time, done bool, err error) {
	return time.Time{}, true, nil
}

// undo gives every process its limit back, and those that were forked meanwhile that of the first.
func (f *limitFault) undo() error {
	undone := map[int]bool{}
	var failed error
	err := visitTree(f.root, func(pid int) (isNew bool, err error) {
		if undone[pid] {
			return false, nil
		}
		undone[pid] = true
		var now unix.Rlimit
		if err := unix.Prlimit(pid, f.resource, nil, &now); err != nil {
			return false, err
		}
		was, known := f.before[pid]
		if !known {
			was = f.before[f.root]
		}
		if now.Cur != f.limit || was == 0 {
			return true, nil // it has another one of its own
		}
		now.Cur = min(was, now.Max)
		if err := unix.Prlimit(pid, f.resource, &now, nil); err != nil && err != syscall.ESRCH {
			failed = err // the others shall have theirs nevertheless
		}
		return true, nil
	})
	if failed != nil {
		return failed
	}
	return err
}
