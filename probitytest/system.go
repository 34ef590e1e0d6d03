package probitytest

import (
	"cmp"
	"context"
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/apiserver/credentials"
	"github.com/probity-run/probity/internal/store"
	"github.com/probity-run/probity/internal/system"
)

// System is what a test runs. Make it with [Run] or [Options.Run]. Its methods are for the
// goroutine of the test, because what goes wrong ends the test.
//
// A workload is named as in the manifest: a Deployment, StatefulSet, ReplicaSet or Pod, as "web",
// or "shop/web" if it is not in the Namespace default.
type System struct {
	t       testing.TB
	timeout func() time.Duration
	system  *system.System
	dir     string
	output  *output
	// last are the last injections by an annotation, by Pods.
	last map[types.UID]*Injection
	undo []func() error // of all faults
}

// WaitReady waits until every workload is complete, every Pod is Ready and every Service is served.
func (s *System) WaitReady() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), s.timeout())
	defer cancel()
	if _, err := s.system.Reach(ctx, system.GoalReady); err != nil {
		s.t.Fatalf("the run is %v", err)
	}
}

// Wait waits until a condition holds. It is asked at the beginning and whenever an object has
// changed; what says it in words for who reads that it did not become true.
func (s *System) Wait(what string, holds func() bool) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), s.timeout())
	defer cancel()
	if err := s.until(ctx, holds); err != nil {
		s.t.Fatalf("not within %v: %s: %v", s.timeout(), what, err)
	}
}

// until asks again after each change, and now and then: requests are counted without a change.
func (s *System) until(ctx context.Context, holds func() bool) error {
	watch, err := s.system.Store().Watch(store.WatchOptions{})
	for err == nil && !holds() {
		if err = next(ctx, watch); apierrors.IsResourceExpired(err) {
			watch, err = s.system.Store().Watch(store.WatchOptions{})
		}
	}
	return err
}

// next waits for a change, or for a moment.
func next(ctx context.Context, watch *store.Watch) error {
	moment, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	if _, err := watch.Next(moment); err != nil && (ctx.Err() != nil || !errors.Is(err, moment.Err())) {
		return err
	}
	return nil
}

// Pods are the Pods of a workload by name, those that end included. They are snapshots.
func (s *System) Pods(workload string) []*corev1.Pod {
	namespace, name := split(workload)
	all, _ := store.List[*corev1.Pod](s.system.Store(), store.Selector{Namespace: namespace})
	var pods []*corev1.Pod
	for _, pod := range all {
		if pod.Name == name || s.isOf(pod, name) {
			pods = append(pods, pod.DeepCopy())
		}
	}
	slices.SortFunc(pods, func(a, b *corev1.Pod) int { return cmp.Compare(a.Name, b.Name) })
	return pods
}

// isOf reports whether a workload of that name makes a Pod, itself or by a ReplicaSet.
func (s *System) isOf(pod *corev1.Pod, name string) bool {
	owner := metav1.GetControllerOfNoCopy(pod)
	if owner == nil || owner.Name == name {
		return owner != nil
	}
	if owner.Kind != "ReplicaSet" {
		return false
	}
	set, err := store.Get[*appsv1.ReplicaSet](s.system.Store(), pod.Namespace, owner.Name)
	if err != nil {
		return false // it is gone, and its Pods go
	}
	deployment := metav1.GetControllerOfNoCopy(set)
	return deployment != nil && deployment.Name == name
}

// Restarts counts the restarts of the containers of a workload's Pods.
func (s *System) Restarts(workload string) int {
	restarts := 0
	for _, pod := range s.Pods(workload) {
		restarts += restartsOf(pod)
	}
	return restarts
}

func restartsOf(pod *corev1.Pod) int {
	restarts := 0
	for _, status := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		restarts += int(status.RestartCount)
	}
	return restarts
}

// Events are those about a workload and its Pods that are there and that were, the oldest first.
func (s *System) Events(workload string) []*corev1.Event {
	namespace, name := split(workload)
	all, _ := store.List[*corev1.Event](s.system.Store(), store.Selector{Namespace: namespace})
	var events []*corev1.Event
	for _, e := range all {
		about := e.InvolvedObject.Name
		if about == name || len(about) > len(name) && about[:len(name)+1] == name+"-" {
			events = append(events, e.DeepCopy())
		}
	}
	slices.SortStableFunc(events, func(a, b *corev1.Event) int { return store.LastSeen(a).Compare(store.LastSeen(b)) })
	return events
}

// WaitEvent waits for an Event of a reason about a workload or its Pods, such as Unhealthy, Killing
// or BackOff, and returns the newest one.
func (s *System) WaitEvent(workload, reason string) *corev1.Event {
	s.t.Helper()
	var found *corev1.Event
	s.Wait("an Event "+reason+" about "+workload, func() bool {
		for _, e := range s.Events(workload) {
			if e.Reason == reason {
				found = e
			}
		}
		return found != nil
	})
	return found
}

// Kubeconfig is a file by which kubectl and client-go reach the run.
func (s *System) Kubeconfig() string {
	s.system.AwaitAPI()
	return filepath.Join(s.dir, "state", credentials.KubeconfigName)
}
