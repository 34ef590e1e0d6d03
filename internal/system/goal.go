package system

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/program"
	"github.com/probity-run/probity/internal/proxy"
	"github.com/probity-run/probity/internal/store"
	"github.com/probity-run/probity/internal/workload"
)

// Goal is what a run is waited for.
type Goal string

// The goals.
const (
	// GoalReady: every workload is complete, every other Pod is Ready, and the Services take
	// requests for them. A Pod that ends by itself (see GoalComplete) is as good as ready when it
	// has Succeeded, and without a readiness or startup probe not before.
	GoalReady Goal = "ready"
	// GoalComplete: every Pod that ends by itself, one of no workload whose restartPolicy is Never
	// or OnFailure, has Succeeded, those of the manifests included that were deleted or are being
	// replaced. The others are as they are.
	GoalComplete Goal = "complete"
)

// ParseGoal returns the goal of a name.
func ParseGoal(name string) (Goal, error) {
	if goal := Goal(name); goal == GoalReady || goal == GoalComplete {
		return goal, nil
	}
	return "", fmt.Errorf("there is no state %q to wait for: use %s or %s", name, GoalReady, GoalComplete)
}

// GoalError says that a goal was not reached: what is missing, and whether that can still come.
type GoalError struct {
	Goal Goal
	// Missing are the objects that are not as they have to be, with the state of each.
	Missing []string
	// Final says that the goal cannot be reached any more.
	Final bool
}

func (e *GoalError) Error() string {
	word := "not"
	if e.Final {
		word = "cannot become"
	}
	return fmt.Sprintf("%s %s: %s", word, e.Goal, strings.Join(e.Missing, ", "))
}

// CheckGoal says why the manifests can never reach a goal. The error is an [*InputError].
func (s *System) CheckGoal(goal Goal) error {
	if goal != GoalComplete || s.first == nil || slices.ContainsFunc(s.first.pods, endsByItself) {
		return nil
	}
	return &InputError{fmt.Errorf("cannot wait until %s is complete: no Pod in it ends by itself, which takes restartPolicy Never or OnFailure",
		strings.Join(s.opts.Manifests, " "))}
}

// endsByItself reports whether a Pod is one that does its work and ends.
func endsByItself(pod *corev1.Pod) bool {
	return pod.Spec.RestartPolicy != corev1.RestartPolicyAlways && metav1.GetControllerOfNoCopy(pod) == nil
}

// Reach waits until the system has reached a goal, after Start. version is that of the newest
// object which decided it, a Pod or a workload. The error is a [*GoalError] if the goal cannot be
// reached any more or the context is done; another one says that the system is being stopped.
func (s *System) Reach(ctx context.Context, goal Goal) (version uint64, err error) {
	select {
	case <-s.applied:
	case <-s.done:
		return 0, errEnded
	}
	kinds := store.WatchOptions{Kinds: []store.Object{&corev1.Pod{}, &appsv1.Deployment{}, &appsv1.StatefulSet{}, &appsv1.ReplicaSet{}}}
	watch, err := s.store.Watch(kinds)
	for err == nil {
		progress := s.progress(goal)
		switch {
		case s.Stopping():
			return 0, errEnded
		case progress.reached() && (goal != GoalReady || s.waitServed(ctx)):
			return progress.version, nil
		case progress.final || ctx.Err() != nil:
			return progress.version, &GoalError{goal, progress.missing, progress.final}
		}
		err = nextWithin(ctx, watch, goalPeriod)
		if apierrors.IsResourceExpired(err) {
			watch, err = s.store.Watch(kinds)
		}
	}
	return 0, err
}

// goalPeriod is the longest time between two looks at a goal: manifests that are saved can change
// what they ask for, and nothing in the store.
const goalPeriod = time.Second

// nextWithin waits for a change, for some time or until the context is done, which is no error: the
// next round says what is missing.
func nextWithin(ctx context.Context, watch *store.Watch, period time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, period)
	defer cancel()
	_, err := watch.Next(ctx)
	if errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}

// goalProgress is how far a goal is.
type goalProgress struct {
	missing []string
	final   bool   // it cannot be reached any more
	version uint64 // of the newest object that was looked at
}

