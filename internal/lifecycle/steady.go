package lifecycle

import "time"

// Steady says that nothing but further successes of probes lies ahead unless something happens from
// outside: nothing is starting, ending, planned or in flight, and of every probe that still runs
// the last run succeeded and that is what counts already. Then [Pod.Skip] may be used.
func (p *Pod) Steady() bool {
	if p.sync != nil || p.deletion != nil || p.createdAt.IsZero() {
		return false
	}
	for c := range p.containers() {
		if c.kill.active() || c.alive() && !c.running() || !c.retryAt.IsZero() {
			return false
		}
		for _, w := range c.workers {
			if c.open(w) && !w.steady() {
				return false
			}
		}
	}
	return true
}

// EachProbe visits the state of every probe, in the order of the containers: [Pod.Probes] without
// the list.
func (p *Pod) EachProbe(visit func(ProbeState)) {
	p.eachWorker(func(c *container, w *Worker) { visit(w.state(c.spec.Name)) })
}

// Skip takes note of time without calling [Pod.On] for every run: each probe of a Steady Pod ran at
// each of its ticks before until, and succeeded. It leaves the state that On would have left, tick
// by tick. ran is told of each probe that ran: its first run and how many there were, a period
// apart.
func (p *Pod) Skip(until time.Time, ran func(container string, t ProbeType, first time.Time, runs int)) {
	p.eachWorker(func(c *container, w *Worker) {
		if c.open(w) && w.next.Before(until) {
			first := w.next
			ran(c.spec.Name, w.probeType, first, w.passOver(until))
		}
	})
}

// steady says that a success would change nothing but the counter, and that the next tick is one of
// the regular ones.
func (w *Worker) steady() bool {
	return !w.inFlight && w.result == ResultSuccess && w.last == ResultSuccess && w.tickFrom(w.next).Equal(w.next)
}

// passOver counts a success at every tick before until.
func (w *Worker) passOver(until time.Time) (runs int) {
	runs = int((until.Sub(w.next)-1)/w.period) + 1
	w.ranAt = w.next.Add(time.Duration(runs-1) * w.period)
	w.next = w.ranAt.Add(w.period)
	w.run, w.triggeredAt, w.attempt = w.run+runs, time.Time{}, 1
	return runs
}
