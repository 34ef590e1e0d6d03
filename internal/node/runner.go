package node

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/probe"
)

// runner owns one Pod. Its goroutine is the only one that touches its fields and its
// [lifecycle.Pod]; all others (processes, attempts, hooks, the node) hand it functions to call. It
// ends, with every goroutine it started, when nothing of the deleted Pod is left.
type runner struct {
	node  *Node
	pod   *corev1.Pod // as it was created; nobody writes to it
	state *lifecycle.Pod
	log   *slog.Logger
	dir   string

	inbox   *mailbox
	ctx     context.Context // done when the Pod is gone; ends attempts and hooks
	cancel  context.CancelFunc
	running sync.WaitGroup
	timer   *time.Timer
	ended   bool

	identity    process.Identity
	ports       *podPorts
	volumes     map[string]string
	strings     map[string]int             // bytes of each container's environment and command line
	instances   map[string]*instance       // the current one of each container that was started
	attempts    map[attemptKey]func() bool // how to cancel the newest attempt of each probe
	prepared    map[attemptKey]preparedProbe
	report      ProbeReport
	reported    time.Time // when the report was written last
	reportDue   time.Time // when it has to be written again; zero if it is up to date
	statusDirty bool
	leaving     map[string]bool // instances that are being stopped, by id
	withdrawn   bool            // no new requests are to come
}

type attemptKey struct {
	container string
	probe     lifecycle.ProbeType
}

func newRunner(n *Node, pod *corev1.Pod) *runner {
	ctx, cancel := context.WithCancel(context.Background())
	return &runner{
		node:      n,
		pod:       pod,
		state:     lifecycle.NewPod(pod, lifecycle.Options{MaxRestartPeriod: n.opts.MaxRestartPeriod}),
		log:       n.opts.Logger.With("pod", pod.Name),
		dir:       filepath.Join(n.opts.Dir, pod.Namespace+"_"+pod.Name+"_"+string(pod.UID)),
		inbox:     newMailbox(),
		ctx:       ctx,
		cancel:    cancel,
		timer:     time.NewTimer(0),
		identity:  process.Identity{Sockets: &n.sockets},
		strings:   map[string]int{},
		instances: map[string]*instance{},
		attempts:  map[attemptKey]func() bool{},
		prepared:  map[attemptKey]preparedProbe{},
		leaving:   map[string]bool{},
	}
}

// run is the goroutine of the Pod.
func (r *runner) run() {
	if r.pod.DeletionTimestamp != nil { // it shall not start at all
		r.on(lifecycle.Deleted{Grace: time.Duration(*r.pod.DeletionGracePeriodSeconds) * time.Second})
	} else {
		r.on(lifecycle.Tick{})
	}
	for !r.ended {
		select {
		case <-r.inbox.signal:
			for _, do := range r.inbox.take() {
				do()
			}
		case <-r.timer.C:
			r.writeReportIfDue(time.Now())
			r.on(lifecycle.Tick{})
		}
	}
	r.inbox.close()
	for _, cancel := range r.attempts {
		cancel()
	}
	r.cancel()
	r.running.Wait()
	r.cleanUp()
}

// post hands the runner something to do. It never blocks; when the Pod is gone nothing is done.
func (r *runner) post(do func()) { r.inbox.put(do) }

// see takes note of the Pod's object as it is now: others may have asked for its deletion, or set a
// condition that a readiness gate waits for.
func (r *runner) see(pod *corev1.Pod) {
	r.post(func() {
		if pod.DeletionTimestamp != nil {
			r.on(lifecycle.Deleted{Grace: time.Duration(*pod.DeletionGracePeriodSeconds) * time.Second})
		}
		for _, gate := range pod.Spec.ReadinessGates {
			for _, c := range pod.Status.Conditions {
				if c.Type == gate.ConditionType {
					r.on(lifecycle.ConditionSet{Condition: c})
				}
			}
		}
	})
}

// abort kills every process of the Pod at once.
func (r *runner) abort() {
	r.post(func() { r.on(lifecycle.Aborted{}) })
}

// on feeds the core and carries out what it asks for.
func (r *runner) on(event lifecycle.Event) {
	now := time.Now()
	for _, effect := range r.state.On(event, now) {
		r.carryOut(effect)
	}
	if r.statusDirty {
		r.writeStatus(now)
	}
	r.setTimer()
}

// setTimer wakes the runner at the next deadline, of the core or of the report.
func (r *runner) setTimer() {
	next := r.state.Deadline()
	if next.IsZero() || !r.reportDue.IsZero() && r.reportDue.Before(next) {
		next = r.reportDue
	}
	if next.IsZero() {
		r.timer.Stop()
		return
	}
	r.timer.Reset(r.node.quantize(next))
}

func (r *runner) carryOut(effect lifecycle.Effect) {
	switch e := effect.(type) {
	case lifecycle.StartContainer:
		r.start(e)
	case lifecycle.StopContainer:
		r.stop(e)
	case lifecycle.KillContainer:
		r.kill(e)
	case lifecycle.RunProbe:
		r.attempt(e)
	case lifecycle.CancelProbe:
		r.cancelAttempt(attemptKey{e.Container, e.Type})
	case lifecycle.RunHook:
		r.hook(e)
	case lifecycle.Record:
		r.record(e.FieldPath, e.Type, e.Reason, e.Message)
	case lifecycle.StatusChanged:
		r.statusDirty = true
	case lifecycle.Finished:
		r.ended = true
	}
}

// fieldPath names a container as Events do (R46).
func (r *runner) fieldPath(container string) string {
	for _, c := range r.pod.Spec.Containers {
		if c.Name == container {
			return "spec.containers{" + container + "}"
		}
	}
	return "spec.initContainers{" + container + "}"
}

// container finds a container's spec by name; the core names only those that exist.
func (r *runner) container(name string) *corev1.Container {
	for _, c := range lifecycle.Containers(&r.pod.Spec) {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// outcome translates what the probe package found into what the core counts.
func outcome(result probe.Result) (lifecycle.Outcome, string) {
	switch {
	case result.Err != nil && result.Outcome == probe.Failure:
		return lifecycle.OutcomeErrorFailure, result.Err.Error()
	case result.Err != nil, result.Outcome == probe.Unknown:
		return lifecycle.OutcomeErrorUnknown, fmt.Sprint(result.Err)
	case result.Outcome == probe.Success:
		return lifecycle.OutcomeSuccess, result.Output
	case result.Outcome == probe.Warning:
		return lifecycle.OutcomeWarning, result.Output
	default:
		return lifecycle.OutcomeFailure, result.Output
	}
}
