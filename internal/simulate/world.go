package simulate

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/simulate/script"
)

// world is one simulation: Pods, the controllers that make them and the Services that route to
// them, at one instant of virtual time.
type world struct {
	script    *script.Script
	seed      uint64
	phase     time.Duration // added to the times of faults that happen once
	options   lifecycle.Options
	noSkip    bool
	programs  func(pod *corev1.Pod, now func() time.Duration) Programs // nil for those of the script
	client    Client                                                   // nil for none
	now, end  time.Duration
	pods      []*pod
	made      int
	workloads []workload
	routes    []*route
	queue     queue
	timeline  *Timeline
	measures  *measures
	unsettled bool // a controller has to look
	unrouted  bool // and the Services
	base      time.Time
}

// epoch is when every simulation begins.
func epoch() time.Time { return time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC) }

func (w *world) time(d time.Duration) time.Time { return w.base.Add(d) }

func (w *world) since(t time.Time) time.Duration { return t.Sub(w.base) }

// run lets time pass until the end.
func (w *world) run() {
	w.unsettled = true
	w.settle()
	for {
		at, p := w.next()
		if at > w.end {
			break
		}
		w.now = at
		if p == nil {
			w.queue.take().do()
		} else {
			p.step()
		}
		w.settle()
	}
	w.now = w.end
	for _, r := range w.routes {
		r.accrue(w.end)
	}
	w.timeline.sort()
}

// next is when something happens next, and to which Pod; nil means to none in particular.
func (w *world) next() (at time.Duration, who *pod) {
	at = w.queue.next()
	for _, p := range w.pods {
		if t := p.next(); t < at {
			at, who = t, p
		}
	}
	return at, who
}

// settle lets the controllers act until they have nothing to do, then the Services.
func (w *world) settle() {
	for w.unsettled {
		w.unsettled = false
		for _, load := range w.workloads {
			load.sync(w)
		}
	}
	if w.unrouted {
		w.unrouted = false
		for _, r := range w.routes {
			r.look(w)
		}
	}
}

// later does something at a time.
func (w *world) later(at time.Duration, do func()) { w.queue.put(item{at: at, do: do}) }

// again lets the controllers look at a time.
func (w *world) again(at time.Time) {
	if !at.IsZero() {
		w.later(w.since(at), func() { w.unsettled = true })
	}
}

// still says that no controller is going to delete a Pod unless something happens first.
func (w *world) still() bool {
	for _, load := range w.workloads {
		if load.moving() {
			return false
		}
	}
	return true
}

// drop forgets a Pod that is gone.
func (w *world) drop(gone *pod) {
	for i, p := range w.pods {
		if p == gone {
			w.pods = append(w.pods[:i:i], w.pods[i+1:]...)
			return
		}
	}
}

// note adds an entry that is about no Pod in particular.
func (w *world) note(kind Kind, text string, more ...func(*Entry)) {
	if w.timeline == nil {
		return
	}
	e := Entry{At: Offset(w.now), Kind: kind, Text: text}
	for _, f := range more {
		f(&e)
	}
	w.timeline.add(e)
}
