package system

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/probity-run/probity/internal/store"
)

// run owns every goroutine of the system and joins them. It is the one goroutine that applies
// manifests and decides about the end.
func (s *System) run(ctx context.Context) {
	parts := []func(context.Context) error{s.node.Run, s.controller.Run, s.hostNames.run, s.watchPods, s.watchFiles, s.reloadEdited, s.renewLease, s.api.run}
	if s.proxy != nil {
		parts = append(parts, s.proxy.Run)
	}
	if s.dashboard != nil {
		parts = append(parts, s.dashboard.run)
	}
	working, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	failed := make(chan error, len(parts))
	for _, part := range parts {
		running.Go(func() { failed <- part(working) })
	}
	err := s.work(ctx, failed)
	stopWork()
	running.Wait()
	s.faults.diversions.Close()
	s.joinLoading()
	s.end(errors.Join(err, s.files.close()))
}

// work applies the first manifests and returns when it was told to stop and no Pod is left, or when
// Probity cannot go on.
func (s *System) work(ctx context.Context, failed <-chan error) error {
	if s.first != nil {
		if _, err := s.applier.apply(sourceOf(s.opts.Manifests), s.first, true); err != nil {
			return err
		}
		s.first = nil
	}
	close(s.applied)
	var reason error // why the error of Wait is not nil
	done, stop, gone := ctx.Done(), s.stop, s.shepherd.Done()
	for {
		select {
		case <-s.changed:
			over, err := s.advance()
			if err != nil {
				reason = err
			}
			if over {
				return reason
			}
		case request := <-s.requests:
			request()
		case <-done:
			done = nil
			s.Stop()
		case <-stop:
			stop = nil
			s.deleteAll()
			offer(s.changed)
		case <-gone:
			gone = nil
			reason = fmt.Errorf("the Pods were killed: %w", s.shepherd.Err())
			s.Stop()
		case err := <-failed:
			return errors.Join(err, reason)
		}
	}
}

// offer gives a signal, unless there is one already.
func offer(signal chan<- struct{}) {
	select {
	case signal <- struct{}{}:
	default:
	}
}

// advance starts Pods whose predecessors are gone, stops everything when all Pods have ended for
// good, and reports whether nothing is left to wait for. The error names a Pod that failed for
// good.
func (s *System) advance() (over bool, err error) {
	if s.Stopping() {
		pods, _ := store.List[*corev1.Pod](s.store, store.Selector{})
		return len(pods) == 0, nil
	}
	if err := s.applier.resume(); err != nil {
		s.opts.Logger.Error("Cannot replace a Pod", "error", err)
	}
	if len(s.applier.waiting) > 0 {
		return false, nil
	}
	finished, failed := s.finished()
	if failed != nil {
		err = s.failure(failed)
	}
	if finished {
		s.Stop()
	}
	return false, err
}

// finished is as of all Pods, of a system that ends by itself.
func (s *System) finished() (all bool, failed *corev1.Pod) {
	if !s.opts.StopWhenFinished || len(s.workloads()) > 0 {
		return false, nil
	}
	pods, _ := store.List[*corev1.Pod](s.store, store.Selector{})
	return finished(pods)
}

// Finished reports whether the system ends by itself now, or does so already.
func (s *System) Finished() bool {
	finished, _ := s.finished()
	return finished || s.Stopping()
}

// finished reports whether there are Pods and all have ended for good, and one that failed. Where
// there is none, or one is being deleted, somebody has taken them away and may bring others.
func finished(pods []*corev1.Pod) (all bool, failed *corev1.Pod) {
	all = len(pods) > 0
	for _, pod := range pods {
		switch {
		case pod.DeletionTimestamp != nil:
			all = false
		case pod.Status.Phase == corev1.PodFailed:
			failed = pod
		case pod.Status.Phase != corev1.PodSucceeded:
			all = false
		}
	}
	return all, failed
}

// workloads are the objects that make Pods.
func (s *System) workloads() []store.Object {
	deployments, _ := store.List[*appsv1.Deployment](s.store, store.Selector{})
	replicaSets, _ := store.List[*appsv1.ReplicaSet](s.store, store.Selector{})
	statefulSets, _ := store.List[*appsv1.StatefulSet](s.store, store.Selector{})
	return slices.Concat(objects(deployments), objects(replicaSets), objects(statefulSets))
}

func objects[T store.Object](list []T) []store.Object {
	all := make([]store.Object, len(list))
	for i, o := range list {
		all[i] = o
	}
	return all
}

// deleteAll deletes what makes Pods, and every Pod.
func (s *System) deleteAll() {
	s.applier.dropWaiting()
	pods, _ := store.List[*corev1.Pod](s.store, store.Selector{})
	for _, object := range append(s.workloads(), objects(pods)...) {
		if _, _, err := s.store.DeleteObject(object, store.DeleteOptions{}); ignoreNotFound(err) != nil {
			s.opts.Logger.Error("Cannot delete the object", "name", object.GetName(), "error", err)
		}
	}
}

// watchPods tells the goroutine of run when Pods change.
func (s *System) watchPods(ctx context.Context) error {
	pods := store.WatchOptions{Kinds: []store.Object{&corev1.Pod{}}}
	watch, err := s.store.Watch(pods)
	for err == nil {
		offer(s.changed)
		var change store.Change
		if change, err = watch.Next(ctx); apierrors.IsResourceExpired(err) {
			s.faults.endGone() // as nobody will say it
			watch, err = s.store.Watch(pods)
		} else if err == nil {
			_ = s.faults.follow(change.Object.(*corev1.Pod)) // an Event says it
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}
