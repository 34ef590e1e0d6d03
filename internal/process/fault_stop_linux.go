package process

import "time"

const (
	// settlePeriod is how often a tree is looked at that was told to stop.
	settlePeriod = time.Millisecond
	// settleBound is how long: what then has not stopped waits in the kernel.
	settleBound = 250 * time.Millisecond
)

// stopFault is FaultStop.
type stopFault struct {
	tree   stoppedTree
	giveUp time.Time
}

func (f *stopFault) begin(now time.Time) error {
	f.giveUp = now.Add(settleBound)
	return f.tree.stop()
}

func (f *stopFault) step(now time.Time) (next time.Time, done bool, err error) {
	if now.Before(f.giveUp) && !f.tree.settled() {
		return now.Add(settlePeriod), false, nil
	}
	return time.Time{}, true, nil
}

func (f *stopFault) undo() error { return f.tree.resume() }
