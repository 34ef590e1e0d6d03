package diagnosis

import (
	"strings"
	"time"

	"github.com/probity-run/probity/internal/lifecycle"
)

// stopping diagnoses a Pod that is being deleted.
func (f *Facts) stopping(d *Diagnosis) {
	var parts []string
	if f.InFlight > 0 {
		parts = append(parts, count(f.InFlight, "request")+" in flight")
	}
	if kill := f.killAt(); !kill.IsZero() {
		d.Check = Clock(kill.Sub(f.Now))
		parts = append(parts, "SIGKILL in "+d.Check)
	}
	d.Reason, d.Cause = strings.Join(parts, f.Style.dot()), "stopping"
	d.Why = "Stopping: the stop signal was sent"
	if d.Reason != "" {
		d.Why += ", " + d.Reason
	}
	d.Why += "."
	d.So = "Out of rotation; startup and liveness are not probed while stopping."
}

// killAt is when SIGKILL follows in a Pod that is being deleted; zero if that is not known.
func (f *Facts) killAt() time.Time {
	var first time.Time
	for _, c := range f.Containers {
		if at := c.KillAt; !at.IsZero() && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	if first.IsZero() && f.Pod.DeletionTimestamp != nil {
		return f.Pod.DeletionTimestamp.Time
	}
	return first
}

// killClock is how long it is until SIGKILL, as a counter; otherwise something else, if nobody
// knows.
func (f *Facts) killClock(container, otherwise string) string {
	if at := f.Containers[container].KillAt; !at.IsZero() {
		return Clock(at.Sub(f.Now))
	}
	return otherwise
}

// restarting is the container that is being stopped while nobody deletes the Pod: it is to be
// started anew. It is "" if there is none.
func (f *Facts) restarting() string {
	for _, c := range lifecycle.Containers(&f.Pod.Spec) {
		if f.Containers[c.Name].Stopping {
			return c.Name
		}
	}
	return ""
}

// restarts diagnoses a Pod whose container is being restarted although no probe fails.
func (f *Facts) restarts(d *Diagnosis, container string) {
	d.Reason, d.Cause = f.of(container)+"is being restarted", "restarting"
	if d.Check = f.killClock(container, ""); d.Check != "" {
		d.Reason += f.Style.dot() + "SIGKILL in " + d.Check
	}
	d.Why = container + " is asked to end, and started anew."
	d.So = f.restartText(container)
}
