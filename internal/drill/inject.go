package drill

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/dependency"
	"github.com/probity-run/probity/internal/kube"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/relay"
	"github.com/probity-run/probity/internal/store"
	"github.com/probity-run/probity/internal/workload"
)

// nothing undoes a fault that ends by itself.
func nothing() error { return nil }

// inject does a fault to a Pod, or to the workload as a whole. undo undoes it, once or more often.
func (d *drill) inject(f Fault, t *target, pod *corev1.Pod) (undo func() error, err error) {
	switch f.Kind {
	case KindCrash:
		return nothing, d.system.Signal(pod.Namespace, pod.Name, t.Container, f.signal())
	case KindDeadlock:
		return d.system.Deadlock(d.ctx, pod.Namespace, pod.Name, t.Container, f.deadline(&t.Workload))
	case KindStop:
		return nothing, d.system.DeletePod(pod.Namespace, pod.Name)
	case KindRollout:
		return nothing, d.roll(t)
	case KindOverload:
		return d.overload(f.Number)
	case KindPool:
		return d.useUp(f)
	case KindHeld:
		return d.hold(t, pod, int(f.Number))
	case KindDiskFull:
		return d.fillDisk(f, t, pod)
	case KindDependency:
		if f.AtStart {
			return d.startWithout(f, t, pod)
		}
		return d.breakDependency(f)
	}
	fault, err := f.process(&t.Workload)
	if err != nil {
		return nil, err
	}
	if f.Kind == KindSlowStart {
		return d.slowStart(t, pod, fault)
	}
	return d.system.Inject(pod.Namespace, pod.Name, t.Container, fault)
}

// restartTime is how long a process may take to come again that was killed.
const restartTime = 10 * time.Second

// restart kills the process of a replica and waits for the next one.
func (d *drill) restart(t *target, pod *corev1.Pod) error {
	began := d.since(time.Now())
	if err := d.system.Signal(pod.Namespace, pod.Name, t.Container, sigkill); err != nil {
		return err
	}
	came := d.until(time.Now().Add(restartTime), func() bool {
		d.record.mu.Lock()
		defer d.record.mu.Unlock()
		return firstIn(d.record.changes, pod.Name, t.Container, began, ChangeStarted) != nil
	})
	if !came {
		return errors.New("its next process did not start")
	}
	return nil
}

// slowStart throttles the next process of a replica as soon as it is there.
func (d *drill) slowStart(t *target, pod *corev1.Pod, fault process.Fault) (undo func() error, err error) {
	if err := d.restart(t, pod); err != nil {
		return nil, err
	}
	return d.system.Inject(pod.Namespace, pod.Name, t.Container, fault)
}

// startWithout starts a replica again while a dependency is broken.
func (d *drill) startWithout(f Fault, t *target, pod *corev1.Pod) (undo func() error, err error) {
	longest := f
	longest.Length += f.waitsForStart(&t.Workload)
	if undo, err = d.breakDependency(longest); err != nil {
		return nil, err
	}
	if err := d.restart(t, pod); err != nil {
		return nil, errors.Join(err, undo())
	}
	return undo, nil
}

// deadlineSlack is how much longer than a fault the shepherd waits until it undoes it itself.
const deadlineSlack = 2 * time.Minute

// deadline is when a fault is undone that the drill itself has forgotten: later than a probe may
// still decide a restart, and the grace period may still go on.
func (f Fault) deadline(w *Workload) time.Duration {
	needed := max(f.Length+f.waitsForStart(w), replaceLimit)
	if f.Side() == SideInside {
		needed = max(needed, f.decision(w)+w.replacement())
	}
	return min(needed+deadlineSlack, process.MaxFault)
}

// process is a fault of processes.
func (f Fault) process(w *Workload) (process.Fault, error) {
	p := process.Fault{Deadline: f.deadline(w)}
	switch f.Kind {
	case KindHang, KindGCStall:
		p.Kind = process.FaultStop
	case KindThrottle:
		p.Kind, p.Share = process.FaultThrottle, f.Number
	case KindSlowStart:
		p.Kind, p.Share = process.FaultThrottle, 1/f.Number
	case KindFDs:
		p.Kind = process.FaultDescriptors
	case KindDiskFull:
		p.Kind = process.FaultFileSize
	case KindMemory:
		p.Kind, p.Limit = process.FaultMemory, f.Bytes
	default:
		return p, fmt.Errorf("nothing here injects %s", f.Word)
	}
	return p, nil
}

// roll has a workload replace its Pods, as kubectl rollout restart does.
func (d *drill) roll(t *target) error {
	annotate := func(template *corev1.PodTemplateSpec) {
		if template.Annotations == nil {
			template.Annotations = map[string]string{}
		}
		template.Annotations[kube.AnnotationRestarted] = time.Now().Format(time.RFC3339Nano)
	}
	d.rolling.Lock()
	defer d.rolling.Unlock()
	var rolled store.Object
	var err error
	switch t.kind {
	case "deployment":
		rolled, err = store.Modify(d.system.Store(), t.namespace, t.object, func(o *appsv1.Deployment) error { annotate(&o.Spec.Template); return nil })
	case "statefulset":
		rolled, err = store.Modify(d.system.Store(), t.namespace, t.object, func(o *appsv1.StatefulSet) error { annotate(&o.Spec.Template); return nil })
	default:
		err = errors.New("only Deployments and StatefulSets roll")
	}
	if err == nil {
		d.target(t.Name).live = rolled // t may be that workload as seen from one of its containers
	}
	return err
}

