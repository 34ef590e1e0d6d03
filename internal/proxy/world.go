package proxy

import (
	"maps"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/store"
)

// world is what the proxy's loop knows of the store. It belongs to the loop.
type world struct {
	services map[types.NamespacedName]*corev1.Service
	slices   map[types.NamespacedName]*discoveryv1.EndpointSlice
	pods     map[types.NamespacedName]*corev1.Pod
}

// kinds are those that the proxy watches.
func kinds() []store.Object {
	return []store.Object{&corev1.Service{}, &discoveryv1.EndpointSlice{}, &corev1.Pod{}}
}

// look reads the store. A watch from the version misses nothing.
func look(s *store.Store) (w world, version string) {
	// the first version: what changes during the next lists is seen again
	w.services, version = list[*corev1.Service](s)
	w.slices, _ = list[*discoveryv1.EndpointSlice](s)
	w.pods, _ = list[*corev1.Pod](s)
	return w, version
}

func list[T store.Object](s *store.Store) (map[types.NamespacedName]T, string) {
	objects, version := store.List[T](s, store.Selector{})
	byName := map[types.NamespacedName]T{}
	for _, o := range objects {
		byName[nameOf(o)] = o
	}
	return byName, version
}

// learn takes a change in, unless the world knows more already, and returns the Services that it
// concerns.
func (w *world) learn(c store.Change) []types.NamespacedName {
	switch o := c.Object.(type) {
	case *corev1.Service:
		if change(w.services, o, c.Type) {
			return []types.NamespacedName{nameOf(o)}
		}
	case *discoveryv1.EndpointSlice:
		if change(w.slices, o, c.Type) {
			return []types.NamespacedName{serviceOf(o)}
		}
	case *corev1.Pod:
		before := w.pods[nameOf(o)]
		// what a Pod's probes look for does not change
		if change(w.pods, o, c.Type) && before == nil {
			return w.selecting(o)
		}
	}
	return nil
}

// change says whether the object is newer than what is known, and keeps it then.
func change[T store.Object](known map[types.NamespacedName]T, o T, kind store.ChangeType) bool {
	name := nameOf(o)
	if before, ok := known[name]; ok && versionOf(before) >= versionOf(o) {
		return false
	}
	if kind == store.Deleted {
		delete(known, name)
	} else {
		known[name] = o
	}
	return true
}

// selecting lists the Services that select a Pod.
func (w *world) selecting(pod *corev1.Pod) []types.NamespacedName {
	var names []types.NamespacedName
	for name, service := range w.services {
		if selects(service, pod) {
			names = append(names, name)
		}
	}
	return names
}

// selected lists the Pods that a Service selects, in no order.
func (w *world) selected(service *corev1.Service) []*corev1.Pod {
	var pods []*corev1.Pod
	for _, pod := range w.pods {
		if selects(service, pod) {
			pods = append(pods, pod)
		}
	}
	return pods
}

func selects(service *corev1.Service, pod *corev1.Pod) bool {
	return len(service.Spec.Selector) > 0 && service.Namespace == pod.Namespace &&
		labels.SelectorFromSet(service.Spec.Selector).Matches(labels.Set(pod.Labels))
}

// slicesOf lists the EndpointSlices of a Service by name.
func (w *world) slicesOf(service types.NamespacedName) []*discoveryv1.EndpointSlice {
	var found []*discoveryv1.EndpointSlice
	for _, name := range slices.SortedFunc(maps.Keys(w.slices), compareNames) {
		if s := w.slices[name]; serviceOf(s) == service && s.DeletionTimestamp == nil {
			found = append(found, s)
		}
	}
	return found
}

func serviceOf(s *discoveryv1.EndpointSlice) types.NamespacedName {
	return types.NamespacedName{Namespace: s.Namespace, Name: s.Labels[discoveryv1.LabelServiceName]}
}

func nameOf(o store.Object) types.NamespacedName {
	return types.NamespacedName{Namespace: o.GetNamespace(), Name: o.GetName()}
}

func compareNames(a, b types.NamespacedName) int {
	return slices.Compare([]string{a.Namespace, a.Name}, []string{b.Namespace, b.Name})
}

// versionOf is an object's resource version, which in this store is a number that only grows.
func versionOf(o store.Object) uint64 {
	v, err := strconv.ParseUint(o.GetResourceVersion(), 10, 64)
	if err != nil {
		return 0 // an object that was never stored
	}
	return v
}
