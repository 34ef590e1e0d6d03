package simulate

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/simulate/script"
)

// Play is a simulation in which somebody else is the Service, changes things from outside, and
// watches: all that a comparison with a real system needs. The zero value of each field but Service
// leaves it out.
type Play struct {
	// Service is asked for the programs of each Pod that is made. now is the time of the simulation
	// whenever it is called.
	Service func(pod *corev1.Pod, now func() time.Duration) Service
	// Steps are what somebody does, in any order.
	Steps []Step
	// See is told every change of a Pod, Event, EndpointSlice, Deployment or ReplicaSet, as a watch
	// would tell it; of a ReplicaSet only that it was made. The objects are the callee's.
	See func(at time.Duration, change watch.EventType, object runtime.Object)
}

// Step is something that is done from outside: one of a deletion, a condition and an object. What
// it is about must be there by then, or nothing happens.
type Step struct {
	// At is when, counted from the start of the simulation.
	At time.Duration
	// Delete is the name of a Pod to delete, within Grace if that is not nil, else with the Pod's
	// own grace period. A second deletion can only shorten it (R162).
	Delete string
	Grace  *time.Duration
	// Condition is to be set on the Pod of that name (R107).
	Pod       string
	Condition corev1.PodCondition
	// Apply is a Deployment that replaces the one of its name; with another template it rolls.
	Apply manifest.Resource
}

// Run plays a manifest and returns everything that happened, as [Trace] does. The error is about
// input that cannot be simulated.
func (p Play) Run(objects []manifest.Object, opts Options) ([]Entry, error) {
	opts = opts.withDefaults()
	w, err := newWorld(objects, &script.Script{}, opts)
	if err != nil {
		return nil, err
	}
	w.noSkip, w.timeline, w.see = true, newTimeline(), p.See
	w.timeline.single = true
	w.service = func(pod *pod) Service { return p.Service(pod.object, func() time.Duration { return w.now }) }
	for _, s := range p.Steps {
		w.later(s.At, func() { w.take(s) })
	}
	w.run()
	if lost := w.timeline.Lost(); lost > 0 {
		return nil, fmt.Errorf("the simulation is too long to be noted: %d entries do not fit", lost)
	}
	return w.timeline.Entries(), nil
}

// take takes a step now.
func (w *world) take(s Step) {
	for _, p := range w.pods {
		switch {
		case s.Delete != "" && p.object.Name == s.Delete && s.Grace != nil:
			p.deleteWithin(*s.Grace)
			return
		case s.Delete != "" && p.object.Name == s.Delete:
			p.deleteWithin(p.grace())
			return
		case s.Pod != "" && p.object.Name == s.Pod:
			p.setCondition(s.Condition)
			return
		}
	}
	for _, load := range w.workloads {
		if d, ok := load.(*deployment); ok && s.Apply != nil {
			d.apply(w, s.Apply)
		}
	}
}

// saw tells the one who watches.
func (w *world) saw(change watch.EventType, object runtime.Object) {
	if w.see != nil {
		w.see(w.now, change, object.DeepCopyObject())
	}
}
