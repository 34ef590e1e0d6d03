package simulate

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/manifest"
)

// sawEvent tells of an Event, which is one of its own each time it happens.
func (w *world) sawEvent(about corev1.ObjectReference, kind, reason, message string) {
	if w.see == nil {
		return
	}
	w.seen++
	e := &corev1.Event{InvolvedObject: about, Type: kind, Reason: reason, Message: message, Count: 1}
	e.Name = fmt.Sprintf("%s.%d", about.Name, w.seen)
	w.saw(watch.Added, e)
}

// tell tells of a Service's endpoints, if somebody watches.
func (r *route) tell(w *world) {
	if w.see == nil || r.name == "" {
		return
	}
	slice := &discoveryv1.EndpointSlice{AddressType: discoveryv1.AddressTypeIPv4}
	slice.Name, slice.Namespace, slice.Labels = r.name, r.space, map[string]string{discoveryv1.LabelServiceName: r.name}
	for _, p := range w.pods {
		if r.selects(p.object) && lifecycle.IsEndpoint(p.object) {
			slice.Endpoints = append(slice.Endpoints, discoveryv1.Endpoint{
				Addresses: []string{p.object.Status.PodIP}, Conditions: lifecycle.EndpointConditions(p.object, r.publish),
				TargetRef: &corev1.ObjectReference{Kind: "Pod", Namespace: r.space, Name: p.object.Name, UID: p.object.UID},
			})
		}
	}
	if equality.Semantic.DeepEqual(r.told, slice) {
		return
	}
	r.told = slice
	w.saw(watch.Modified, slice)
}

// replicaSetObject is a set as the API has it, as far as anyone asks.
func (d *deployment) replicaSetObject(set *replicaSet) *appsv1.ReplicaSet {
	object := &appsv1.ReplicaSet{}
	object.Name, object.Namespace = set.name, d.object.Namespace
	object.OwnerReferences = []metav1.OwnerReference{ownedBy(d.kind, d.object.Name)}
	return object
}

func ownedBy(kind, name string) metav1.OwnerReference {
	return metav1.OwnerReference{APIVersion: "apps/v1", Kind: kind, Name: name, Controller: new(true)}
}

// apply replaces the Deployment by one of its name. A template that differs is a new revision, also
// if it is that of an older one.
func (d *deployment) apply(w *world, object manifest.Resource) {
	next, ok := object.(*appsv1.Deployment)
	if !ok || d.kind != "Deployment" || next.Name != d.object.Name || next.Namespace != d.object.Namespace {
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
