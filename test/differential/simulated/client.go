package simulated

import (
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/probity-run/probity/internal/simulate"
	"github.com/probity-run/probity/internal/workload"
	"github.com/probity-run/probity/test/differential/trace"
)

// A play is the client of its simulation: it asks for the scenario's steps, and observes what a
// watch of a real cluster would show.
var _ simulate.Client = (*play)(nil)

// Requests implements [simulate.Client].
func (p *play) Requests() []simulate.Request { return p.requests }

func (p *play) observe(at time.Duration, change watch.EventType, object runtime.Object) {
	p.seen = append(p.seen, trace.Observation{At: epoch().Add(at), Type: change, Object: object})
}

// PodChanged implements [simulate.Client].
func (p *play) PodChanged(at time.Duration, change watch.EventType, pod *corev1.Pod) {
	p.observe(at, change, pod.DeepCopy())
}

// DeploymentChanged implements [simulate.Client].
func (p *play) DeploymentChanged(at time.Duration, d *appsv1.Deployment) {
	p.observe(at, watch.Modified, d.DeepCopy())
}

// ReplicaSetAdded implements [simulate.Client].
func (p *play) ReplicaSetAdded(at time.Duration, name types.NamespacedName, owner metav1.OwnerReference) {
	set := &appsv1.ReplicaSet{}
	set.Name, set.Namespace, set.OwnerReferences = name.Name, name.Namespace, []metav1.OwnerReference{owner}
	p.observe(at, watch.Added, set)
}

// EventAdded implements [simulate.Client].
func (p *play) EventAdded(at time.Duration, about corev1.ObjectReference, eventType, reason, message string) {
	p.events++
	e := &corev1.Event{InvolvedObject: about, Type: eventType, Reason: reason, Message: message, Count: 1}
	e.Name = fmt.Sprintf("%s.%d", about.Name, p.events)
	p.observe(at, watch.Added, e)
}

// EndpointsChanged implements [simulate.Client].
func (p *play) EndpointsChanged(at time.Duration, service types.NamespacedName, publishNotReady bool, pods []*corev1.Pod) {
	slice := &discoveryv1.EndpointSlice{AddressType: discoveryv1.AddressTypeIPv4}
	slice.Name, slice.Namespace, slice.Labels = service.Name, service.Namespace, map[string]string{discoveryv1.LabelServiceName: service.Name}
	for _, pod := range pods {
		if workload.IsEndpoint(pod) {
			slice.Endpoints = append(slice.Endpoints, discoveryv1.Endpoint{
				Addresses: []string{pod.Status.PodIP}, Conditions: workload.EndpointConditions(pod, publishNotReady),
				TargetRef: &corev1.ObjectReference{Kind: "Pod", Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID},
			})
		}
	}
	if !equality.Semantic.DeepEqual(p.slices[service.Name], slice) {
		p.slices[service.Name] = slice
		p.observe(at, watch.Modified, slice)
	}
}
