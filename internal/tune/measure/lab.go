package measure

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/controller"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/registry"
	"github.com/probity-run/probity/internal/store"
	"github.com/probity-run/probity/internal/system"
)

// lab is a system in which Pods are started and ended by hand.
type lab struct {
	system *system.System
}

// newLab starts a system with all that is no workload: Services, ConfigMaps, Secrets. The caller
// closes it.
func newLab(ctx context.Context, o Options, set *manifest.Set) (*lab, error) {
	s, err := system.New(system.Options{Commands: o.Commands, Env: o.Env, StateDir: o.StateDir, NoAPI: true, NoDashboard: true, Notice: o.Notice})
	if err != nil {
		return nil, err
	}
	if err := s.Start(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	l := &lab{s}
	for _, object := range set.Objects {
		if controller.Count(oneReplica(object.Resource)) > 0 {
			continue
		}
		switch r := object.Resource.(type) {
		case *corev1.Service, *corev1.ConfigMap, *corev1.Secret:
			if _, err := s.Registry().CreateObject(r.DeepCopyObject().(store.Object), registry.WriteOptions{}); err != nil {
				return nil, errors.Join(fmt.Errorf("cannot create %s: %w", object.Ref(), err), l.close())
			}
		}
	}
	return l, nil
}

// close ends the system, and what runs in it at once.
func (l *lab) close() error { return l.system.Close() }

// oneReplica is a copy of an object that asks for one Pod, if it asks for any.
func oneReplica(r manifest.Resource) manifest.Resource {
	copied := r.DeepCopyObject().(manifest.Resource)
	switch o := copied.(type) {
	case *appsv1.Deployment:
		o.Spec.Replicas = new(int32(1))
	case *appsv1.StatefulSet:
		o.Spec.Replicas = new(int32(1))
	case *appsv1.ReplicaSet:
		o.Spec.Replicas = new(int32(1))
	}
	return copied
}

// podOf is the Pod that an object asks for, without probes, and under no controller, so that it is
// ended and made again by hand; nil if it asks for none. n tells several of one object apart.
func podOf(object manifest.Object, n int) (*corev1.Pod, error) {
	pods, err := controller.Pods(oneReplica(object.Resource))
	if err != nil || len(pods) == 0 {
		return nil, err
	}
	pod := pods[0]
	pod.Name, pod.GenerateName, pod.OwnerReferences = fmt.Sprintf("%s-%d", object.Ref().Name, n), "", nil
	path, err := filepath.Abs(object.Position.File)
	if err != nil {
		return nil, err
	}
	if pod.Annotations == nil {
		pod.Annotations = map[string]string{}
	}
	pod.Annotations[manifest.AnnotationManifest] = path
	for i := range pod.Spec.Containers {
		withoutProbes(&pod.Spec.Containers[i])
	}
	for i := range pod.Spec.InitContainers {
		withoutProbes(&pod.Spec.InitContainers[i])
	}
	return pod, nil
}

func withoutProbes(c *corev1.Container) {
	c.StartupProbe, c.ReadinessProbe, c.LivenessProbe = nil, nil, nil
}

// serving are the containers of a Pod that can have probes: sidecars first, in the order in which
// they start, then the regular ones. What else is an init container runs to its end.
func serving(spec *corev1.PodSpec) (list []*corev1.Container) {
	for i := range spec.InitContainers {
		if p := spec.InitContainers[i].RestartPolicy; p != nil && *p == corev1.ContainerRestartPolicyAlways {
			list = append(list, &spec.InitContainers[i])
		}
	}
	for i := range spec.Containers {
		list = append(list, &spec.Containers[i])
	}
	return list
}

// statuses are those of the containers of a Pod that go on: of the regular ones and of sidecars.
func statuses(pod *corev1.Pod) []corev1.ContainerStatus {
	list := slices.Clone(pod.Status.ContainerStatuses)
	for _, s := range pod.Status.InitContainerStatuses {
		if slices.ContainsFunc(serving(&pod.Spec), func(c *corev1.Container) bool { return c.Name == s.Name }) {
			list = append(list, s)
		}
	}
	return list
}

// createOf makes the Pod that an object asks for; n tells several of one object apart.
func (l *lab) createOf(object manifest.Object, n int) (*corev1.Pod, error) {
	pod, err := podOf(object, n)
	if err != nil {
		return nil, err
	}
	created, err := l.system.Registry().CreateObject(pod, registry.WriteOptions{})
	if err != nil {
		return nil, fmt.Errorf("cannot start a Pod of %s: %w", pod.Name, err)
	}
	return created.(*corev1.Pod), nil
}

// remove ends a Pod and waits until it is gone. It gets its grace period, up to endGrace.
func (l *lab) remove(ctx context.Context, pod *corev1.Pod) error {
	grace := int64(endGrace / time.Second)
	if s := pod.Spec.TerminationGracePeriodSeconds; s != nil {
		grace = min(grace, *s)
	}
	if _, gone, err := l.system.Registry().DeleteObject(pod, metav1.DeleteOptions{GracePeriodSeconds: &grace}); err != nil || gone {
		return err
	}
	return l.await(ctx, pod, func(p *corev1.Pod) bool { return p == nil })
}

// endGrace is how long a Pod may take to end after a start that was measured.
const endGrace = 5 * time.Second

// await waits until a Pod is as wanted, which is asked with nil when it is gone.
func (l *lab) await(ctx context.Context, pod *corev1.Pod, wanted func(*corev1.Pod) bool) error {
	watch, err := l.system.Store().Watch(store.WatchOptions{Kinds: []store.Object{&corev1.Pod{}}})
	for err == nil {
		current := l.current(pod)
		switch {
		case wanted(current):
			return nil
		case current == nil:
			return fmt.Errorf("pod/%s is gone", pod.Name)
		case current.DeletionTimestamp == nil && (current.Status.Phase == corev1.PodFailed || current.Status.Phase == corev1.PodSucceeded):
			return fmt.Errorf("pod/%s has ended by itself: %s", pod.Name, current.Status.Phase)
		}
		if _, err = watch.Next(ctx); ctx.Err() != nil {
			err = context.Cause(ctx)
		}
	}
	return err
}

// watchTrouble ends a context with the reason when a Pod will not come up: a program ends, or
// cannot be started. Processes that are known may end. It returns when the context is done.
func (l *lab) watchTrouble(ctx context.Context, pod *corev1.Pod, known map[string]bool, cancel context.CancelCauseFunc) {
	var found error
	if err := l.await(ctx, pod, func(p *corev1.Pod) bool { found = trouble(p, known); return found != nil }); err == nil {
		cancel(found)
	}
}

// errNeverStarts is of a program that no other workload can help to start.
var errNeverStarts = errors.New("cannot be started")

// trouble is why a Pod will not come up; nil if it may. That a process ended which is known says
// nothing: the next one may do better.
func trouble(pod *corev1.Pod, known map[string]bool) error {
	if pod == nil || pod.Status.Phase == corev1.PodSucceeded {
		return nil
	}
	for _, s := range statuses(pod) {
		ended := s.State.Terminated
		if ended == nil {
			ended = s.LastTerminationState.Terminated
		}
		switch w := s.State.Waiting; {
		case ended != nil && ended.Reason == "StartError":
			return fmt.Errorf("container %s %w: %s", s.Name, errNeverStarts, ended.Message)
		case ended != nil && known[ended.ContainerID]:
		case ended != nil && ended.Message != "":
			return fmt.Errorf("container %s: %s: %s", s.Name, ended.Reason, ended.Message)
		case ended != nil:
			return fmt.Errorf("container %s has ended with code %d: probity run shows what it printed", s.Name, ended.ExitCode)
		case w != nil && w.Reason != "ContainerCreating" && w.Reason != "PodInitializing":
			return fmt.Errorf("container %s: %s: %s", s.Name, w.Reason, w.Message)
		}
	}
	return nil
}

// current is a Pod as it is now; nil if it is gone.
func (l *lab) current(pod *corev1.Pod) *corev1.Pod {
	current, err := store.Get[*corev1.Pod](l.system.Store(), pod.Namespace, pod.Name)
	if err != nil || current.UID != pod.UID {
		return nil
	}
	return current
}

// processes are those that a Pod has now, or had last, by their ids.
func processes(pod *corev1.Pod) map[string]bool {
	ids := map[string]bool{}
	if pod == nil {
		return ids // it is gone, and who waits for it is told
	}
	for _, s := range statuses(pod) {
		ids[s.ContainerID] = true
		if last := s.LastTerminationState.Terminated; last != nil {
			ids[last.ContainerID] = true
		}
	}
	return ids
}

// running reports whether a container of a Pod runs.
func running(pod *corev1.Pod, container string) bool {
	if pod == nil {
		return false
	}
	return slices.ContainsFunc(statuses(pod), func(s corev1.ContainerStatus) bool { return s.Name == container && s.State.Running != nil })
}