func (p *goalProgress) reached() bool { return len(p.missing) == 0 }

// lacks notes an object that is not as it has to be.
func (p *goalProgress) lacks(object metav1.Object, kind, state string, final bool) {
	name := kind + "/" + object.GetName()
	if ns := object.GetNamespace(); ns != metav1.NamespaceDefault {
		name = ns + "/" + name
	}
	p.missing = append(p.missing, name+" ("+state+")")
	p.final = p.final || final
}

func (p *goalProgress) sees(object metav1.Object) {
	if v, err := strconv.ParseUint(object.GetResourceVersion(), 10, 64); err == nil {
		p.version = max(p.version, v)
	}
}

func (s *System) progress(goal Goal) goalProgress {
	// What is asked for comes last: a Pod is noted to be replaced before it is deleted.
	pods, _ := store.List[*corev1.Pod](s.store, store.Selector{})
	workloads := s.workloads()
	asked := s.applier.asked()
	if goal == GoalComplete {
		return completion(pods, asked)
	}
	return readiness(pods, asked, workloads)
}

// lacksTaken notes the Pods of manifests that somebody has taken away, or that are replaced, and
// returns them by their names. Those that are gone may come again, as may those that are not there
// yet.
func (p *goalProgress) lacksTaken(pods []*corev1.Pod, asked []askedPod, counts func(*corev1.Pod) bool) (taken map[string]bool) {
	taken = map[string]bool{}
	present := make(map[string]*corev1.Pod, len(pods))
	for _, pod := range pods {
		present[podKey(pod)] = pod
	}
	for _, a := range asked {
		key := podKey(a.pod)
		pod, state := present[key], ""
		switch {
		case !counts(a.pod):
		case pod == nil && a.waits:
			state = "not started yet"
		case pod == nil:
			state = "was deleted"
		case a.waits:
			state = "being replaced"
		case pod.DeletionTimestamp != nil && pod.Status.Phase != corev1.PodSucceeded:
			state = "being deleted"
		}
		if state != "" {
			taken[key] = true
			p.lacks(a.pod, "pod", state, false)
		}
	}
	return taken
}

// completion is how far the Pods are that end by themselves, of which there has to be one.
func completion(pods []*corev1.Pod, asked []askedPod) (p goalProgress) {
	taken := p.lacksTaken(pods, asked, endsByItself)
	some := len(taken) > 0
	for _, pod := range pods {
		p.sees(pod)
		if !endsByItself(pod) || taken[podKey(pod)] {
			continue
		}
		some = true
		switch {
		case pod.Status.Phase == corev1.PodSucceeded:
		case pod.DeletionTimestamp != nil:
			p.lacks(pod, "pod", "being deleted", false)
		default:
			p.lacks(pod, "pod", podState(pod), pod.Status.Phase == corev1.PodFailed)
		}
	}
	if !some {
		p.missing = append(p.missing, "no Pod is left that ends by itself")
	}
	return p
}

// readiness is how far everything is from being ready. It cannot become so any more if a Pod of no
// workload has failed for good, a program cannot be started, or a rollout has passed its deadline;
// a container that crashes again and again may still find what it needs.
func readiness(pods []*corev1.Pod, asked []askedPod, workloads []store.Object) (p goalProgress) {
	taken := p.lacksTaken(pods, asked, func(*corev1.Pod) bool { return true })
	for _, object := range workloads {
		p.sees(object)
		if metav1.GetControllerOfNoCopy(object) != nil || object.GetDeletionTimestamp() != nil {
			continue
		}
		if progress, ok := workload.ProgressOf(object); ok && !progress.Complete {
			p.lacks(object, workloadKind(object), cmp.Or(progress.Stuck, progress.String()), progress.Stuck != "")
		}
	}
	for _, pod := range pods {
		p.sees(pod)
		own := metav1.GetControllerOfNoCopy(pod) == nil
		_, ready := workload.ReadySince(pod)
		ready = ready && !(endsByItself(pod) && unprobed(pod))
		switch {
		case pod.DeletionTimestamp != nil, taken[podKey(pod)], ready, pod.Status.Phase == corev1.PodSucceeded:
		case own || cannotStart(pod):
			p.lacks(pod, "pod", podState(pod), own && pod.Status.Phase == corev1.PodFailed || cannotStart(pod))
		}
	}
	return p
}

