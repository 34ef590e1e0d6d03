package process

import (
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// quota decides how a tree is throttled: in each period it may use a part, and is stopped until the
// end of the period when it has. It is pure.
type quota struct {
	period, part time.Duration
	processors   int // how many times as fast as the clock it may use it up

	end    time.Time     // of the period
	budget time.Duration // of it
	debt   time.Duration // what was used too much before, and is not yet taken from a budget
}

// maxDebt is how many parts are remembered as used too much. On a machine on which the shepherd
// itself gets no processor for long, a tree is not to pay for that for long afterwards.
const maxDebt = 10

// minPoll is how long a tree is left alone at least: it uses so much more than its part at most,
// which is taken from that of the next period.
const minPoll = 200 * time.Microsecond

// begin begins a period at now. over is how much more was used in the last one than was its budget:
// it is taken from this one and those that follow. However much that was, some of the part remains:
// a period in which nothing may run would stop the tree for longer than that.
func (q *quota) begin(now time.Time, over time.Duration) {
	q.end = now.Add(q.period)
	q.debt = min(q.debt+max(over, 0), maxDebt*q.part)
	paid := min(q.debt, q.part*3/4)
	q.debt -= paid
	q.budget = q.part - paid
}

// decide says what to do at now when used was used in this period: stop, and when to ask again.
func (q *quota) decide(now time.Time, used time.Duration) (stop bool, next time.Time) {
	left := q.budget - used
	if left <= 0 {
		return true, q.end
	}
	next = now.Add(max(left/time.Duration(q.processors), minPoll))
	if next.After(q.end) {
		next = q.end
	}
	return false, next
}

// throttleFault is FaultThrottle by signals, where there can be no [quotaFault]. What a process
// uses that lives between two looks at the tree is not counted.
type throttleFault struct {
	tree    stoppedTree
	quota   quota
	clocks  map[int]time.Duration // of the processes of the tree, when the period began
	stopped bool
	used    time.Duration
}

func newThrottleFault(root int, share float64) *throttleFault {
	return &throttleFault{
		tree:  stoppedTree{root: root},
		quota: quota{period: ThrottlePeriod, part: time.Duration(share * float64(ThrottlePeriod)), processors: runtime.NumCPU()},
	}
}

func (f *throttleFault) begin(now time.Time) error {
	// that this may stop it is found out now, not when somebody has believed that it does
	err := f.tree.stop()
	if resumed := f.tree.resume(); err == nil {
		err = resumed
	}
	if err != nil {
		return err
	}
	f.quota.begin(now, 0)
	return f.read()
}

// read takes the clocks of all processes of the tree as the beginning of a period.
func (f *throttleFault) read() error {
	f.clocks, f.used = map[int]time.Duration{}, 0
	pids, err := descendants(f.tree.root)
	for _, pid := range pids {
		if at, err := processorTime(pid); err == nil {
			f.clocks[pid] = at
		}
	}
	return err
}

// measure is what the tree has used since the period began.
func (f *throttleFault) measure() time.Duration {
	var used time.Duration
	for pid, before := range f.clocks {
		if at, err := processorTime(pid); err == nil {
			used += at - before
		}
	}
	f.used = max(f.used, used) // less means that one has ended
	return f.used
}

func (f *throttleFault) step(now time.Time) (next time.Time, done bool, err error) {
	if !now.Before(f.quota.end) {
		over := f.measure() - f.quota.budget
		if err := f.resume(); err != nil {
			return time.Time{}, true, err
		}
		f.quota.begin(now, over)
		if err := f.read(); err != nil {
			return time.Time{}, true, err
		}
		return now.Add(minPoll), true, nil
	}
	if f.stopped {
		return f.quota.end, true, nil
	}
	stop, next := f.quota.decide(now, f.measure())
	if stop {
		f.stopped = true
		err = f.tree.stop()
	}
	return next, true, err
}

func (f *throttleFault) resume() error {
	f.stopped = false
	return f.tree.resume()
}

func (f *throttleFault) undo() error { return f.resume() }

// processorTime is how much processor time a process has used with all of its threads, also those
// that have ended.
func processorTime(pid int) (time.Duration, error) {
	const sched = 2 // CPUCLOCK_SCHED: see clock_getcpuclockid(3)
	var at unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|sched), &at); err != nil {
		return 0, syscall.ESRCH
	}
	return time.Duration(at.Nano()), nil
}
