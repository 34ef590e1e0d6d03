package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/probity-run/probity/internal/controller"
	"github.com/probity-run/probity/internal/node"
	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/proxy"
	"github.com/probity-run/probity/internal/store"
)

// errFellBehind is said when the store has forgotten changes that were not shown yet.
var errFellBehind = errors.New("the reader was too slow for the changes")

// session is a running probity run. Its goroutines (the node's, the controller's, the proxy's,
// those that show changes, count Pods, watch files and answer other commands) are joined by run.
type session struct {
	store      *store.Store
	controller *controller.Controller
	proxy      *proxy.Proxy
	node       *node.Node
	shepherd   *process.Shepherd
	signals    <-chan os.Signal
	screen     screen
	logger     *slog.Logger
	applier    *applier
	paths      []string // of the command line
	absolute   []string // paths, wherever one stands
	here       surroundings
	stateDir   string

	applies  chan applyRequest // of other commands
	edited   chan struct{}     // a manifest was changed
	remarked map[string]bool   // what is not done here, by line
	stopping bool              // the Pods are being deleted
	failed   error             // why the exit code will be 1
}

// run starts the Pods and returns when the last one is gone: on request, or because all of them
// ended for good.
func (s *session) run(ctx context.Context, in *input) error {
	workCtx, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	showCtx, stopShow := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWork()
	defer stopShow()
	watch, err := s.store.Watch(store.WatchOptions{Kinds: s.screen.kinds()})
	if err != nil {
		return failed(err)
	}
	files, err := newFileWatch(s.paths)
	if err != nil {
		return failed(err)
	}
	defer files.close() // nobody is told any more
	others, err := newControl(s.stateDir, s.applies)
	if err != nil {
		return failed(err)
	}
	changed := make(chan struct{}, 1)
	works := []func(context.Context) error{
		s.node.Run, s.controller.Run, s.proxy.Run,
		func(ctx context.Context) error { return s.tell(ctx, changed) },
		func(ctx context.Context) error { return files.run(ctx, func() { offer(s.edited) }) },
	}
	var running, shown sync.WaitGroup
	errs := make(chan error, len(works)+1)
	shown.Go(func() { errs <- s.show(showCtx, watch) })
	for _, work := range works {
		running.Go(func() { errs <- work(workCtx) })
	}
	_, err = s.applier.apply(source(s.paths), in)
	if err == nil {
		err = s.wait(ctx, changed, errs)
	}
	stopWork()
	err = errors.Join(err, others.close())
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

// offer gives a signal, unless there is one already.
func offer(signal chan<- struct{}) {
	select {
	case signal <- struct{}{}:
	default:
	}
}

// startTime is how long it takes until what is used of the program is mostly what probing needs.
const startTime = 5 * time.Second

// garbage is how much may gather until it is collected, in percent of what is in use, unless the
// environment's GOGC says so. Below that, collecting is felt in the CPU time of 200 probes a
// second.
const garbage = 75

// slim gives memory back that only the start needed.
func (s *session) slim() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbage)
	}
	if err := process.DropFilePages(); err != nil {
		s.logger.Warn("More memory than necessary is used", "error", err)
	}
}

// wait returns when no Pod is left and none will come, or when Probity cannot go on.
func (s *session) wait(ctx context.Context, changed <-chan struct{}, errs <-chan error) error {
	done := ctx.Done()
	gone := s.shepherd.Done()
	started := time.After(startTime)
	for {
		select {
		case <-started:
			s.slim()
		case <-changed:
			if s.look() {
				return nil
			}
		case <-s.edited:
			s.reload()
		case request := <-s.applies:
			request.reply <- s.apply(request.Paths)
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

// look starts Pods whose predecessors are gone, stops everything when all Pods have ended for good,
// and says whether nothing is left to wait for.
func (s *session) look() (over bool) {
	if !s.stopping {
		if err := s.applier.resume(); err != nil {
			s.logger.Error("Cannot replace a Pod", "error", err)
		}
	}
	pods, _ := store.List[*corev1.Pod](s.store, store.Selector{})
	if s.stopping {
		return len(pods) == 0
	}
	if len(s.workloads()) > 0 || len(s.applier.waiting) > 0 {
		return false
	}
	terminal := 0
	for _, pod := range pods {
		switch pod.Status.Phase {
		case corev1.PodSucceeded:
			terminal++
		case corev1.PodFailed:
			terminal++
			if pod.DeletionTimestamp == nil {
				s.failed = fmt.Errorf("pod %q failed for good", pod.Name)
			}
		}
	}
	if terminal == len(pods) {
		s.stop()
	}
	return len(pods) == 0
}

// workloads are the objects that make Pods.
func (s *session) workloads() (all []store.Object) {
	deployments, _ := store.List[*appsv1.Deployment](s.store, store.Selector{})
	for _, d := range deployments {
		all = append(all, d)
	}
	replicaSets, _ := store.List[*appsv1.ReplicaSet](s.store, store.Selector{})
	for _, r := range replicaSets {
		all = append(all, r)
	}
	statefulSets, _ := store.List[*appsv1.StatefulSet](s.store, store.Selector{})
	for _, set := range statefulSets {
		all = append(all, set)
	}
	return all
}

// onSignal deletes the Pods with their grace; a second signal kills them. HUP reads the manifests
// again, unless it says that the terminal is gone.
func (s *session) onSignal(sig os.Signal) {
	if sig == syscall.SIGHUP && !s.screen.interactive() {
		s.reload()
		return
	}
	if s.stopping {
		s.screen.say(fmt.Sprintf("%v again: killing every process now", sig))
		s.node.Abort()
		return
	}
	s.screen.say(fmt.Sprintf("%v: stopping every Pod with its grace period; once more kills them", sig))
	s.stop()
}

// stop deletes what makes Pods, and every Pod.
func (s *session) stop() {
	s.stopping = true
	clear(s.applier.waiting)
	all := s.workloads()
	pods, _ := store.List[*corev1.Pod](s.store, store.Selector{})
	for _, pod := range pods {
		all = append(all, pod)
	}
	for _, object := range all {
		if err := ignoreNotFound(s.store.DeleteObject(object, store.DeleteOptions{})); err != nil {
			s.logger.Error("Cannot delete the object", "name", object.GetName(), "error", err)
		}
	}
}

// show hands every change to the screen, which may be slow. When the context is done it shows what
// is left and returns.
func (s *session) show(ctx context.Context, watch *store.Watch) error {
	for {
		change, err := watch.Next(ctx)
		switch {
		case apierrors.IsResourceExpired(err):
			if watch, err = s.store.Watch(store.WatchOptions{Kinds: s.screen.kinds()}); err == nil {
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
		offer(changed)
		if _, err = watch.Next(ctx); apierrors.IsResourceExpired(err) {
			watch, err = s.store.Watch(pods)
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}
