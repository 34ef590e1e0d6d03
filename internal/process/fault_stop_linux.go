package process

import "time"

const (
	// settlePeriod is how often a tree is looked at that was told to stop.
	settlePeriod = time.Millisecond
	// settleBound is how long Probity waits for that: what then has not stopped found no processor.
	settleBound = 2 * time.Second
	// stoppedPeriod is how often it is looked at afterwards, should anything have been missed.
	stoppedPeriod = 100 * time.Millisecond
)

// stopFault is FaultStop.
type stopFault struct {
	tree   stoppedTree
	giveUp time.Time
	whole  bool // nothing was new when all had settled
}

func (f *stopFault) begin(now time.Time) error {
	f.giveUp = now.Add(settleBound)
	return f.tree.stop()
}

func (f *stopFault) step(now time.Time) (next time.Time, done bool, err error) {
	settled, known := f.tree.settled(), len(f.tree.stopped)
	if err := f.tree.stop(); err != nil {
		return time.Time{}, true, err
	}
	f.whole = f.whole || settled && len(f.tree.stopped) == known
	if f.whole || now.After(f.giveUp) {
		return now.Add(stoppedPeriod), true, nil
	}
	return now.Add(settlePeriod), false, nil
}

func (f *stopFault) undo() error { return f.tree.resume() }
