package diagnosis

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/manifest"
)

// State is how a Pod is, in one word.
type State string

// The states of a Pod.
const (
	Ready    State = "Ready"
	NotReady State = "Not ready"
	Starting State = "Starting"
	BackOff  State = "Back-off"
	Failed   State = "Failed"
	Stopping State = "Stopping"
	Out      State = "Out" // out of rotation by hand
	Complete State = "Complete"
	Stopped  State = "Stopped"
)

// Well reports whether nobody has to look after a Pod in this state.
func (s State) Well() bool { return s != NotReady && s != BackOff && s != Failed }

// startingTime is how long a Pod that is not ready counts as starting, unless its startup probe
// gives it more.
const startingTime = 15 * time.Second

// stateOf is the word for a Pod.
func (f *Facts) stateOf() State {
	pod := f.Pod
	switch {
	case pod.DeletionTimestamp != nil && f.anyRunning():
		return Stopping
	case pod.DeletionTimestamp != nil:
		return Stopped
	case pod.Status.Phase == corev1.PodFailed:
		return Failed
	case pod.Status.Phase == corev1.PodSucceeded:
		return Complete
	case f.waitingFor(crashLoop) != nil:
		return BackOff
	case f.ready():
		if manifest.OutOfRotation(pod) {
			return Out
		}
		return Ready
	case f.isStarting():
		return Starting
	}
	return NotReady
}

// crashLoop is the reason of a container that waits for its back-off to end.
const crashLoop = "CrashLoopBackOff"

func (f *Facts) anyRunning() bool {
	for s := range lifecycle.Statuses(f.Pod) {
		if s.State.Running != nil {
			return true
		}
	}
	return false
}

// waitingFor is the container that waits for a reason; nil if there is none.
func (f *Facts) waitingFor(reason string) *corev1.ContainerStatus {
	for s := range lifecycle.Statuses(f.Pod) {
		if s.State.Waiting != nil && s.State.Waiting.Reason == reason {
			return s
		}
	}
	return nil
}

func (f *Facts) ready() bool {
	for _, c := range f.Pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// readySince is when the Pod's readiness changed last.
func (f *Facts) readyChanged() time.Time {
	for _, c := range f.Pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.LastTransitionTime.Time
		}
	}
	return time.Time{}
}

// isStarting reports whether it is too early to worry.
func (f *Facts) isStarting() bool {
	if f.waitingFor("") != nil || f.startError() != nil {
		return false
	}
	if slices.ContainsFunc(f.Probes, f.wasReady) {
		return false
	}
	since := f.startedAt()
	if since.IsZero() {
		since = f.Pod.CreationTimestamp.Time
	}
	return f.Now.Sub(since) < max(startingTime, f.startupBudget()/2)
}

// wasReady reports whether a readiness probe has passed before: then its Pod does not start, it
// broke.
func (f *Facts) wasReady(p Probe) bool { return p.Type == readiness && p.EverPassed }

// startedAt is when the last container began that runs; zero if none does.
func (f *Facts) startedAt() time.Time {
	var last time.Time
	for s := range lifecycle.Statuses(f.Pod) {
		if s.State.Running != nil && s.State.Running.StartedAt.After(last) {
			last = s.State.Running.StartedAt.Time
		}
	}
	return last
}

// startupBudget is how long startup probes that have not passed give their containers.
func (f *Facts) startupBudget() time.Duration {
	var longest time.Duration
	for _, p := range f.Probes {
		if p.Type != startup || p.Over {
			continue
		}
		if spec := f.specOf(&p); spec != nil {
			longest = max(longest, budget(spec))
		}
	}
	return longest
}

// budget is how long a startup probe takes to give up.
func budget(p *corev1.Probe) time.Duration {
	return seconds(p.InitialDelaySeconds) + time.Duration(p.FailureThreshold)*seconds(p.PeriodSeconds)
}

func seconds(n int32) time.Duration { return time.Duration(n) * time.Second }
