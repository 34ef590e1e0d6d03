package simulate

import (
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/probity-run/probity/internal/lifecycle"
)

// Client is somebody outside of the cluster who changes objects and watches them, as a client of
// the API does. It is there for test/differential/simulated, which holds simulations to what a real
// cluster did and which alone decides what a Client is; `probity simulate` has none.
//
// All methods but Requests tell of a change, at its time. Objects are the simulation's own: who
// keeps one keeps a copy.
type Client interface {
	// Requests are what it asks of the API, in any order.
	Requests() []Request
	PodChanged(at time.Duration, change watch.EventType, pod *corev1.Pod)
	DeploymentChanged(at time.Duration, d *appsv1.Deployment)
	ReplicaSetAdded(at time.Duration, name types.NamespacedName, owner metav1.OwnerReference)
	// EventAdded tells of an Event, which is one of its own each time that it happens.
	EventAdded(at time.Duration, about corev1.ObjectReference, eventType, reason, message string)
	// EndpointsChanged tells which Pods a Service selects whenever anything of them may be new.
	EndpointsChanged(at time.Duration, service types.NamespacedName, publishNotReady bool, pods []*corev1.Pod)
}

// Request is what a client asks of the API: one of a deletion, a condition and an object. What it
// is about must be there by then, or nothing happens.
type Request struct {
	// At is when, counted from the start of the simulation.
	At time.Duration
	// Pod is the name of the Pod that Delete or Condition is about.
	Pod string
	// Delete deletes it, within the Pod's own grace period if the options have none. A second
	// deletion can only shorten it (R162).
	Delete *metav1.DeleteOptions
	// Condition is to be set in its status (R107).
	Condition *corev1.PodCondition
	// Apply is a Deployment that replaces the one of its name; with another template it rolls.
	Apply *appsv1.Deployment
}

// expectRequests puts the client's requests into the queue.
func (w *world) expectRequests() {
	if w.client == nil {
		return
	}
	for _, r := range w.client.Requests() {
		w.later(r.At, func() { w.request(r) })
	}
}

// request does what a client asks, now.
func (w *world) request(r Request) {
	for _, p := range w.pods {
		switch {
		case p.object.Name != r.Pod:
			continue
		case r.Delete != nil && r.Delete.GracePeriodSeconds != nil:
			p.deleteWithin(time.Duration(*r.Delete.GracePeriodSeconds) * time.Second)
		case r.Delete != nil:
			p.deleteWithin(p.grace())
		case r.Condition != nil:
			p.on(lifecycle.ConditionSet{Condition: *r.Condition})
		}
		return
	}
	for _, load := range w.workloads {
		if d, ok := load.(*deployment); ok && r.Apply != nil {
			d.apply(w, r.Apply)
		}
	}
}

// apply replaces the Deployment by one of its name. A template that differs is a new revision, also
// if it is that of an older one.
func (d *deployment) apply(w *world, next *appsv1.Deployment) {
	if d.kind != "Deployment" || next.Name != d.object.Name || next.Namespace != d.object.Namespace {
		return
	}
	if !equality.Semantic.DeepEqual(d.object.Spec.Template, next.Spec.Template) {
		d.revision++
	}
	changed := *d.object // the sets keep the template that they were made of
	changed.Spec = *next.Spec.DeepCopy()
	d.object = &changed
	d.size = int(valueOr(next.Spec.Replicas, 1))
	w.unsettled = true
}

func (w *world) podChanged(change watch.EventType, pod *corev1.Pod) {
	if w.client != nil {
		w.client.PodChanged(w.now, change, pod)
	}
}

func (w *world) eventAdded(about corev1.ObjectReference, eventType, reason, message string) {
	if w.client != nil {
		w.client.EventAdded(w.now, about, eventType, reason, message)
	}
}

// endpointsChanged tells the client of the Pods that a Service selects.
func (w *world) endpointsChanged(r *route) {
	if w.client == nil || r.name == "" {
		return
	}
	var selected []*corev1.Pod
	for _, p := range w.pods {
		if r.selects(p.object) {
			selected = append(selected, p.object)
		}
	}
	w.client.EndpointsChanged(w.now, types.NamespacedName{Namespace: r.space, Name: r.name}, r.publish, selected)
}
