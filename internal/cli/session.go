package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/node"
	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/store"
)

// errFellBehind is said when the store has forgotten changes that were not shown yet.
var errFellBehind = errors.New("the reader was too slow for the changes")

// session is a running probity run. Its goroutines, the node's, the one that shows changes and the one that counts Pods, are joined by run.
type session struct {
	store    *store.Store
	node     *node.Node
	shepherd *process.Shepherd
	signals  <-chan os.Signal
	screen   screen
	logger   *slog.Logger

	stopping bool  // the Pods are being deleted
	failed   error // why the exit code will be 1
}

// run starts the Pods and returns when the last one is gone: on request, or because all of them ended for good.
func (s *session) run(ctx context.Context, in *input) error {
	nodeCtx, stopNode := context.WithCancel(context.WithoutCancel(ctx))
	showCtx, stopShow := context.WithCancel(context.WithoutCancel(ctx))
	defer stopNode()
	defer stopShow()
	var running sync.WaitGroup
	changed := make(chan struct{}, 1)
	errs := make(chan error, 3)
	watch, err := s.store.Watch(store.WatchOptions{})
	if err != nil {
		return failed(err)
	}
	var shown sync.WaitGroup
	shown.Go(func() { errs <- s.show(showCtx, watch) })
	running.Go(func() { errs <- s.node.Run(nodeCtx) })
	running.Go(func() { errs <- s.tell(nodeCtx, changed) })
	err = s.start(in)
	if err == nil {
		err = s.wait(ctx, changed, errs)
	}
	stopNode()
	running.Wait()
	s.screen.hurry()
	stopShow()
	shown.Wait()
	s.screen.close()
	if err = errors.Join(err, s.failed); err != nil {
		return failed(err)
	}
	return nil
}

// start puts the objects into the store; the node does the rest.
func (s *session) start(in *input) error {
	owners := map[manifest.Ref]store.Object{}
	for _, o := range in.set.Objects {
		if _, isPod := o.Resource.(*corev1.Pod); isPod {
			continue
		}
		created, err := store.Create[store.Object](s.store, o.Resource)
		if err != nil {
			return fmt.Errorf("cannot create %s: %w", o.Ref(), err)
		}
		owners[o.Ref()] = created
	}
	for i, pod := range in.pods {
		for j := range pod.OwnerReferences {
			pod.OwnerReferences[j].UID = owners[in.origins[i].Ref()].GetUID()
		}
		if _, err := store.Create(s.store, pod); err != nil {
			return fmt.Errorf("cannot create Pod %s: %w", pod.Name, err)
		}
	}
	return nil
}

// wait returns when no Pod is left, or when Probity cannot go on.
func (s *session) wait(ctx context.Context, changed <-chan struct{}, errs <-chan error) error {
	done := ctx.Done()
	gone := s.shepherd.Done()
	for {
		select {
		case <-changed:
			if s.look() == 0 {
				return nil
			}
		case <-done:
			done = nil
			s.stop()
		case sig := <-s.signals:
			s.onSignal(sig)
		case <-gone:
			gone = nil
			s.failed = fmt.Errorf("the Pods were killed: %w", s.shepherd.Err())
			s.stop()
		case err := <-errs:
			return err
		}
	}
}

// look counts the Pods that are left, and deletes them when all have ended for good.
func (s *session) look() (left int) {
	pods, _ := store.List[*corev1.Pod](s.store, store.Selector{})
	terminal := 0
	for _, pod := range pods {
		switch pod.Status.Phase {
		case corev1.PodSucceeded:
			terminal++
		case corev1.PodFailed:
			terminal++
			if !s.stopping && pod.DeletionTimestamp == nil {
				s.failed = fmt.Errorf("pod %q failed for good", pod.Name)
			}
		}
	}
	if terminal == len(pods) && !s.stopping {
		s.stop()
	}
	return len(pods)
}

// onSignal deletes the Pods with their grace; a second signal kills them.
func (s *session) onSignal(sig os.Signal) {
	if s.stopping {
		s.screen.say(fmt.Sprintf("%v again: killing every process now", sig))
		s.node.Abort()
		return
	}
	s.screen.say(fmt.Sprintf("%v: stopping every Pod with its grace period; once more kills them", sig))
	s.stop()
}

// stop deletes every Pod.
func (s *session) stop() {
	s.stopping = true
	pods, _ := store.List[*corev1.Pod](s.store, store.Selector{})
	for _, pod := range pods {
		if err := store.Delete[*corev1.Pod](s.store, pod.Namespace, pod.Name, store.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			s.logger.Error("Cannot delete the Pod", "pod", pod.Name, "error", err)
		}
	}
}

// show hands every change to the screen, which may be slow. When the context is done it shows what is left and returns.
func (s *session) show(ctx context.Context, watch *store.Watch) error {
	for {
		change, err := watch.Next(ctx)
		switch {
		case apierrors.IsResourceExpired(err):
			if watch, err = s.store.Watch(store.WatchOptions{}); err == nil {
				err = s.screen.again(errFellBehind)
			}
		case err != nil && ctx.Err() != nil:
			return nil
		case err == nil:
			err = s.screen.show(change.Type, change.Object)
		}
		if err != nil {
			return fmt.Errorf("cannot show a change: %w", err)
		}
	}
}

// tell tells the session about changes of Pods, however slow the screen is.
func (s *session) tell(ctx context.Context, changed chan<- struct{}) error {
	pods := store.WatchOptions{Kinds: []store.Object{&corev1.Pod{}}}
	watch, err := s.store.Watch(pods)
	for err == nil {
		select {
		case changed <- struct{}{}:
		default: // it is told already
		}
		if _, err = watch.Next(ctx); apierrors.IsResourceExpired(err) {
			watch, err = s.store.Watch(pods)
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}
