package lines

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/diagnosis"
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

// waiting says how long a Pod has not been ready, and why.
func (p *pod) waiting(now time.Time, reason string) string {
	return fmt.Sprintf("not ready after %.0f s: %s", now.Sub(p.began).Seconds(), reason)
}

// Unready gives a Waiting line for each Pod that is not ready, with what can be done about it, and
// one for each workload that is not complete and has no such Pod. It is for the end of a run that
// waited in vain.
func (r *Reporter) Unready(now time.Time) {
	for _, p := range r.inOrder() {
		if p.ready || p.deleting || p.gone || p.object.Status.Phase == corev1.PodSucceeded {
			continue
		}
		reason, next := r.advice(p, now)
		text := p.waiting(now, reason)
		if p.object.Status.Phase == corev1.PodFailed {
			text = "failed for good: " + reason
		}
		if next != "" {
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

// whyLost is why a Pod is not Ready any more. How its container ended was told in the line before.
func (r *Reporter) whyLost(p *pod, now time.Time) string {
	for _, status := range slices.Concat(p.object.Status.InitContainerStatuses, p.object.Status.ContainerStatuses) {
		if end := endOf(status); end != nil && status.State.Running == nil && end.ContainerID == p.container(status.Name).ended {
			return p.prefix(status.Name) + diagnosis.EndText(end)
		}
	}
	f := r.facts(p, now)
	for i := range f.Probes {
		if probe := &f.Probes[i]; probe.Failed {
			return f.Found(probe)
		}
	}
	return reasonOf(diagnosis.Of(f))
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
