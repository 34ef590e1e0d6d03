package lines

import (
	"fmt"
	"time"

	"github.com/probity-run/probity/internal/diagnosis"
)

// Stopping says that everything is being stopped: the end counts from here.
func (r *Reporter) Stopping(now time.Time) {
	if !r.stopping.IsZero() {
		return
	}
	r.stopping = now
	for _, p := range r.pods {
		if !p.gone {
			r.toStop++
		}
	}
}

// Stopped gives the last line, after what is left to tell.
func (r *Reporter) Stopped(now time.Time) {
	r.Stopping(now)
	for _, s := range r.servicesInOrder() {
		r.flushLost(s, now)
	}
	r.say(now, Stopped, "", fmt.Sprintf("%s in %s, %s lost", plural(r.toStop, "Pod"), diagnosis.Duration(now.Sub(r.stopping)), plural(int(r.lost), "request")))
}

// Refused tells that a saved manifest was not applied, or some of its objects: where, and why.
// place is file:line; whole says that nothing of it was applied.
func (r *Reporter) Refused(place, problem string, whole bool, now time.Time) {
	why := shortened(problem)
	if whole {
		why += "; nothing changed"
	}
	r.say(now, Refused, place, why)
}
