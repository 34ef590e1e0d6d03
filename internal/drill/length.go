package drill

import (
	"fmt"
	"slices"
	"time"

	"github.com/probity-run/probity/internal/lifecycle"
)

// longEnough is a fault that lasts until the slowest probe of a workload must have acted, if
// somebody has not asked for another length: that nothing was restarted, or that nobody stayed
// green, says nothing of a probe that had no time for it. rate is that of the load.
func (f Fault) longEnough(w *Workload, rate float64) Fault {
	if f.judgedByLength() && !f.Exact {
		f.Length = min(max(f.Length, f.needs(w, rate)), maxLength)
	}
	return f
}

// judgedByLength reports whether a probe has to have had the time to act on it before anything can
// be said. A stall is as long as it is because that is the question.
func (f Fault) judgedByLength() bool { return f.Side() == SideOutside && f.Kind.row().length > 0 }

// needs is how long a fault has to last: until the slowest liveness probe must have restarted its
// container, until the slowest readiness probe must have taken its Pod out of rotation, and then
// until the load has shown of a replica that is still in rotation whether it answers.
func (f Fault) needs(w *Workload, rate float64) time.Duration {
	restarts, leaves := f.acts(w, lifecycle.Liveness, 0), f.acts(w, lifecycle.Readiness, 0)
	if leaves == 0 {
		leaves = restarts // nothing else takes it out
	}
	return max(restarts, leaves+sample(rate, w.Replicas)) + ownLag
}

// acts is how long the probes of a type may take to act on a fault, in all containers of a
// workload: an outage may be noticed by each. One of the start meets a process whose probes wait
// first, for their delay, which counts from the start, and for the startup probe, which has passed
// after some time.
func (f Fault) acts(w *Workload, kind lifecycle.ProbeType, passed time.Duration) (slowest time.Duration) {
	for _, c := range w.containers() {
		p := probeOf(c.Probes, kind)
		acts := p.worst()
		if p != nil && f.ofStart() {
			acts += max(time.Duration(p.Delay), passed)
		}
		slowest = max(slowest, acts)
	}
	return slowest
}

// ofStart reports whether it is a fault of the start of a process.
func (f Fault) ofStart() bool { return f.AtStart || f.Kind == KindSlowStart }

// startBudget is how long a fault of the start may keep the startup probe from succeeding, until
// that restarts the container; 0 if there is no such probe, or if the fault is none of the start.
// Until then no other probe is asked.
func (f Fault) startBudget(w *Workload) time.Duration {
	p := w.probe(lifecycle.Startup)
	if p == nil || !f.ofStart() {
		return 0
	}
	return min(p.timing().StartFatal(true), maxLength)
}

// waitsForStart is for how long a fault of the start is kept up before its length counts, if the
// startup probe neither succeeds nor restarts the container. A length that somebody has asked for
// counts from the beginning.
func (f Fault) waitsForStart(w *Workload) time.Duration {
	budget := f.startBudget(w)
	if f.Exact || budget == 0 {
		return 0
	}
	return budget + ownLag
}

// sample is how long a load of some rate takes to send one of so many replicas, whichever that is,
// as many requests as say something.
func sample(rate float64, replicas int) time.Duration {
	if rate <= 0 {
		return settleTime
	}
	return max(settleTime, time.Duration(float64(fewest*replicas+1)/rate*float64(time.Second)))
}

// shortRemark says that a fault was over before the probes had to act, because somebody has asked
// for that, or because the budget had no more time; "" if it was not in one repetition at least, or
// if they acted all the same.
func shortRemark(all []evidence) string {
	lasted, needed := time.Duration(0), time.Duration(0)
	for _, e := range all {
		did, should := e.lasted(), e.needed()
		if !e.fault.judgedByLength() || did >= should || e.restarted() > 0 {
			return ""
		}
		lasted, needed = max(lasted, did), max(needed, should)
	}
	return fmt.Sprintf("it lasted %s, and a probe of these numbers may take %s to act: that nothing was restarted or left the Service says nothing of a longer one (V2, V3, V6)",
		text(Offset(lasted)), text(Offset(needed)))
}

// lasted is how long a fault lasted in a repetition, and maxLength if it was as long as it had to
// be: if nobody has asked for a length, only one of the start can be shorter, for which a plan of
// the drill's own had no time. A process that exits by itself is not waited for, and a start that
// is slow is over when the process is ready.
func (e evidence) lasted() time.Duration {
	f := e.fault
	if f.Exact {
		return f.Length
	}
	exited := slices.ContainsFunc(e.Replicas, func(r Replica) bool { return r.Pod == e.Pod && r.Exits > 0 })
	if f.waitsForStart(e.workload) == 0 || exited || f.Kind == KindSlowStart && e.passed() != nil {
		return maxLength
	}
	return time.Duration(e.End - e.Begin)
}

// passed is when the startup probe succeeded while a fault lasted; nil if it did not.
func (e evidence) passed() *Offset {
	passed := passedStart(e.Attempts, e.Begin, e.Pod, e.workload.Container)
	if passed != nil && *passed > e.End {
		return nil
	}
	return passed
}

// needed is how long the probes would have needed to act in a repetition: the startup probe, if it
// did not succeed in time, else the others after it.
func (e evidence) needed() time.Duration {
	f, w := e.fault, e.workload
	after := time.Duration(0)
	if budget := f.startBudget(w); budget > 0 {
		passed := e.passed()
		if passed == nil {
			return budget
		}
		after = time.Duration(*passed - e.Begin)
	}
	return max(f.acts(w, lifecycle.Liveness, after), f.acts(w, lifecycle.Readiness, after))
}

// passedStart is when the startup probe of a container succeeded from a moment on; nil if it did
// not.
func passedStart(attempts []Attempt, from Offset, pod, container string) *Offset {
	for _, a := range attempts {
		if a.At >= from && a.Success && a.Probe == string(lifecycle.Startup) && a.Pod == pod && a.Container == container {
			return new(a.At + a.Took)
		}
	}
	return nil
}
