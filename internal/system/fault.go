package system

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/store"
)

// Inject does a fault to the process of a Pod's container that runs, and returns when it is done.
// undo undoes it, as often as it is called and whatever has become of the Pod; the shepherd does so
// itself when the fault's time is over. A container that is restarted has none of it. See
// [process.Faulty] for the errors.
func (s *System) Inject(namespace, pod, container string, fault process.Fault) (undo func() error, err error) {
	object, err := store.Get[*corev1.Pod](s.store, namespace, pod)
	if err == nil {
		undo, err = s.node.Inject(object.UID, container, fault)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot do the fault %q to container %s of pod %s: %w", fault.Kind, container, pod, err)
	}
	return undo, nil
}
