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
func (c *cluster) expectRequests() {
	if c.client == nil {
		return
	}
	for _, r := range c.client.Requests() {
		c.schedule(r.At, func() { c.request(r) })
	}
}

// request does what a client asks, now.
func (c *cluster) request(r Request) {
	for _, p := range c.pods {
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
	for _, load := range c.workloads {
		if d, ok := load.(*deployment); ok && r.Apply != nil {
			d.apply(c, r.Apply)
		}
	}
}

// apply replaces the Deployment by one of its name. A template that differs is a new revision, also
// if it is that of an older one.
func (d *deployment) apply(c *cluster, next *appsv1.Deployment) {
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
	c.syncDue = true
}

func (c *cluster) podChanged(change watch.EventType, pod *corev1.Pod) {
	if c.client != nil {
		c.client.PodChanged(c.now, change, pod)
	}
}

func (c *cluster) eventAdded(about corev1.ObjectReference, eventType, reason, message string) {
	if c.client != nil {
		c.client.EventAdded(c.now, about, eventType, reason, message)
	}
}

// endpointsChanged tells the client of the Pods that a Service selects.
func (c *cluster) endpointsChanged(r *route) {
	if c.client == nil || r.name == "" {
		return
	}
	var selected []*corev1.Pod
	for _, p := range c.pods {
		if r.isFor(p) {
			selected = append(selected, p.object)
		}
	}
	c.client.EndpointsChanged(c.now, types.NamespacedName{Namespace: r.space, Name: r.name}, r.publish, selected)
}
