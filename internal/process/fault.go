package process

import (
	"errors"
	"fmt"
	"syscall"
	"time"
)

// FaultKind is what a [Fault] does to a process.
type FaultKind uint8

// The kinds. All but FaultSignal concern the process with its whole tree, can be undone, and end
// with the process: one that is started in its place has none of them.
const (
	// FaultStop stops all of the tree, so that it hangs (SIGSTOP). Undone: it goes on (SIGCONT).
	FaultStop FaultKind = iota + 1
	// FaultSignal sends Signal to the process and its group. There is nothing to undo.
	FaultSignal
	// FaultThrottle lets the tree use only a Share of one processor: in every [ThrottlePeriod] it
	// is stopped once it has used its part, by a control group of its own where the machine lets us
	// make one ([HasQuota]), else by signals. Undone: it goes on.
	FaultThrottle
	// FaultDescriptors lets no process of the tree open a file or a connection any more; those that
	// are open stay. What is forked later is under the same limit. Undone: the limits of before.
	FaultDescriptors
	// FaultFileSize lets no process of the tree write to regular files any more: it gets SIGXFSZ,
	// and EFBIG if it ignores that as Go programs do, where a full disk would give ENOSPC. Undone:
	// the limits of before.
	FaultFileSize
	// FaultMemory kills the tree (SIGKILL) when its processes together have more than Limit bytes
	// in memory, which is looked at twenty times a second; its [Exit] says so then. Undone: it is
	// not looked at any more.
	FaultMemory
	// FaultDisk fills Disks of the process's [Namespace] with a file of ours, and what becomes free
	// of them, too: writing fails with ENOSPC. Undone: the file is removed, also when the process
	// has ended and another one of its namespace runs.
	FaultDisk
)

// String is the name of a kind in sentences.
func (k FaultKind) String() string {
	names := [...]string{"no fault", "stop", "signal", "throttle", "descriptors", "file size", "memory", "disk"}
	if int(k) >= len(names) {
		return fmt.Sprintf("fault %d", k)
	}
	return names[k]
}

// Fault is what is done to a process on purpose, to see what becomes of it.
type Fault struct {
	Kind FaultKind

	// Signal of FaultSignal.
	Signal syscall.Signal

	// Share of one processor, of FaultThrottle: above 0 and at most 1.
	Share float64

	// Limit of FaultMemory in bytes, above 0.
	Limit int64

	// Disks of FaultDisk are the targets of some, one at least.
	Disks []string

	// For is how long it lasts, if it is not undone before. Default: until it is undone, at most
	// for Deadline.
	For time.Duration

	// Deadline is when it is undone at the latest, whoever has forgotten it. Default and maximum:
	// [MaxFault]. It may not be less than For.
	Deadline time.Duration
}

const (
	// MaxFault bounds how long a fault lasts.
	MaxFault = time.Hour

	// ThrottlePeriod is how often a process that is throttled gets its share, as with the quotas of
	// cgroups: it is never stopped for longer.
	ThrottlePeriod = 100 * time.Millisecond
)

// Faulty is a [Process] to which faults can be done. Those that a [Shepherd] has started are.
type Faulty interface {
	// Inject does a fault. It returns when it is done: all of a tree is stopped, say. undo undoes
	// it; it may be called more than once and at any time, also after the end of the process. Its
	// error is what could not be undone. The shepherd undoes the fault itself when its time is
	// over; and when Probity or the shepherd ends, the process is killed, as always.
	//
	// The error matches [ErrFaultBusy] if another fault of the process uses the same means,
	// [os.ErrProcessDone] if the process has ended or is being killed, [syscall.ETIME] if the time
	// of the fault was over before it was done, and is the kernel's if that refuses, as it does for
	// a program of another user; nothing of the fault is left then.
	Inject(Fault) (undo func() error, err error)
}

// ErrFaultBusy says that a process has a fault that uses the same means already: the one is to be
// undone before the other is done. Stop and throttle share their means.
var ErrFaultBusy = errors.New("the process has a fault of that sort already")

// Validate says what is wrong with a fault: nil if it can be done.
func (f Fault) Validate() error {
	switch {
	case f.Kind < FaultStop || f.Kind > FaultDisk:
		return fmt.Errorf("unknown fault %d", f.Kind)
	case f.Kind == FaultSignal && (f.Signal < 1 || f.Signal > 64):
		return fmt.Errorf("there is no signal %d", int(f.Signal))
	case f.Kind == FaultThrottle && !(f.Share >= minShare && f.Share <= 1):
		return fmt.Errorf("a share of %v of a processor is not from %v to 1", f.Share, minShare)
	case f.Kind == FaultMemory && f.Limit <= 0:
		return fmt.Errorf("a memory limit of %d bytes is not above 0", f.Limit)
	case f.Kind == FaultDisk && len(f.Disks) == 0:
		return errors.New("a full disk without a disk")
	case f.For < 0 || f.For > MaxFault:
		return fmt.Errorf("a fault for %v is not from 0 to %v", f.For, MaxFault)
	case f.Deadline < 0 || f.Deadline > MaxFault:
		return fmt.Errorf("a fault with a deadline of %v is not from 0 to %v", f.Deadline, MaxFault)
	case f.Deadline > 0 && f.For > f.Deadline:
		return fmt.Errorf("a fault for %v lasts longer than its deadline, %v", f.For, f.Deadline)
	}
	return nil
}

// minShare is the least share of a processor: below it, reading the clock would be all of it.
const minShare = 0.01

// lasts is how long the shepherd lets it last.
func (f Fault) lasts() time.Duration {
	switch {
	case f.For > 0:
		return f.For
	case f.Deadline > 0:
		return f.Deadline
	}
	return MaxFault
}
