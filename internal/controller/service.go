package controller

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/probity-run/probity/internal/registry"
	"github.com/probity-run/probity/internal/store"
	"github.com/probity-run/probity/internal/workload"
)

// managedBy marks the slices that are ours; others are left to those who made them.
const managedBy = "endpointslice-controller.k8s.io"

// syncService writes the EndpointSlices of a Service. One without a selector, or of type
// ExternalName, has none of ours.
func (c *Controller) syncService(namespace, name string) (again time.Time, err error) {
	service, err := store.Get[*corev1.Service](c.store, namespace, name)
	if err != nil {
		c.warnings.forget(namespace, name)
		return time.Time{}, ifThere(err)
	}
	if service.Spec.Type == corev1.ServiceTypeExternalName || len(service.Spec.Selector) == 0 {
		return time.Time{}, nil
	}
	pods, _ := store.List[*corev1.Pod](c.store, store.Selector{Namespace: namespace, Labels: labels.SelectorFromSet(service.Spec.Selector)})
	existing, _ := store.List[*discoveryv1.EndpointSlice](c.store, store.Selector{
		Namespace: namespace, Labels: labels.SelectorFromSet(labels.Set{discoveryv1.LabelServiceName: name, discoveryv1.LabelManagedBy: managedBy}),
	})
	endpoints, unnamed := c.endpointsOf(service, pods)
	err = c.writeSlices(service, existing, workload.Slices(existing, endpoints))
	return c.warnAbout(service, pods, unnamed), err
}

// endpointsOf are the endpoints of the Pods that have an address. unnamed counts, by the name of a
// port, which no other of the Service has, the Pods that do not know its targetPort.
func (c *Controller) endpointsOf(service *corev1.Service, pods []*corev1.Pod) (placed []workload.PlacedEndpoint, unnamed map[string]int) {
	unnamed = map[string]int{}
	for _, pod := range pods {
		ports, missing := workload.EndpointPorts(service.Spec.Ports, pod, c.portsOf(pod))
		for _, p := range missing {
			unnamed[p.Name]++
		}
		if workload.IsEndpoint(pod) {
			placed = append(placed, workload.PlacedEndpoint{Endpoint: endpointOf(service, pod), Ports: ports})
		}
	}
	return placed, unnamed
}

func endpointOf(service *corev1.Service, pod *corev1.Pod) discoveryv1.Endpoint {
	e := discoveryv1.Endpoint{
		Addresses:  []string{pod.Status.PodIP},
		Conditions: workload.EndpointConditions(pod, service.Spec.PublishNotReadyAddresses),
		TargetRef:  &corev1.ObjectReference{Kind: "Pod", Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID},
	}
	if pod.Spec.NodeName != "" {
		e.NodeName = new(pod.Spec.NodeName)
	}
	if pod.Spec.Hostname != "" && pod.Spec.Subdomain == service.Name {
		e.Hostname = new(pod.Spec.Hostname)
	}
	return e
}

// writeSlices makes, changes and deletes slices, in this order, so that no endpoint is missing in
// between.
func (c *Controller) writeSlices(service *corev1.Service, existing []*discoveryv1.EndpointSlice, wanted []workload.SliceContent) error {
	var errs []error
	left := map[string]*discoveryv1.EndpointSlice{}
	for _, slice := range existing {
		left[slice.Name] = slice
	}
	for _, content := range wanted {
		if content.Name == "" {
			_, err := registry.Create(c.registry, newSlice(service, content))
			errs = append(errs, err)
		}
	}
	for _, content := range wanted {
		if slice := left[content.Name]; slice != nil {
			errs = append(errs, c.updateSlice(slice, newSlice(service, content)))
			delete(left, content.Name)
		}
	}
	for _, slice := range left {
		err := store.Delete[*discoveryv1.EndpointSlice](c.store, slice.Namespace, slice.Name, store.DeleteOptions{UID: slice.UID})
		errs = append(errs, ifThere(err))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("cannot write EndpointSlices: %w", err)
	}
	return nil
}

func newSlice(service *corev1.Service, content workload.SliceContent) *discoveryv1.EndpointSlice {
	slice := &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: service.Namespace, GenerateName: service.Name + "-", OwnerReferences: []metav1.OwnerReference{controllerRef(service)},
			Labels: maps.Clone(service.Labels),
		},
		AddressType: discoveryv1.AddressTypeIPv4, Endpoints: content.Endpoints, Ports: content.Ports,
	}
	if slice.Labels == nil {
		slice.Labels = map[string]string{}
	}
	delete(slice.Labels, corev1.IsHeadlessService)
	if service.Spec.ClusterIP == corev1.ClusterIPNone {
		slice.Labels[corev1.IsHeadlessService] = ""
	}
	slice.Labels[discoveryv1.LabelServiceName] = service.Name
	slice.Labels[discoveryv1.LabelManagedBy] = managedBy
	return slice
}

// updateSlice writes what differs between a slice and what it shall be.
func (c *Controller) updateSlice(slice, wanted *discoveryv1.EndpointSlice) error {
	if maps.Equal(slice.Labels, wanted.Labels) && slices.EqualFunc(slice.Ports, wanted.Ports, samePort) && slices.EqualFunc(slice.Endpoints, wanted.Endpoints, sameEndpoint) {
		return nil
	}
	next := *slice
	next.Labels, next.Ports, next.Endpoints = wanted.Labels, wanted.Ports, wanted.Endpoints
	_, err := registry.Update(c.registry, &next)
	return err
}

// samePort compares all that a port has.
func samePort(a, b discoveryv1.EndpointPort) bool {
	return same(a.Name, b.Name) && same(a.Protocol, b.Protocol) && same(a.Port, b.Port) && same(a.AppProtocol, b.AppProtocol)
}

// sameEndpoint compares what we write, by hand: each change of a Pod compares all endpoints of its
// Services.
func sameEndpoint(a, b discoveryv1.Endpoint) bool {
	return slices.Equal(a.Addresses, b.Addresses) && same(a.Conditions.Ready, b.Conditions.Ready) && same(a.Conditions.Serving, b.Conditions.Serving) &&
		same(a.Conditions.Terminating, b.Conditions.Terminating) && same(a.TargetRef, b.TargetRef) && same(a.NodeName, b.NodeName) && same(a.Hostname, b.Hostname)
}

func same[T comparable](a, b *T) bool { return a == b || a != nil && b != nil && *a == *b }
