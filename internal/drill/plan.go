package drill

import (
	"cmp"
	"slices"
	"time"

	"github.com/probity-run/probity/internal/simulate/script"
)

// Step is a fault that is injected into a workload so many times.
type Step struct {
	Fault       Fault
	Workload    string
	Repetitions int
}

// Plan is what a drill does, in its order, and what it leaves out.
type Plan struct {
	Steps   []Step
	LeftOut []LeftOut
}

// planOptions are what a plan is made of.
type planOptions struct {
	workloads []Workload
	// faults are those that were asked for; empty: those of the default plan.
	faults []Fault
	// dependencies by the workload that uses them.
	dependencies map[string][]string
	// rate is how many requests a second are sent.
	rate float64
	// repetitions of each fault, if the budget allows it.
	repetitions int
	// budget is the time that is left.
	budget time.Duration
	// later: the dependencies were found while the drill went on, and only they are to be tried.
	later bool
	// deadlocks are the containers, by workload, of which the manifest says how a loop is made to
	// hang.
	deadlocks map[string][]string
	// missing is why a fault cannot be injected into a workload here; "" if it can.
	missing func(f Fault, workload string) string
}

// newPlan chooses what fits the budget: every fault once, in the order of how much there is to
// learn of it, then the second and the third repetitions. Faults that somebody asked for are all
// tried, whatever they take.
func newPlan(o planOptions) Plan {
	var p Plan
	var wanted []Step
	var costs []time.Duration
	asked := len(o.faults) > 0
	for _, word := range o.words() {
		for i := range o.workloads {
			w := &o.workloads[i]
			f, ok := word(w)
			if !ok || f.Workload != "" && !w.is(f.Workload) {
				continue
			}
			for _, f := range o.inEach(f, w) {
				if why := o.missing(f, w.Name); why != "" {
					p.LeftOut = append(p.LeftOut, LeftOut{Fault: f.Word, Workload: w.Name, Reason: why})
					continue
				}
				f = f.longEnough(w, o.rate)
				wanted, costs = append(wanted, Step{f, w.Name, 0}), append(costs, f.cost(w, o.rate))
			}
		}
	}
	left := o.budget
	for round := range o.repetitions {
		for i := range wanted {
			s := &wanted[i]
			if s.Repetitions < round || round > 0 && costs[i] > left || round == 0 && !asked && costs[i] > left {
				continue
			}
			s.Repetitions++
			left -= costs[i]
		}
	}
	for i, s := range wanted {
		if s.Repetitions > 0 {
			p.Steps = append(p.Steps, s)
			continue
		}
		p.LeftOut = append(p.LeftOut, LeftOut{s.Fault.Word, s.Workload, noRoom, Offset(costs[i].Round(time.Second))})
	}
	return p
}

// The reasons for which the budget leaves something out are the same for all words, so that one
// line has room for all of them.
const (
	noRoom = "it takes a time for which the budget has no room: --budget, or --fault"
	usedUp = "the budget was used up by what came before: --budget, or --fault"
)

// Untried are the faults of those that were asked for of which nothing was tried, with the reason.
func (r *Report) Untried(asked []Fault) (untried []LeftOut) {
	for _, f := range asked {
		if slices.ContainsFunc(r.Results, func(result *Result) bool { return result.Fault == f.Word }) {
			continue
		}
		left := LeftOut{Fault: f.Word, Reason: "no workload here is one that it is for"}
		if r.Interrupted {
			left.Reason = "the drill was interrupted before"
		}
		if i := slices.IndexFunc(r.LeftOut, func(l LeftOut) bool { return l.Fault == f.Word }); i >= 0 {
			left = r.LeftOut[i]
		}
		untried = append(untried, left)
	}
	return untried
}

// AssertTried adds an assertion for each fault of which nothing was tried although it was asked
// for.
func (r *Report) AssertTried(asked []Fault) {
	for _, left := range r.Untried(asked) {
		r.Assertions = append(r.Assertions, Assertion{Text: left.Fault + " is tried", Got: "nothing: " + left.Reason})
	}
}

// words are the faults in their order; each is made for a workload, and false for one that it is
// not for.
func (o planOptions) words() (all []func(w *Workload) (Fault, bool)) {
	fixed := func(text string) func(*Workload) (Fault, bool) {
		f, err := ParseFault(text)
		return func(*Workload) (Fault, bool) { return f, err == nil }
	}
	if len(o.faults) > 0 {
		for _, f := range o.faults {
			if o.later && !o.isUsed(f.Dependency) {
				continue
			}
			all = append(all, func(w *Workload) (Fault, bool) { return f, !o.ofOthers(f, w) })
		}
		return all
	}
	all = append(all, o.each("")...)
	if o.later {
		return slices.Concat(all, o.each("=hang"), o.each("=slow:300ms"), o.each("@start"), o.each("=dead"))
	}
	all = append(all, fixed("hang"), stall, fixed("crash"), fixed("stop"), fixed("deadlock"))
	all = append(all, o.each("=hang")...)
	all = append(all, fixed("fds"), fixed("throttle=5%"), fixed("overload=10x"), fixed("slow-start=2x"))
	all = append(all, o.each("=slow:300ms")...)
	all = append(all, o.each("@start")...)
	return append(all, o.each("=dead")...)
}

