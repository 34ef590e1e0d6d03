package lifecycle

import (
	"strings"
	"time"
)

// killBook is what the auditor knows of a kill in progress.
type killBook struct {
	message   string
	began     time.Time
	grace     time.Duration
	shortened bool
	stopped   time.Time
	forceAt   time.Time
	forced    bool
}

func (a *auditor) beginKill(b *book, message string) {
	name := b.spec.Name
	a.require(b.alive && b.kill == nil, "%s: a kill out of place: %s", name, message)
	k := &killBook{message: message, began: a.now, grace: time.Duration(*a.spec.TerminationGracePeriodSeconds) * time.Second}
	switch {
	case a.deleted:
		k.grace = a.grace
	case strings.Contains(message, " failed "):
		a.require(b.verdict != "" && strings.Contains(message, strings.ToLower(string(b.verdict))), "%s: %q, but the verdict is %q", name, message, b.verdict)
		if probe := probeOf(b.spec, b.verdict); b.verdict != "" && probe.TerminationGracePeriodSeconds != nil {
			k.grace = time.Duration(*probe.TerminationGracePeriodSeconds) * time.Second
		}
	}
	for _, other := range a.books {
		together := a.deleted || strings.HasPrefix(message, "Stopping") && other.kill != nil && strings.HasPrefix(other.kill.message, "Stopping")
		a.require(other.kill == nil || together, "%s: killed while %s is", name, other.spec.Name)
	}
	b.kill = k
}

func (a *auditor) stop(b *book, e StopContainer) {
	k := b.kill
	if k == nil || !k.stopped.IsZero() || b.instance != e.Instance {
		a.fault("%s: a stop signal out of place", e.Container)
		return
	}
	k.stopped = a.now
	k.forceAt = a.now.Add(max(k.grace-a.now.Sub(k.began).Truncate(time.Second), 2*time.Second))
	if !b.sidecar() || !strings.HasPrefix(k.message, "Stopping") {
		return
	}
	for _, other := range a.books { // R176
		waits := (other.alive || other.starting) && (!other.sidecar() || other.index > b.index)
		a.require(!waits, "%s: stopped before %s", e.Container, other.spec.Name)
	}
}

func (a *auditor) force(b *book, e KillContainer) {
	k := b.kill
	if k == nil || k.forced || b.instance != e.Instance {
		a.fault("%s: SIGKILL out of place", e.Container)
		return
	}
	k.forced = true
	if a.aborted {
		return
	}
	a.require(!k.stopped.IsZero() && a.now.Sub(k.stopped) >= 2*time.Second, "%s: SIGKILL %v after the stop signal", e.Container, a.now.Sub(k.stopped))
	a.require(k.shortened || !a.now.Before(k.forceAt), "%s: SIGKILL %v early", e.Container, k.forceAt.Sub(a.now))
}

// checkKills looks for kills that ought to be further on, and for verdicts that nobody carries out.
func (a *auditor) checkKills() {
	busy := a.deleted
	for _, b := range a.books {
		busy = busy || b.starting || b.kill != nil || b.alive != b.visible
	}
	for name, b := range a.books {
		switch k := b.kill; {
		case k == nil:
			a.require(busy || !b.alive || b.verdict == "", "%s: the %s verdict is not carried out", name, b.verdict)
		case k.forced:
		case !k.stopped.IsZero():
			a.require(a.now.Before(k.forceAt), "%s: no SIGKILL though the grace period is over", name)
		case !b.sidecar():
			a.require(a.now.Before(k.began.Add(k.grace)), "%s: no stop signal though the grace period is over", name)
		}
	}
}