// unprobed reports whether nothing but its end tells how far a Pod is.
func unprobed(pod *corev1.Pod) bool {
	return !slices.ContainsFunc(lifecycle.Containers(&pod.Spec), func(c *corev1.Container) bool {
		return c.ReadinessProbe != nil || c.StartupProbe != nil
	})
}

func workloadKind(object store.Object) string {
	switch object.(type) {
	case *appsv1.Deployment:
		return "deployment"
	case *appsv1.StatefulSet:
		return "statefulset"
	}
	return "replicaset"
}

// cannotStart reports whether the program of a container could not be started at all.
func cannotStart(pod *corev1.Pod) bool {
	return slices.ContainsFunc(slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses), func(c corev1.ContainerStatus) bool {
		for _, end := range []*corev1.ContainerStateTerminated{c.State.Terminated, c.LastTerminationState.Terminated} {
			if end != nil && end.Reason == "StartError" && c.State.Running == nil {
				return true
			}
		}
		return false
	})
}

// podState is the state of a Pod that is not as it has to be, in one word or two.
func podState(pod *corev1.Pod) string {
	for _, c := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		switch {
		case c.State.Waiting != nil && c.State.Waiting.Reason != "PodInitializing" && c.State.Waiting.Reason != "ContainerCreating":
			return c.State.Waiting.Reason
		case c.State.Terminated != nil && c.State.Terminated.ExitCode != 0:
			return fmt.Sprintf("exit code %d", c.State.Terminated.ExitCode)
		}
	}
	switch _, ready := workload.ReadySince(pod); {
	case pod.Status.Phase == corev1.PodRunning && ready:
		return "has not ended"
	case pod.Status.Phase == corev1.PodRunning:
		return "not ready"
	}
	return cmp.Or(string(pod.Status.Phase), string(corev1.PodPending))
}

const (
	// servedTime is how long the proxy may take to learn of Pods that are Ready: milliseconds,
	// unless a Service can have no port.
	servedTime = 2 * time.Second
	servedStep = 5 * time.Millisecond
)

// waitServed waits until the proxy has an endpoint for each Service whose Pods are Ready, so that a
// request that follows finds them. It reports false if the context is done before.
func (s *System) waitServed(ctx context.Context) bool {
	if s.proxy == nil {
		return true
	}
	pods, _ := store.List[*corev1.Pod](s.store, store.Selector{})
	for deadline := time.Now().Add(servedTime); ctx.Err() == nil; {
		if time.Now().After(deadline) || s.served(pods, s.proxy.State()) {
			return true
		}
		select {
		case <-ctx.Done():
		case <-time.After(servedStep):
		}
	}
	return false
}

// served reports whether each Service port with Pods that are Ready has as many endpoints.
func (s *System) served(pods []*corev1.Pod, state proxy.State) bool {
	for _, port := range state.Ports {
		service, err := store.Get[*corev1.Service](s.store, port.Service.Namespace, port.Service.Name)
		if err != nil || len(service.Spec.Selector) == 0 {
			continue
		}
		selector, want := labels.SelectorFromSet(service.Spec.Selector), 0
		for _, pod := range pods {
			if _, ready := workload.ReadySince(pod); ready && pod.Namespace == service.Namespace && selector.Matches(labels.Set(pod.Labels)) {
				want++
			}
		}
		have := 0
		for _, e := range port.Endpoints {
			if e.Ready {
				have++
			}
		}
		if have < want {
			return false
		}
	}
	return true
}

// CommandEnvironment are the variables by which a command beside the Pods finds what it needs: the
// Services of the namespace default, as a Pod there would have them now, and KUBECONFIG for the
// Kubernetes API. Each is "NAME=value". Call it after Start.
func (s *System) CommandEnvironment() []string {
	services, _ := store.List[*corev1.Service](s.store, store.Selector{Namespace: metav1.NamespaceDefault})
	var list []string
	for _, v := range program.ServiceVariables(services) {
		list = append(list, v.Name+"="+v.Value)
	}
	if path := s.api.kubeconfig(); path != "" {
		list = append(list, "KUBECONFIG="+path)
	}
	return list
}
