package simulate

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/simulate/script"
)

// cluster is what is simulated: Pods, the controllers that make them and the Services that route to
// them, at one instant of virtual time.
type cluster struct {
	script  *script.Script
	seed    uint64
	phase   phase
	options lifecycle.Options
	noSkip  bool
	// nil for those of the script
	programs  func(pod *corev1.Pod, now func() time.Duration) Programs
	client    Client // nil for none
	now, end  time.Duration
	steps     int // that were taken, those with many Pods counted more than once
	pods      []*pod
	created   int // Pods so far
	workloads []controller
	routes    []*route
	queue     queue
	timeline  *Timeline
	measures  *measures
	syncDue   bool // the controllers have to sync
	routesDue bool // the routes have to follow the Pods
	// the routes have to ask again what answers behind them
	answersDue bool
	answering  []*pod // those whose answers may have changed since they were asked
}

// epoch is when every simulation begins.
func epoch() time.Time { return time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC) }

func (c *cluster) time(d time.Duration) time.Time { return epoch().Add(d) }

func (c *cluster) since(t time.Time) time.Duration { return t.Sub(epoch()) }

// podsPerStep is how many Pods cost as much to look at as one step.
const podsPerStep = 16

// run lets time pass until the end.
func (c *cluster) run() {
	c.syncDue = true
	c.sync()
	at, p := c.next()
	for at <= c.end {
		c.now = at
		c.steps += 1 + len(c.pods)/podsPerStep
		if p == nil {
			c.queue.pop().do()
		} else {
			p.step()
		}
		at, p = c.next()
		// controllers look once at all that happens at one instant
		if at > c.now && (c.syncDue || c.routesDue || c.answersDue) {
			c.sync()
			at, p = c.next()
		}
	}
	c.now = c.end
	for _, r := range c.routes {
		r.accrue(c.end)
	}
	c.timeline.sort()
}

// next is when something happens next, and to which Pod; nil means to none in particular.
func (c *cluster) next() (at time.Duration, who *pod) {
	at = c.queue.next()
	for _, p := range c.pods {
		if t := p.next(); t < at {
			at, who = t, p
		}
	}
	return at, who
}

// sync lets the controllers act until they have nothing to do, and the routes follow.
func (c *cluster) sync() {
	for c.syncDue {
		c.syncDue = false
		for _, load := range c.workloads {
			load.sync(c)
		}
	}
	switch {
	case c.routesDue:
		for _, r := range c.routes {
			r.update(c)
		}
	case c.answersDue:
		for _, r := range c.routes {
			r.sendTo(c, r.targets)
		}
	}
	c.routesDue, c.answersDue = false, false
}

// schedule does something at a time.
func (c *cluster) schedule(at time.Duration, do func()) { c.queue.put(item{at: at, do: do}) }

// syncAt lets the controllers sync at a time; the zero time is none.
func (c *cluster) syncAt(at time.Time) {
	if !at.IsZero() {
		c.schedule(c.since(at), func() { c.syncDue = true })
	}
}

// mayDeletePods reports whether a controller may delete a Pod although nothing happens first.
func (c *cluster) mayDeletePods() bool {
	return slices.ContainsFunc(c.workloads, controller.mayDeletePods)
}

// remove forgets a Pod that is gone.
func (c *cluster) remove(gone *pod) {
	for i, p := range c.pods {
		if p == gone {
			c.pods = append(c.pods[:i:i], c.pods[i+1:]...)
			return
		}
	}
}

// note adds an entry that is about no Pod in particular.
func (c *cluster) note(kind EntryKind, text string, more ...func(*Entry)) {
	if c.timeline == nil {
		return
	}
	e := Entry{At: Offset(c.now), Kind: kind, Text: text}
	for _, f := range more {
		f(&e)
	}
	c.timeline.add(e)
}
