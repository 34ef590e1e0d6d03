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

// cache holds the objects of the store that the proxy routes by, as its loop saw them last. Only
// the loop reads and writes it.
type cache struct {
	services map[types.NamespacedName]*corev1.Service
	slices   map[types.NamespacedName]*discoveryv1.EndpointSlice
	pods     map[types.NamespacedName]*corev1.Pod
}

// watchedKinds are the kinds of objects that the proxy watches.
func watchedKinds() []store.Object {
	return []store.Object{&corev1.Service{}, &discoveryv1.EndpointSlice{}, &corev1.Pod{}}
}

func emptyCache() cache {
	return cache{map[types.NamespacedName]*corev1.Service{}, map[types.NamespacedName]*discoveryv1.EndpointSlice{}, map[types.NamespacedName]*corev1.Pod{}}
}

// newCache lists the store. A watch that begins at the version misses nothing.
func newCache(s *store.Store) (c cache, version string) {
	// the version of the first list: what changes during the next two is seen again by the watch
	c.services, version = listByName[*corev1.Service](s)
	c.slices, _ = listByName[*discoveryv1.EndpointSlice](s)
	c.pods, _ = listByName[*corev1.Pod](s)
	return c, version
}

func listByName[T store.Object](s *store.Store) (map[types.NamespacedName]T, string) {
	objects, version := store.List[T](s, store.Selector{})
	byName := map[types.NamespacedName]T{}
	for _, o := range objects {
		byName[nameOf(o)] = o
	}
	return byName, version
}

// update takes a change in, unless the cache has a newer object already, and returns the Services
// whose routing it may change.
func (c *cache) update(change store.Change) []types.NamespacedName {
	switch o := change.Object.(type) {
	case *corev1.Service:
		if keepNewer(c.services, o, change.Type) {
			return []types.NamespacedName{nameOf(o)}
		}
	case *discoveryv1.EndpointSlice:
		if keepNewer(c.slices, o, change.Type) {
			return []types.NamespacedName{serviceOfSlice(o)}
		}
	case *corev1.Pod:
		before := c.pods[nameOf(o)]
		// only a new Pod matters: which ports its probes use never changes (see protocolOf)
		if keepNewer(c.pods, o, change.Type) && before == nil {
			return c.servicesSelecting(o)
		}
	}
	return nil
}

// keepNewer stores an object, or deletes it, if it is newer than the known one, and reports whether
// it was.
func keepNewer[T store.Object](known map[types.NamespacedName]T, o T, change store.ChangeType) bool {
	name := nameOf(o)
	if before, ok := known[name]; ok && versionOf(before) >= versionOf(o) {
		return false
	}
	if change == store.Deleted {
		delete(known, name)
	} else {
		known[name] = o
	}
	return true
}

// servicesSelecting lists the Services that select a Pod.
func (c *cache) servicesSelecting(pod *corev1.Pod) []types.NamespacedName {
	var names []types.NamespacedName
	for name, service := range c.services {
		if selects(service, pod) {
			names = append(names, name)
		}
	}
	return names
}

// podsSelectedBy lists the Pods that a Service selects, in no order.
func (c *cache) podsSelectedBy(service *corev1.Service) []*corev1.Pod {
	var pods []*corev1.Pod
	for _, pod := range c.pods {
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

// byAge sorts the names of Services: the oldest first, so that it gets a port that two Services
// declare.
func (c *cache) byAge(names map[types.NamespacedName]bool) []types.NamespacedName {
	return slices.SortedFunc(maps.Keys(names), func(a, b types.NamespacedName) int {
		if x, y := c.services[a], c.services[b]; x != nil && y != nil {
			if c := x.CreationTimestamp.Compare(y.CreationTimestamp.Time); c != 0 {
				return c
			}
		}
		return compareNames(a, b)
	})
}

// slicesOf lists the EndpointSlices of a Service, sorted by name.
func (c *cache) slicesOf(service types.NamespacedName) []*discoveryv1.EndpointSlice {
	var found []*discoveryv1.EndpointSlice
	for _, name := range slices.SortedFunc(maps.Keys(c.slices), compareNames) {
		if s := c.slices[name]; serviceOfSlice(s) == service && s.DeletionTimestamp == nil {
			found = append(found, s)
		}
	}
	return found
}

func serviceOfSlice(s *discoveryv1.EndpointSlice) types.NamespacedName {
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
