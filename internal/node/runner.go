package node

import (
	"log/slog"
	"path/filepath"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/program"
)

// runner owns one Pod: its [lifecycle.Pod], which decides, and the parts that carry out what was
// decided. Its goroutine is the only one that touches their state; all others (processes, attempts,
// hooks, the node) post functions to it. It ends, with every goroutine it started, when nothing of
// the deleted Pod is left.
type runner struct {
	pod            *corev1.Pod // as it was created; nobody writes to it
	state          *lifecycle.Pod
	loop           *loop
	timer          *time.Timer
	grid           grid
	ended          bool          // the core has finished
	gone           chan struct{} // closed when nothing of the Pod is left
	log            *slog.Logger
	releaseAddress func()
	// restartedAt is the last restart that was asked for by the Pod's annotation
	restartedAt string
	// keepLogs keeps the Pod's logs as long as there is room for them
	keepLogs func() error

	object     *podObject
	report     *reportWriter
	allocation *allocation
	running    instances
	traffic    *podTraffic
	containers *containers
	attempts   *attempts
	inspection *inspection
	hooks      *hooks
	recording  *recording
}

// newRunner makes the runner of a Pod, with what the node's Pods share.
func newRunner(n *Node, pod *corev1.Pod) *runner {
	pod, releaseAddress := n.withAddress(pod)
	r := &runner{
		pod:     pod,
		state:   lifecycle.NewPod(pod, lifecycle.Options{MaxRestartPeriod: n.opts.MaxRestartPeriod, IP: program.PodIP(pod)}),
		timer:   time.NewTimer(0),
		grid:    n.grid,
		gone:    make(chan struct{}),
		log:     n.opts.Logger.With("pod", pod.Name),
		running: instances{},

		releaseAddress: releaseAddress, restartedAt: pod.Annotations[manifest.AnnotationRestartedAt],
	}
	r.loop = newLoop(r.on)
	dir := podDir(n.opts.Dir, pod)
	r.keepLogs = func() error { return n.ended.add(dir) }
	r.object = &podObject{store: n.opts.Store, pod: pod, log: r.log}
	r.report = &reportWriter{store: n.opts.Store, pod: pod, log: r.log}
	r.allocation = &allocation{pod: pod, pool: n.machine.ports, objects: n.objects, namer: n.opts.Names, dir: filepath.Join(dir, "volumes"), secretDir: podSecretDir(n.opts, pod), drillDir: n.opts.DrillDir, disks: n.opts.Disks}
	r.recording = newRecording(n.history.Add(pod.UID), pod)
	r.traffic = &podTraffic{loop: r.loop, pod: pod, traffic: n.opts.Traffic, log: r.log, stopping: map[string]bool{}}
	owners := portOwners{n.machine.newIdentity(podAddress(pod)), n.machine.tree}
	holders := holders{n.opts.Store, n.machine.parent}
	r.inspection = &inspection{
		loop: r.loop, pod: pod, machine: n.machine.inspector, owners: owners, holders: holders, allocation: r.allocation, object: r.object,
		advice: &n.advice, log: r.log, failures: map[probeKey]int{},
	}
	ports := &portWatch{
		loop: r.loop, owners: owners, holders: holders, grid: n.grid,
		allocation: r.allocation, object: r.object, changed: func() { r.writeStatus(time.Now()) },
	}
	r.containers = &containers{
		loop: r.loop, pod: pod, running: r.running,
		programs: programs{pod: pod, objects: n.objects, names: n.opts.Names, environ: n.opts.Environ, memory: n.machine.memory, allocation: r.allocation, strings: map[string]int{}},
		launcher: &launcher{loop: r.loop, pod: pod, starter: n.opts.Starter, logs: &n.logs, dir: dir, follow: n.opts.Follow, log: r.log},
		ports:    ports, report: r.report, recording: r.recording, traffic: r.traffic, object: r.object, log: r.log,
	}
	r.attempts = &attempts{
		loop: r.loop, state: r.state, running: r.running,
		probers: &probers{
			pod: pod, running: r.running, commands: execStarter{n.opts.Starter, string(pod.UID) + "/probe"},
			ports: ports, client: n.client, prepare: n.engine.Prepare, prepared: map[probeKey]preparedProbe{}, redirect: n.opts.Redirect,
		},
		inspection: r.inspection, engine: n.engine, stalls: &n.stalls, routine: &n.routine, report: r.report, recording: r.recording, dead: n.machine.dead,
		cancels: map[probeKey]func() bool{},
	}
	r.hooks = &hooks{
		loop: r.loop, pod: pod, running: r.running, commands: execStarter{n.opts.Starter, string(pod.UID) + "/hook"},
		ports: ports, client: n.client, traffic: r.traffic, object: r.object, log: r.log,
	}
	return r
}