// inEach is a fault in the containers of a workload that it happens to: one inside of a process
// that names none happens to each, as whoever probes one of them may not notice another; a deadlock
// if the manifest says how it is brought about. None if the workload has not the one that it names.
func (o planOptions) inEach(f Fault, w *Workload) (all []Fault) {
	if f.Container == "" || w.has(f.Container) {
		all = append(all, f)
	}
	asked := func(f Fault) bool {
		return slices.ContainsFunc(o.faults, func(o Fault) bool { return o.Word == f.Word })
	}
	if f.Side() != SideInside || f.Container != "" || f.Kind == KindFDs && !asked(f) {
		return all
	}
	for _, c := range w.Beside {
		in := f.in(c.Name)
		if !asked(in) && (f.Kind != KindDeadlock || slices.Contains(o.deadlocks[w.Name], c.Name)) {
			all = append(all, in)
		}
	}
	return all
}

// isUsed reports whether some workload has a dependency.
func (o planOptions) isUsed(dependency string) bool {
	return slices.ContainsFunc(o.workloads, func(w Workload) bool { return slices.Contains(o.dependencies[w.Name], dependency) })
}

// has reports whether a plan has what was left out before.
func (p Plan) has(l LeftOut) bool {
	return slices.ContainsFunc(p.Steps, func(s Step) bool { return s.Fault.Word == l.Fault && s.Workload == l.Workload })
}

// ofOthers reports whether a fault is about a dependency that other workloads have, and this one
// has not, so that there is nothing to learn from it.
func (o planOptions) ofOthers(f Fault, w *Workload) bool {
	uses := func(name string) bool { return slices.Contains(o.dependencies[name], f.Dependency) }
	return f.Dependency != "" && f.Workload == "" && !uses(w.Name) && slices.ContainsFunc(o.workloads, func(w Workload) bool { return uses(w.Name) })
}

// each is an outage of each dependency of a workload.
func (o planOptions) each(how string) (all []func(w *Workload) (Fault, bool)) {
	var names []string
	for _, some := range o.dependencies {
		names = append(names, some...)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		f, err := ParseFault(string(KindDependency) + ":" + name + how)
		all = append(all, func(w *Workload) (Fault, bool) { return f, err == nil && slices.Contains(o.dependencies[w.Name], name) })
	}
	return all
}

// stall is nine tenths of what the liveness probe tolerates.
func stall(w *Workload) (Fault, bool) {
	p := w.liveness()
	if p == nil {
		return Fault{}, false
	}
	f, err := ParseFault("hang+" + script.FormatDuration((p.timing().Tolerated() * 9 / 10).Truncate(100*time.Millisecond)))
	return f, err == nil
}

const (
	// settleTime is how long at least nothing is done after a fault, so that the next one finds
	// calm.
	settleTime = 1500 * time.Millisecond
	// replaceLimit is how long the end of a process that is to be replaced may take at most, which
	// is Kubernetes' default for it: what takes longer is ended by the drill, and said.
	replaceLimit = 30 * time.Second
	// lagLimit is how long a service may take to notice itself that it does not work.
	lagLimit = 15 * time.Second
)

// cost is about how long a fault takes, with its consequence and the way back, under a load of some
// rate.
func (f Fault) cost(w *Workload, rate float64) time.Duration {
	seen := w.seenBy(f)
	start := seen.again()
	worst := cmp.Or(seen.liveness().worst(), seen.slowest())
	replaced := min(time.Duration(seen.Grace), replaceLimit) + start
	calm := sample(rate, 1)
	switch {
	case f.Side() == SideInside && f.Kind == KindHang:
		return worst + replaced + calm
	case f.Side() == SideInside:
		return worst + lagLimit/3 + replaced + calm
	case f.Kind == KindRollout:
		return time.Duration(w.Replicas)*(max(time.Duration(w.Start), 2*time.Second)+time.Duration(w.MinReady)) + start + 4*time.Second + calm
	case f.Side() == SideEnd:
		return f.Length + start + 4*time.Second + calm
	case f.Kind == KindSlowStart || f.AtStart:
		return f.Length + 2*start + 4*time.Second
	}
	return f.Length + 4*time.Second + calm
}
