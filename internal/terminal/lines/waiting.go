package lines

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/printable"
)

// waitSteps are the first times after its start at which a Pod that is not ready gets a line; then
// it is one each minute.
var waitSteps = [...]time.Duration{5 * time.Second, 15 * time.Second, time.Minute}

// waitAfter is how long after a start the nth Waiting line comes.
func waitAfter(n int) time.Duration {
	if n < len(waitSteps) {
		return waitSteps[n]
	}
	return waitSteps[len(waitSteps)-1] + time.Duration(n-len(waitSteps)+1)*time.Minute
}

// waitingDue is when the next Waiting line of a Pod is due; zero if none is.
func (p *pod) waitingDue() time.Time {
	if p.ready || p.readyOnce || p.leaving() {
		return time.Time{}
	}
	return p.began.Add(waitAfter(p.waits))
}

// skipWaits leaves out the lines that are due by now: one has told.
func (p *pod) skipWaits(now time.Time) {
	for p.waits++; !p.began.Add(waitAfter(p.waits)).After(now); p.waits++ {
	}
}

// waiting says how long a Pod has not been ready, why, and how often that was tried.
func (r *Reporter) waiting(p *pod, now time.Time) string {
	return fmt.Sprintf("not ready after %.0f s: %s", now.Sub(p.began).Seconds(), r.whyNotReady(p))
}

// Unready gives a Waiting line for each Pod that is not ready, with what can be done about it, and
// one for each workload that is not complete and has no such Pod. It is for the end of a run that
// waited in vain.
func (r *Reporter) Unready(now time.Time) {
	for _, p := range r.inOrder() {
		if p.ready || p.deleting || p.gone || p.object.Status.Phase == corev1.PodSucceeded {
			continue
		}
		text := r.waiting(p, now)
		if p.object.Status.Phase == corev1.PodFailed {
			text = "failed for good: " + r.whyNotReady(p)
		}
		if next := r.next(p); next != "" {
			text += "; next: " + next
		}
		r.say(now, Waiting, p.ref(), text)
	}
	for _, w := range r.workloadsInOrder() {
		if !w.Complete {
			r.say(now, Waiting, w.ref, w.String())
		}
	}
}

// whyNotReady is the reason for which a Pod is not ready: of the first container that is to blame.
func (r *Reporter) whyNotReady(p *pod) string {
	for _, status := range slices.Concat(p.object.Status.InitContainerStatuses, p.object.Status.ContainerStatuses) {
		if text := r.whyContainer(p, status); text != "" {
			return p.prefix(status.Name) + text
		}
	}
	for _, gate := range p.object.Spec.ReadinessGates {
		if !slices.ContainsFunc(p.object.Status.Conditions, func(c corev1.PodCondition) bool {
			return c.Type == gate.ConditionType && c.Status == corev1.ConditionTrue
		}) {
			return fmt.Sprintf("its readiness gate %s is not True", printable.Line(string(gate.ConditionType)))
		}
	}
	return "its containers are being started"
}

// whyLost is why a Pod is not Ready any more. How its container ended was told in the line before.
func (r *Reporter) whyLost(p *pod) string {
	for _, status := range slices.Concat(p.object.Status.InitContainerStatuses, p.object.Status.ContainerStatuses) {
		if end := endOf(status); end != nil && status.State.Running == nil && end.ContainerID == p.container(status.Name).ended {
			return p.prefix(status.Name) + exitText(end)
		}
	}
	return r.whyNotReady(p)
}

// whyContainer is why a container keeps its Pod from being ready, "" if it does not.
func (r *Reporter) whyContainer(p *pod, status corev1.ContainerStatus) string {
	init := isInit(p.object, status.Name) && !restartable(p.object, status.Name)
	state := status.State
	switch {
	case state.Running != nil && init:
		return "an init container that has not ended"
	case state.Running != nil && status.Started != nil && !*status.Started:
		return r.whyProbe(p, status.Name, lifecycle.Startup)
	case state.Running != nil && !status.Ready:
		return r.whyProbe(p, status.Name, lifecycle.Readiness)
	case state.Running != nil || init && state.Terminated != nil && state.Terminated.ExitCode == 0:
		return ""
	case state.Waiting != nil && state.Waiting.Reason == "CrashLoopBackOff":
		return r.whyDown(p, status) + "; it is started again after a pause"
	case state.Waiting != nil && slices.Contains([]string{"PodInitializing", "ContainerCreating"}, state.Waiting.Reason):
		return ""
	case state.Waiting != nil:
		return printable.Line(state.Waiting.Reason) + ": " + shortened(state.Waiting.Message)
	}
	return r.whyDown(p, status)
}

// whyDown says how a container ended that does not run.
func (r *Reporter) whyDown(p *pod, status corev1.ContainerStatus) string {
	end := endOf(status)
	if end == nil {
		return "it does not run"
	}
	if end.Reason == startError {
		return "cannot be started: " + shortened(end.Message)
	}
	text := exitText(end)
	if end.ExitCode != 0 {
		text += r.lastWords(p, status)
	}
	return text
}

// whyProbe is what a probe that has not passed found last.
func (r *Reporter) whyProbe(p *pod, name string, t lifecycle.ProbeType) string {
	spec := probeOf(&p.object.Spec, name, t)
	if spec == nil {
		return "it is being started"
	}
	row := p.container(name).row(t)
	if row.last.Time.IsZero() {
		return fmt.Sprintf("no attempt of its %s probe yet%s%s", strings.ToLower(string(t)), r.dot(), r.asked(p.object.UID, name, &spec.ProbeHandler, true))
	}
	text := r.reason(row.last, spec) + r.dot()
	if row.succeeded {
		return text + counter(row, spec)
	}
	return text + plural(max(row.attempts, 1), "attempt")
}

// outOf says which Services a Pod has left, and who is left there.
func (r *Reporter) outOf(p *pod) string {
	var parts []string
	for _, s := range r.servicesInOrder() {
		ready, all := 0, 0
		for _, other := range r.pods {
			if s.selects(other.object) && !other.leaving() {
				all++
				if other.ready {
					ready++
				}
			}
		}
		if s.selects(p.object) {
			parts = append(parts, fmt.Sprintf("out of %s, %d of %d left", s.ref, ready, all))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return "; " + strings.Join(parts, "; ")
}

// plural counts: 1 attempt, 4 attempts.
func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}
