package drill

import (
	"context"
	"errors"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/formats"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/proxy"
	"github.com/probity-run/probity/internal/store"
	"github.com/probity-run/probity/internal/system"
)

// Attach drills a system that runs, and that others may use. What is drilled are its workloads as
// they are now; Options.Files are read for the lines that have their probes alone. For the time of
// the drill requests are routed as the options say and restarts come within a second; when it
// returns, both are as they were, and no fault is left. If the context is done, or somebody changes
// or deletes what is drilled, it undoes the fault of the moment and returns the report so far. The
// error is an [*InputError], and then nothing was done. Two at a time would measure each other: who
// calls it sees to that.
func Attach(ctx context.Context, s *system.System, opts Options) (*Report, error) {
	opts = opts.withDefaults()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	d := &drill{opts: opts, ctx: ctx, attached: true, system: s, report: newReport(opts), loads: map[string]*load{}}
	d.report.Attached = true
	if err := d.readSystem(); err != nil {
		return nil, &InputError{err}
	}
	defer d.prepare()()
	d.record = newRecord(d.report.Began, s.Store(), s.History())
	d.work(func(working context.Context) { d.watchTargets(working, stop) })
	if changed, ok := errors.AsType[*changedError](context.Cause(ctx)); ok {
		d.report.Failures = append(d.report.Failures, changed.Error())
	}
	d.report.Took = d.since(time.Now())
	d.tellEnd()
	return d.report, nil
}

// readSystem finds the workloads that run.
func (d *drill) readSystem() error {
	if d.system.Stopping() {
		return errors.New("the run is being stopped")
	}
	read := manifest.Options{Formats: formats.All(formats.Options{Run: true, Env: d.opts.Env})}
	set, err := manifest.Load(read, d.opts.Files...)
	if err != nil { // as there are none, or they are being written: then nobody knows the lines
		set = &manifest.Set{}
	}
	return d.choose(targetsOf(liveObjects(d.system.Store(), set)))
}

// liveObjects are the Services, Deployments, StatefulSets, ReplicaSets and Pods of a system that
// nothing else makes, with the places that they have in manifests.
func liveObjects(s *store.Store, set *manifest.Set) (all []manifest.Object) {
	written := map[manifest.Ref]manifest.Object{}
	for _, o := range set.Objects {
		written[o.Ref()] = o
	}
	add := func(kind string, live store.Object) {
		if metav1.GetControllerOfNoCopy(live) != nil || live.GetDeletionTimestamp() != nil {
			return
		}
		o := written[manifest.Ref{Kind: kind, Namespace: live.GetNamespace(), Name: live.GetName()}]
		o.Resource = live
		all = append(all, o)
	}
	addAll[*corev1.Service](s, "Service", add)
	addAll[*appsv1.Deployment](s, "Deployment", add)
	addAll[*appsv1.StatefulSet](s, "StatefulSet", add)
	addAll[*appsv1.ReplicaSet](s, "ReplicaSet", add)
	addAll[*corev1.Pod](s, "Pod", add)
	return all
}

func addAll[T store.Object](s *store.Store, kind string, add func(kind string, live store.Object)) {
	objects, _ := store.List[T](s, store.Selector{})
	for _, o := range objects {
		add(kind, o)
	}
}

// backoffLimit is the longest wait for a restart in a drill.
const backoffLimit = time.Second

// prepare makes the system one that can be drilled, until undo.
func (d *drill) prepare() (undo func()) {
	d.system.LimitBackoff(backoffLimit)
	front := d.system.Proxy()
	if front == nil {
		return func() { d.system.LimitBackoff(0) }
	}
	before := front.SetRouting(d.routing())
	return func() {
		front.SetRouting(before)
		d.system.LimitBackoff(0)
	}
}

// routing is that of a drill.
func (d *drill) routing() proxy.Routing {
	r := proxy.Routing{Ledger: d.book.write}
	if !d.opts.LikeProbity {
		r.AsCluster = &proxy.AsCluster{EndpointDelay: d.opts.EndpointDelay}
	}
	return r
}

// changedError says that somebody has changed what is drilled.
type changedError struct{ text string }

func (e *changedError) Error() string { return e.text }

// watchTargets ends the drill when a workload is changed or deleted by others, as nothing can be
// told then of what happens to its Pods: they roll, or are other ones.
func (d *drill) watchTargets(ctx context.Context, stop context.CancelCauseFunc) {
	kinds := store.WatchOptions{Kinds: []store.Object{&appsv1.Deployment{}, &appsv1.StatefulSet{}, &appsv1.ReplicaSet{}, &corev1.Pod{}}}
	watch, err := d.system.Store().Watch(kinds)
	for err == nil {
		if changed := d.changed(); changed != nil {
			stop(changed)
			return
		}
		if _, err = watch.Next(ctx); apierrors.IsResourceExpired(err) { // it fell behind
			watch, err = d.system.Store().Watch(kinds)
		}
	}
}

// changed is nil as long as all workloads are those that the drill began with.
func (d *drill) changed() error {
	d.rolling.Lock()
	defer d.rolling.Unlock()
	for _, t := range d.targets {
		live, err := d.system.Store().GetObject(t.live)
		switch {
		case d.system.Stopping():
			return &changedError{"the drill was ended: the run is being stopped"}
		case err != nil, live.GetUID() != t.live.GetUID(), live.GetDeletionTimestamp() != nil:
			return &changedError{fmt.Sprintf("the drill was ended: %s was deleted meanwhile", t.Name)}
		case live.GetGeneration() != t.live.GetGeneration():
			return &changedError{fmt.Sprintf("the drill was ended: %s was changed meanwhile", t.Name)}
		}
	}
	return nil
}
