package diagnosis

import (
	"strings"
	"time"
)

// toldFails diagnoses a Pod by a probe of which nobody has counted the failures: Events have told
// one. So nothing is said of its counter.
func (f *Facts) toldFails(d *Diagnosis, p *Probe) {
	failure, found := f.failureOf(p), f.found(p)
	d.Check, d.Cause = "failing", found
	d.Reason = found
	d.Why = found + f.Style.dot() + strings.ToLower(string(p.Type)) + " failed last at " + p.At.Local().Format(time.TimeOnly) + ", as far as Events tell."
	switch {
	case p.Type == liveness:
		d.So = "If it goes on, its container is restarted."
		d.Attention = true
	case p.Type == startup:
		d.So = "If it goes on, its container is restarted."
	default:
		d.So = join("Out of rotation", f.leftText())
	}
	d.Next = f.nextForProbe(p, failure)
}

// toldWell says of a Pod that is ready what is known of that.
func (f *Facts) toldWell() string {
	text := "Its containers run, and count as ready. What a probe finds is told only when it fails."
	if len(f.Services) > 0 {
		text += " In rotation of service/" + strings.Join(f.Services, ", service/") + "."
	}
	return text
}
