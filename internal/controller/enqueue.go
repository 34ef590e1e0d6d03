package controller

import (
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/probity-run/probity/internal/store"
)

// enqueue makes due whom a change concerns.
func (c *Controller) enqueue(change store.Change) {
	switch o := change.Object.(type) {
	case *corev1.Service:
		c.queue.add(keyOf(kindService, o))
	case *discoveryv1.EndpointSlice:
		if name := o.Labels[discoveryv1.LabelServiceName]; name != "" {
			c.queue.add(key{kindService, o.Namespace, name})
		}
	case *corev1.Pod:
		c.enqueueForPod(o, change.Type == store.Deleted)
	case *appsv1.ReplicaSet:
		c.queue.add(keyOf(kindReplicaSet, o))
		c.enqueueOwner(o, "Deployment", kindDeployment)
	case *appsv1.StatefulSet:
		c.queue.add(keyOf(kindStatefulSet, o))
	case *appsv1.Deployment:
		c.queue.add(keyOf(kindDeployment, o))
	}
}

// enqueueForPod makes due the Services that select a Pod, or did before its labels changed, and
// those who have to replace it.
func (c *Controller) enqueueForPod(pod *corev1.Pod, gone bool) {
	before := c.labels[pod.UID]
	c.labels[pod.UID] = pod.Labels
	if gone {
		delete(c.labels, pod.UID)
		c.queue.retryNow() // there is room for a Pod that did not fit
	}
	services, _ := store.List[*corev1.Service](c.store, store.Selector{Namespace: pod.Namespace})
	for _, s := range services {
		if selects(s.Spec.Selector, pod.Labels) || selects(s.Spec.Selector, before) {
			c.queue.add(keyOf(kindService, s))
		}
	}
	c.enqueueOwner(pod, "ReplicaSet", kindReplicaSet)
	c.enqueueOwner(pod, "StatefulSet", kindStatefulSet)
	// it has no owner, or one that is gone: a Deployment may still have to wait for its end
	if c.setOf(pod) == nil {
		c.enqueueSelecting(pod, kindDeployment)
	}
}

// enqueueOwner makes the owner of an object due; of one without an owner, those who could adopt it.
func (c *Controller) enqueueOwner(o store.Object, name string, k kind) {
	owner := metav1.GetControllerOfNoCopy(o)
	switch {
	case owner == nil:
		c.enqueueSelecting(o, k)
	case owner.Kind == name:
		c.queue.add(key{k, o.GetNamespace(), owner.Name})
		// the Deployment has to know about the Pods that it waits for
		if set := c.setOf(o); set != nil {
			c.enqueueOwner(set, "Deployment", kindDeployment)
		}
	}
}

// setOf is the ReplicaSet that owns a Pod, nil if none does or it is gone.
func (c *Controller) setOf(o store.Object) *appsv1.ReplicaSet {
	owner := metav1.GetControllerOfNoCopy(o)
	if owner == nil || owner.Kind != "ReplicaSet" {
		return nil
	}
	set, err := store.Get[*appsv1.ReplicaSet](c.store, o.GetNamespace(), owner.Name)
	if err != nil || set.UID != owner.UID {
		return nil
	}
	return set
}

// enqueueSelecting makes due the objects of a kind whose selectors select an object.
func (c *Controller) enqueueSelecting(o store.Object, k kind) {
	for _, candidate := range c.selectors(k, o.GetNamespace()) {
		if candidate.selector.Matches(labels.Set(o.GetLabels())) {
			c.queue.add(candidate.key)
		}
	}
}

// selecting is an object and what it selects.
type selecting struct {
	key      key
	selector labels.Selector
}

// selectors are the workloads of a kind in a namespace. One whose selector cannot be read selects
// nothing; its own sync says so.
func (c *Controller) selectors(k kind, namespace string) (all []selecting) {
	within := store.Selector{Namespace: namespace}
	switch k {
	case kindReplicaSet:
		sets, _ := store.List[*appsv1.ReplicaSet](c.store, within)
		for _, s := range sets {
			all = appendSelecting(all, keyOf(k, s), s.Spec.Selector)
		}
	case kindStatefulSet:
		sets, _ := store.List[*appsv1.StatefulSet](c.store, within)
		for _, s := range sets {
			all = appendSelecting(all, keyOf(k, s), s.Spec.Selector)
		}
	case kindDeployment:
		deployments, _ := store.List[*appsv1.Deployment](c.store, within)
		for _, d := range deployments {
			all = appendSelecting(all, keyOf(k, d), d.Spec.Selector)
		}
	}
	return slices.Clip(all)
}

func appendSelecting(all []selecting, k key, s *metav1.LabelSelector) []selecting {
	selector, err := metav1.LabelSelectorAsSelector(s)
	if err != nil || selector.Empty() {
		return all
	}
	return append(all, selecting{k, selector})
}

// selects reports whether a Service's selector selects labels. An empty one selects nothing: such a
// Service is left to whoever made it.
func selects(selector, labels map[string]string) bool {
	for name, value := range selector {
		if got, ok := labels[name]; !ok || got != value {
			return false
		}
	}
	return len(selector) > 0
}
