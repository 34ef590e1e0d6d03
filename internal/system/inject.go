package system

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

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

// Deadlock makes the program of a Pod's container hang by itself: see [node.Node.Deadlock]. undo
// can be called more than once.
func (s *System) Deadlock(ctx context.Context, namespace, pod, container string, limit time.Duration) (undo func() error, err error) {
	object, err := store.Get[*corev1.Pod](s.store, namespace, pod)
	if err == nil {
		undo, err = s.node.Deadlock(ctx, object, container, limit)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot make container %s of pod %s hang by itself: %w", container, pod, err)
	}
	return undo, nil
}

// drillDir makes the folder for the sockets of drills; "" if there is none. It goes away with those
// of Secrets, which are this user's alone.
func (s *System) drillDir() string {
	if !s.opts.Faults {
		return ""
	}
	dir := filepath.Join(s.state.secrets.path, "drill")
	if os.Mkdir(dir, 0o700) != nil {
		return "" // Deadlock will say what it lacks
	}
	return dir
}

// LimitBackoff caps the crash-loop back-off of all Pods for a while. With 0 that time is over, and
// the back-off of each is what it was before: see [lifecycle.BackoffLimited].
func (s *System) LimitBackoff(limit time.Duration) { s.node.LimitBackoff(limit) }
