package system

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"syscall"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/registry"
	"github.com/probity-run/probity/internal/store"
)

// Restart stops the containers of a Pod that run, with their hooks and grace period, and starts
// them again; those that wait for their back-off start now. It does not wait for it. A Pod that has
// ended for good cannot be restarted.
func (s *System) Restart(namespace, name string) error {
	return s.RestartContainer(namespace, name, "")
}

// RestartContainer restarts one container of a Pod as Restart does; all of them if it has no name.
func (s *System) RestartContainer(namespace, name, container string) error {
	pod, err := store.Get[*corev1.Pod](s.store, namespace, name)
	if err != nil {
		return fmt.Errorf("cannot restart pod %s: %w", name, err)
	}
	known := slices.ContainsFunc(lifecycle.Containers(&pod.Spec), func(c *corev1.Container) bool { return c.Name == container })
	if container != "" && !known {
		return fmt.Errorf("cannot restart container %s of pod %s: it has no such container", container, name)
	}
	if pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed {
		return fmt.Errorf("cannot restart pod %s: it has ended for good; save its manifest with a change, or delete it if a workload makes it", name)
	}
	if err := s.node.Restart(pod.UID, container); err != nil {
		return fmt.Errorf("cannot restart pod %s: %w", name, err)
	}
	return nil
}

// DeletePod deletes a Pod with its grace period. It does not wait for its end. What makes it, makes
// another one.
func (s *System) DeletePod(namespace, name string) error {
	if err := store.Delete[*corev1.Pod](s.store, namespace, name, store.DeleteOptions{}); err != nil {
		return fmt.Errorf("cannot delete pod %s: %w", name, err)
	}
	return nil
}

// ReplacePod deletes a Pod with its grace period, and makes the other one of its name when it is
// gone, as kubectl replace --force does. It does not wait for that. next has its kind; options are
// those of its creation. Refused is a Pod that ends already, and one in whose place next could not
// be made.
func (s *System) ReplacePod(ctx context.Context, live, next *corev1.Pod, options registry.WriteOptions) error {
	var err error
	replaced := make(chan struct{})
	replace := func() {
		defer close(replaced)
		if err = errEnded; !s.Stopping() {
			err = s.applier.replaceBy(live, next, options)
		}
	}
	select {
	case s.requests <- replace:
		<-replaced
	case <-s.stop:
		err = errEnded
	case <-s.done:
		err = errEnded
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("cannot replace pod %s: %w", live.Name, err)
	}
	return nil
}

// Waits reports whether a Pod of the manifests, or one that replaces another one, is still to be
// made: when the one of its name is gone, or when there is a place for it.
func (s *System) Waits(namespace, name string) bool {
	return s.applier.waits(manifest.Ref{Kind: "Pod", Namespace: namespace, Name: name})
}

// SetRotation takes a Pod out of rotation by hand, or brings it back: it is then no ready endpoint
// of its Services, whatever its probes say ([manifest.AnnotationRotation]).
func (s *System) SetRotation(namespace, name string, out bool) error {
	_, err := store.Modify(s.store, namespace, name, func(pod *corev1.Pod) error {
		if !out {
			delete(pod.Annotations, manifest.AnnotationRotation)
			return nil
		}
		if pod.Annotations == nil {
			pod.Annotations = map[string]string{}
		}
		pod.Annotations[manifest.AnnotationRotation] = manifest.RotationOut
		return nil
	})
	if err != nil {
		return fmt.Errorf("cannot change the rotation of pod %s: %w", name, err)
	}
	return nil
}

// Signal sends a signal to the process of a Pod's container that runs.
func (s *System) Signal(namespace, name, container string, sig syscall.Signal) error {
	pod, err := store.Get[*corev1.Pod](s.store, namespace, name)
	if err == nil {
		err = s.node.Signal(pod.UID, container, sig)
	}
	if err != nil {
		return fmt.Errorf("cannot send %v to pod %s: %w", sig, name, err)
	}
	return nil
}

// Listeners are the addresses at which the processes of a Pod's containers listen, by container.
func (s *System) Listeners(ctx context.Context, pod types.UID) (map[string][]netip.AddrPort, error) {
	return s.node.Listeners(ctx, pod)
}

// Exec runs a command beside a container: see [node.Node.Exec].
func (s *System) Exec(ctx context.Context, pod types.UID, container string, command []string, streams process.Streams) (int, error) {
	return s.node.Exec(ctx, pod, container, command, streams)
}

// Attach follows what a container prints: see [node.Node.Attach].
func (s *System) Attach(ctx context.Context, pod types.UID, container string, stdout, stderr io.Writer) error {
	return s.node.Attach(ctx, pod, container, stdout, stderr)
}

// DialPort opens a connection to a port of a Pod: see [node.Node.DialPort].
func (s *System) DialPort(ctx context.Context, pod types.UID, port int32) (net.Conn, error) {
	return s.node.DialPort(ctx, pod, port)
}

// LogDir is the folder below which the output of containers is kept.
func (s *System) LogDir() string { return s.state.pods }