// run is the goroutine of the Pod.
func (r *runner) run() {
	defer close(r.gone)
	r.begin()
	for !r.ended {
		r.setTimer()
		select {
		case <-r.loop.inbox.signal:
			r.takeInbox()
		case <-r.timer.C:
			r.report.writeIfDue(time.Now())
			r.on(lifecycle.Tick{})
		}
	}
	r.timer.Stop()
	r.attempts.cancelAll()
	r.loop.end()
	r.object.remove()
	if err := r.allocation.release(); err != nil {
		r.log.Warn("Cannot give back what the Pod had of this machine", "error", err)
	}
	r.releaseAddress()
	if err := r.keepLogs(); err != nil {
		r.log.Warn("Cannot remove logs of Pods that have ended", "error", err)
	}
}

// begin starts the Pod, unless its end was asked for before: then nothing of it starts at all.
func (r *runner) begin() {
	r.takeInbox()
	if !r.ended {
		r.on(lifecycle.Tick{})
	}
}

func (r *runner) takeInbox() {
	for _, do := range r.loop.inbox.take() {
		do()
	}
}

// update passes on what others did to the Pod's object, as it is now: asked for its deletion or a
// restart, or set a condition that a readiness gate waits for.
func (r *runner) update(pod *corev1.Pod) {
	r.loop.post(func() {
		for _, event := range eventsOf(pod) {
			r.on(event)
		}
		if at := pod.Annotations[manifest.AnnotationRestartedAt]; at != "" && at != r.restartedAt {
			r.restartedAt = at
			r.on(lifecycle.RestartAsked{})
		}
	})
}

// abort kills every process of the Pod at once.
func (r *runner) abort() {
	r.loop.post(func() { r.on(lifecycle.Aborted{}) })
}

// on feeds the core and carries out its effects.
func (r *runner) on(event lifecycle.Event) {
	now := time.Now()
	for _, effect := range r.state.On(event, now) {
		r.carryOut(effect)
	}
	if r.object.stale {
		r.writeStatus(now)
	}
}

// setTimer wakes the runner at the next deadline, of the core or of the report.
func (r *runner) setTimer() {
	next := earliest(r.state.Deadline(), r.report.due)
	if next.IsZero() {
		r.timer.Stop()
		return
	}
	r.timer.Reset(r.grid.wait(next, time.Now()))
}

func (r *runner) carryOut(effect lifecycle.Effect) {
	switch e := effect.(type) {
	case lifecycle.StartContainer:
		r.containers.start(e)
	case lifecycle.StopContainer:
		r.object.stale = true
		r.containers.stop(e)
	case lifecycle.KillContainer:
		r.object.stale = true
		r.containers.kill(e)
	case lifecycle.RunProbe:
		r.attempts.start(e)
	case lifecycle.CancelProbe:
		r.attempts.cancel(e)
	case lifecycle.RunHook:
		r.object.stale = true
		r.hooks.run(e)
	case lifecycle.Record:
		if e.Reason == "Killing" {
			r.recording.killing(e.FieldPath, e.Message)
		}
		r.object.record(e.FieldPath, e.Type, e.Reason, e.Message)
	case lifecycle.StatusChanged:
		r.object.stale = true
	case lifecycle.Finished:
		r.ended = true
	}
}

// writeStatus brings the Pod's object up to date. A Pod that is Ready again gets requests again.
func (r *runner) writeStatus(now time.Time) {
	status := r.state.Status(now)
	r.recording.past.Status(status, now)
	r.object.write(status, processAnnotations(&r.pod.Spec, r.running.pids(), r.state, r.allocation.ports))
	r.traffic.admit(isReady(&status))
	for _, s := range slices.Concat(status.InitContainerStatuses, status.ContainerStatuses) {
		if inst := r.running[s.Name]; inst != nil && s.Ready {
			r.inspection.ready(containerNamed(&r.pod.Spec, s.Name), inst)
		}
	}
}

// eventsOf are the events that a Pod's object amounts to.
func eventsOf(pod *corev1.Pod) []lifecycle.Event {
	var events []lifecycle.Event
	if pod.DeletionTimestamp != nil {
		events = append(events, lifecycle.Deleted{Grace: time.Duration(*pod.DeletionGracePeriodSeconds) * time.Second})
	}
	for _, gate := range pod.Spec.ReadinessGates {
		for _, c := range pod.Status.Conditions {
			if c.Type == gate.ConditionType {
				events = append(events, lifecycle.ConditionSet{Condition: c})
			}
		}
	}
	return events
}

// earliest is the earlier of two instants of which each can be none.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
