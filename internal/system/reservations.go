package system

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/store"
)

// reservations know the ports that Services leave to Pods: those that are fixed, and those that a
// single program might use although PORT tells it another one, until it has shown that it does not.
// They are safe for concurrent use.
type reservations struct {
	store *store.Store

	mu       sync.Mutex                       // guards bySource
	bySource map[string]map[int32]reservation // the files that were applied together, port
}

// reservation is why a port is kept.
type reservation struct {
	owner string // the object that asks for the Pod
	fixed bool   // the Pod has the port for certain
}

func newReservations(s *store.Store) *reservations {
	return &reservations{store: s, bySource: map[string]map[int32]reservation{}}
}

// set notes what a set of files asks for now.
func (r *reservations) set(source string, m *manifests) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bySource[source] = m.reservedPorts()
}

// owner names for whom a port is kept, or returns "".
func (r *reservations) owner(port int) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	tentative := ""
	for _, source := range slices.Sorted(maps.Keys(r.bySource)) {
		switch found, ok := r.bySource[source][int32(port)]; {
		case found.fixed:
			return found.owner + ", which has it fixed"
		case ok && tentative == "":
			tentative = found.owner
		}
	}
	if tentative == "" {
		return ""
	}
	pods, _ := store.List[*corev1.Pod](r.store, store.Selector{})
	switch shown(pods, int32(port)) {
	case portUsed:
		return tentative + ", which listens there whatever PORT says"
	case portFree:
		return ""
	}
	return tentative + ", until it has shown that it listens where PORT says"
}

// portUse is what Pods have shown of a port that they declare.
type portUse int

const (
	portUnknown portUse = iota
	portUsed            // one listens there itself
	portFree            // all listen on a private one
)

// shown finds out what the Pods that run have shown of a port.
func shown(pods []*corev1.Pod, port int32) portUse {
	use := portUnknown
	fixed := fmt.Sprintf("%d:%[1]d", port)
	for _, pod := range pods {
		if pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed || !declares(pod, port) {
			continue
		}
		for name, value := range pod.Annotations {
			if strings.HasPrefix(name, manifest.AnnotationPrivatePorts) && slices.Contains(strings.Split(value, ","), fixed) {
				return portUsed
			}
		}
		if !slices.Contains(strings.Split(pod.Annotations[manifest.AnnotationListening], ","), strconv.Itoa(int(port))) {
			return portUnknown
		}
		use = portFree
	}
	return use
}

func declares(pod *corev1.Pod, port int32) bool {
	for _, c := range slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers) {
		if slices.ContainsFunc(c.Ports, func(p corev1.ContainerPort) bool { return p.ContainerPort == port }) {
			return true
		}
	}
	return false
}

// reservedPorts are the ports that Services leave to the Pods of manifests.
func (m *manifests) reservedPorts() map[int32]reservation {
	ports := map[int32]reservation{}
	replicas := map[manifest.Ref]int{}
	for _, origin := range m.origins {
		replicas[origin.Ref()]++
	}
	for i, pod := range m.pods {
		ref := m.origins[i].Ref()
		alone := replicas[ref] == 1
		fixed := manifest.FixedPorts(&pod.ObjectMeta, &pod.Spec)
		for _, c := range slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers) {
			for _, p := range c.Ports {
				if fixed || alone && !readsPort(&c) && !ports[p.ContainerPort].fixed {
					ports[p.ContainerPort] = reservation{owner: ref.String(), fixed: fixed}
				}
			}
		}
	}
	return ports
}

// readsPort reports whether a manifest shows that the program listens where PORT says.
func readsPort(c *corev1.Container) bool {
	for _, word := range slices.Concat(c.Command, c.Args) {
		if strings.Contains(word, "$(PORT") {
			return true
		}
	}
	return slices.ContainsFunc(c.Env, func(e corev1.EnvVar) bool {
		return e.Name == "PORT" || strings.HasPrefix(e.Name, "PORT_") && slices.ContainsFunc(c.Ports, func(p corev1.ContainerPort) bool {
			return e.Value == strconv.Itoa(int(p.ContainerPort))
		})
	})
}