// paused reports whether the rollouts of a Deployment are: nothing would come of one.
func (d *drill) paused(t *target) bool {
	o, err := store.Get[*appsv1.Deployment](d.record.store, t.namespace, t.object)
	return t.kind == "deployment" && err == nil && o.Spec.Paused
}

// rolledOut reports whether a rollout is at its end. That all replicas are ready does not say so:
// between two of them they are, for minReadySeconds.
func (d *drill) rolledOut(t *target) bool {
	live, err := d.record.store.GetObject(d.target(t.Name).live)
	if err != nil {
		return false // it was deleted, which ends the drill
	}
	progress, _ := workload.ProgressOf(live)
	return progress.Complete
}

// overload multiplies the load.
func (d *drill) overload(by float64) (undo func() error, err error) {
	if d.load == nil {
		return nil, errors.New("nothing is sent to it")
	}
	load := d.load
	before := load.every.Load()
	load.every.Store(int64(float64(before) / by))
	return func() error { load.every.Store(before); return nil }, nil
}

// useUp has a dependency answer late while more is asked of it.
func (d *drill) useUp(f Fault) (undo func() error, err error) {
	slow, err := d.breakDependency(f)
	if err != nil {
		return nil, err
	}
	load, err := d.overload(f.Number)
	if err != nil {
		return nil, errors.Join(err, slow())
	}
	return func() error {
		err := load()
		return errors.Join(err, slow())
	}, nil
}

// hold connects silent clients to a replica.
func (d *drill) hold(t *target, pod *corev1.Pod, n int) (undo func() error, err error) {
	port := t.containerPort()
	var closers []func() error
	undo = sync.OnceValue(func() error {
		for _, c := range closers {
			_ = c() // the other end may have closed it
		}
		return nil
	})
	for range n {
		conn, err := d.system.DialPort(d.ctx, pod.UID, port)
		if err != nil {
			if len(closers) > 0 {
				return undo, nil // it takes no more: that is what is tried
			}
			return nil, errors.Join(err, undo())
		}
		closers = append(closers, conn.Close)
	}
	return undo, nil
}

// breakDependency changes the mode of a relay.
func (d *drill) breakDependency(f Fault) (undo func() error, err error) {
	return d.system.SetMode(f.Dependency, f.mode())
}

// mode is what a relay does for a fault of a dependency.
func (f Fault) mode() relay.Mode {
	mode := relay.Mode{For: f.Length + deadlineSlack}
	if f.Kind == KindPool {
		mode.Kind, mode.Delay = relay.Slow, poolDelay
		return mode
	}
	switch f.Mode {
	case "hang":
		mode.Kind = relay.Hang
	case "reset":
		mode.Kind = relay.Reset
	case "slow":
		mode.Kind, mode.Delay = relay.Slow, f.Delay
	case "dead":
		mode.Kind = relay.Dead
	default:
		mode.Kind = relay.Down
	}
	return mode
}

// missing is why a fault cannot be injected into a workload on this machine; "" if it can.
func (d *drill) missing(f Fault, workload string) string {
	t := d.target(workload)
	switch f.Kind {
	case KindDeadlock:
		if d.attached && t.deadlockCommand() == "" {
			return fmt.Sprintf("this run was started without the socket at which package health can be told to hang: %s; or annotate the Pod with %s%s and a command such as kill -USR1 $PID",
				ownRun, manifest.AnnotationDeadlock, t.Container)
		}
	case KindRollout:
		if t.kind != "deployment" && t.kind != "statefulset" {
			return "only Deployments and StatefulSets roll"
		}
		if d.paused(t) {
			return "its rollouts are paused: set spec.paused to false"
		}
	case KindStop:
		if t.kind == "pod" {
			return "nothing makes another Pod in its place"
		}
	case KindOverload, KindPool:
		if d.loads[workload] == nil {
			return "nothing is sent to it: it has no Service that speaks HTTP"
		}
		if f.Kind == KindPool {
			return d.unbreakable(f, t)
		}
	case KindHeld:
		if t.containerPort() == 0 {
			return "its container declares no port"
		}
	case KindDependency:
		return d.unbreakable(f, t)
	}
	return ""
}

// ownRun says how to have what a run is not prepared for.
const ownRun = "probity drill FILE starts one of its own that has it"

// unbreakable is why a dependency of a workload cannot be broken; "" if it can.
func (d *drill) unbreakable(f Fault, t *target) string {
	if d.attached {
		return unwatched
	}
	for _, found := range d.system.Dependencies() {
		if found.Name == f.Dependency {
			return found.Refused
		}
	}
	if err := d.system.CannotWatch(); err != nil {
		return err.Error()
	}
	if i := slices.IndexFunc(t.named, func(n namedService) bool { return d.nameOf(n) == f.Dependency }); i >= 0 {
		return t.named[i].unused()
	}
	return "nothing connected to it; there are " + listed(d.system.Dependencies())
}

// unwatched is why no dependency of an attached run can be broken: programs are watched from their
// first instruction on, or not at all.
const unwatched = "the programs of this run were started without anybody who sees what they connect to: " + ownRun

func listed(all []dependency.Dependency) (names string) {
	for i, dep := range all {
		if i > 0 {
			names += ", "
		}
		names += dep.Name
	}
	if names == "" {
		return "none"
	}
	return names
}
