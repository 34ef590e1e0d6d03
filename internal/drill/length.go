package drill

import (
	"fmt"
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
	restarts, leaves := f.acts(w, lifecycle.Liveness), f.acts(w, lifecycle.Readiness)
	if leaves == 0 {
		leaves = restarts // nothing else takes it out
	}
	return max(restarts, leaves+sample(rate, w.Replicas)) + ownLag
}

// acts is how long the probes of a type may take to act on a fault, in all containers of a
// workload: an outage may be noticed by each. One of the start meets a process whose probes wait
// first.
func (f Fault) acts(w *Workload, kind lifecycle.ProbeType) (slowest time.Duration) {
	for _, c := range w.containers() {
		p := probeOf(c.Probes, kind)
		acts := p.worst()
		if p != nil && (f.AtStart || f.Kind == KindSlowStart) {
			acts += time.Duration(p.Delay)
		}
		slowest = max(slowest, acts)
	}
	return slowest
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
// for that; "" if it was not, or if they acted all the same.
func shortRemark(all []evidence) string {
	f, w := all[0].fault, all[0].workload
	needed := max(f.acts(w, lifecycle.Liveness), f.acts(w, lifecycle.Readiness))
	if !f.Exact || !f.judgedByLength() || f.Length >= needed {
		return ""
	}
	for _, e := range all {
		if e.restarted() > 0 {
			return ""
		}
	}
	return fmt.Sprintf("it lasted %s, and a probe of these numbers may take %s to act: that nothing was restarted or left the Service says nothing of a longer one (V2, V3, V6)",
		text(Offset(f.Length)), text(Offset(needed)))
}
