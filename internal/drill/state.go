package drill

import (
	"slices"
	"time"
)

// State is how far a drill is. What it points to does not change any more.
type State struct {
	// Report is what came of the drill so far: the results of the faults that are done.
	Report *Report
	// Doing is what is being done, in a few words, since Since; "" when the drill is over.
	Doing string
	Since time.Time
	// Steps are what is planned, in their order; none before the plan is made.
	Steps []Step
	// Step is the index of the one that is under way, and Repetition which one of it, from 1 on. It
	// is -1 before the first, and the number of steps after the last.
	Step, Repetition int
}

// tell tells how far the drill is.
func (d *drill) tell(doing string) {
	for ; d.judged < len(d.report.Results); d.judged++ {
		d.opts.Judged(d.report, d.report.Results[d.judged])
	}
	d.state.Doing, d.state.Since = doing, time.Now()
	s, r := d.state, *d.report
	r.Took = max(r.Took, d.since(s.Since))
	// what is added later is added to slices of its own
	r.Workloads, r.Classes, r.Results, r.LeftOut = slices.Clone(r.Workloads), slices.Clone(r.Classes), slices.Clone(r.Results), slices.Clone(r.LeftOut)
	r.Dependencies, r.BlindSpots, r.Failures = slices.Clone(r.Dependencies), slices.Clone(r.BlindSpots), slices.Clone(r.Failures)
	for i := range r.Classes {
		r.Classes[i].Survives = slices.Clone(r.Classes[i].Survives)
	}
	s.Report = &r
	d.opts.Watch(s)
}

// tellEnd tells that the drill is over.
func (d *drill) tellEnd() {
	d.state.Step = len(d.state.Steps)
	d.tell("")
}
