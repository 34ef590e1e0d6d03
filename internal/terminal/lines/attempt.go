package lines

import (
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/lifecycle"
)

// Attempt is what one attempt of a probe found.
type Attempt struct {
	// Pod is the UID of the Pod, Container the name in it.
	Pod       types.UID
	Container string
	Probe     lifecycle.ProbeType
	// Time is when it began.
	Time    time.Time
	Outcome Outcome
	// Output is the kubelet's text, or that of the error. Others wrote it: any bytes.
	Output string
}

// Outcome is what an attempt says of the service.
type Outcome int

// The outcomes.
const (
	Succeeded   Outcome = iota // a warning is a success, too
	Failed                     // the service failed it
	Unevaluated                // nothing can be said: it does not count
)

// row is what is known of one probe of an instance.
type row struct {
	attempts  int  // before the first success
	succeeded bool // of this instance
	failures  int  // in a row
	successes int  // in a row
	last      Attempt
}

// Attempt takes an attempt of a probe. It is to be told before the change of an object that follows
// from it.
func (r *Reporter) Attempt(a Attempt, now time.Time) {
	p := r.pods[a.Pod]
	if p == nil {
		return
	}
	_, spec := lifecycle.ProbeOf(&p.object.Spec, a.Container, a.Probe)
	if spec == nil {
		return
	}
	row := p.container(a.Container).row(a.Probe)
	switch a.Outcome {
	case Succeeded:
		row.success(a)
	case Unevaluated:
		row.last = a
	case Failed:
		row.failures++
		row.successes = 0
		row.last = a
		if !row.succeeded {
			row.attempts++ // a start-up refusal: its Waiting line tells
			return
		}
		// the line of the consequence says it if the threshold is reached at once
		if row.failures == 1 && spec.FailureThreshold > 1 && !p.leaving() && p.concerns(a.Probe) {
			r.say(now, Failing, p.ref(), r.found(p, a.Container, a.Probe, spec))
		}
	}
}

// success ends a row of failures.
func (r *row) success(a Attempt) { *r = row{succeeded: true, successes: r.successes + 1, last: a} }

// concerns reports whether failures of a probe can still change something: readiness only while
// the Pod is Ready.
func (p *pod) concerns(t lifecycle.ProbeType) bool { return t != lifecycle.Readiness || p.ready }
