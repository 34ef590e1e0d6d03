package history

import (
	"slices"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// maxChanges is how many changes, and how many instances, are kept of a Pod.
const maxChanges = 200

// ChangeKind is what changed.
type ChangeKind string

// The kinds of changes.
const (
	PhaseChanged   ChangeKind = "Phase"   // of the Pod: Pending, Running, Succeeded, Failed
	ReadyChanged   ChangeKind = "Ready"   // of the Pod, or of a container: "True" or "False"
	StartedChanged ChangeKind = "Started" // of a container: "True" or "False"
	StateChanged   ChangeKind = "State"   // of a container: Running, or the reason why it is not
	ProbeChanged   ChangeKind = "Probe"   // what is acted upon of a probe: a Result in words
)

// Change is one change of a Pod's state.
type Change struct {
	Time time.Time
	Kind ChangeKind
	// Container is whose state changed; "" is the Pod. Probe is the type of the probe, for
	// ProbeChanged only.
	Container, Probe string
	// From is "" the first time.
	From, To string
	// Message is the reason, if there is one.
	Message string
}

// changes are the differences between two statuses of a Pod, the Pod's own last.
func changes(before, after *corev1.PodStatus, at time.Time) (all []Change) {
	add := func(c Change) {
		if c.From != c.To {
			c.Time = at
			all = append(all, c)
		}
	}
	former := statuses(before)
	for name, next := range statuses(after) {
		last := former[name]
		from, _ := state(&last)
		to, message := state(&next)
		add(Change{Kind: StateChanged, Container: name, From: from, To: to, Message: message})
		add(Change{Kind: StartedChanged, Container: name, From: truth(last.Name != "", isTrue(last.Started)), To: truth(true, isTrue(next.Started))})
		add(Change{Kind: ReadyChanged, Container: name, From: truth(last.Name != "", last.Ready), To: truth(true, next.Ready)})
	}
	slices.SortStableFunc(all, func(a, b Change) int { return order(after, a.Container) - order(after, b.Container) })
	add(Change{Kind: PhaseChanged, From: string(before.Phase), To: string(after.Phase), Message: after.Message})
	from, _ := podReady(before)
	to, message := podReady(after)
	add(Change{Kind: ReadyChanged, From: from, To: to, Message: message})
	return all
}

// statuses are the statuses of a Pod's containers, by name.
func statuses(status *corev1.PodStatus) map[string]corev1.ContainerStatus {
	all := map[string]corev1.ContainerStatus{}
	for _, s := range slices.Concat(status.InitContainerStatuses, status.ContainerStatuses) {
		all[s.Name] = s
	}
	return all
}

// order is the place of a container in the status.
func order(status *corev1.PodStatus, name string) int {
	return slices.IndexFunc(slices.Concat(status.InitContainerStatuses, status.ContainerStatuses), func(s corev1.ContainerStatus) bool { return s.Name == name })
}

// state is the state of a container in one word, "" if it has none yet.
func state(s *corev1.ContainerStatus) (word, message string) {
	switch {
	case s.State.Waiting != nil:
		return s.State.Waiting.Reason, s.State.Waiting.Message
	case s.State.Running != nil:
		return "Running", ""
	case s.State.Terminated != nil:
		return s.State.Terminated.Reason, s.State.Terminated.Message
	}
	return "", ""
}

func podReady(status *corev1.PodStatus) (ready, message string) {
	for _, c := range status.Conditions {
		if c.Type == corev1.PodReady {
			return string(c.Status), c.Message
		}
	}
	return "", ""
}

func isTrue(b *bool) bool { return b != nil && *b }

// truth is "True" or "False", or "" if that is not known.
func truth(known, value bool) string {
	switch {
	case !known:
		return ""
	case value:
		return "True"
	}
	return "False"
}

// list is a list that has one writer. Readers take all of it as it is at one moment.
type list[T any] struct {
	items atomic.Pointer[[]T]
}

// all are the items, oldest first, which nobody modifies.
func (l *list[T]) all() []T {
	if items := l.items.Load(); items != nil {
		return *items
	}
	return nil
}

// add appends an item and drops the oldest one if there are too many.
func (l *list[T]) add(item T) {
	items := append(l.all(), item) // behind what readers look at
	if len(items) > maxChanges {
		items = items[len(items)-maxChanges:]
	}
	l.items.Store(&items)
}

// set replaces the list.
func (l *list[T]) set(items []T) { l.items.Store(&items) }
