package process

import (
	"fmt"
	"time"
)

// quotaFault is FaultThrottle by a control group of its own (cpu.max), where we may make one. Where
// we may not, its begin fails, and nothing of it is left.
type quotaFault struct {
	root  int
	share float64
	group *cgroup // nil before begin, and when it is removed
}

func (f *quotaFault) begin(time.Time) error {
	tree, err := openCgroups()
	if err != nil {
		return err
	}
	if err := f.beginIn(tree); err != nil {
		if f.group == nil {
			_ = tree.tree.Close() // else undo does it
		}
		return err
	}
	return nil
}

func (f *quotaFault) beginIn(tree *cgroups) error {
	below, err := tree.place("cpu")
	if err != nil {
		return err
	}
	group, err := tree.make(below)
	if err != nil {
		return err
	}
	f.group = group
	if err := group.set("cpu.max", cpuMax(f.share)); err != nil {
		return err
	}
	return visitTree(f.root, group.take)
}

// cpuMax is a share of one processor as cpu.max has it: so many microseconds in each period.
func cpuMax(share float64) string {
	period := ThrottlePeriod.Microseconds()
	return fmt.Sprintf("%d %d", int64(share*float64(period)), period)
}

func (f *quotaFault) step(time.Time) (next time.Time, done bool, err error) {
	return time.Time{}, true, nil
}

func (f *quotaFault) undo() error {
	if f.group == nil {
		return nil
	}
	if err := f.group.remove(f.root); err != nil {
		_ = f.group.set("cpu.max", "max") // what cannot be moved back is not slower at least
		return err
	}
	f.group = nil
	return nil
}

// throttle is FaultThrottle: by a control group where there may be one, else by signals.
type throttle struct {
	quota   quotaFault
	signals *throttleFault
	effect  // the one that it is
}

func newThrottle(root int, share float64) *throttle {
	return &throttle{quota: quotaFault{root: root, share: share}, signals: newThrottleFault(root, share)}
}

func (t *throttle) begin(now time.Time) error {
	if t.effect = &t.quota; t.effect.begin(now) == nil {
		return nil
	}
	if err := t.quota.undo(); err != nil {
		return err
	}
	t.effect = t.signals
	return t.effect.begin(now)
}
