package diagnosis

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/lifecycle"
)

// notYet diagnoses a Pod that is not ready although nothing failed.
func (f *Facts) notYet(d *Diagnosis) {
	switch init := f.runningInit(); {
	case init != "":
		d.Reason = "init container " + init + " runs"
		d.Why = fmt.Sprintf("Init container %s runs; the next one starts when it has ended.", init)
		return
	case !f.anyRunning():
		d.Why = "No container of it runs yet."
		if reason := f.waitReason(); reason != "" {
			d.Reason, d.Why = reason, reason+"."
		}
		return
	}
	for i := range f.Probes {
		p := &f.Probes[i]
		if spec := f.specOf(p); spec != nil && !f.Told && !p.Over && !(p.Passing && p.Known) && p.Type != liveness {
			f.awaits(d, p, spec)
			return
		}
	}
	if gates := f.closedGates(); gates != "" {
		d.Reason = "waits for readiness gate " + gates
		d.Why = "Its containers are ready; the Pod waits for readiness gate " + gates + "."
		return
	}
	d.Why = "Runs; it is about to become ready."
	if f.Told {
		d.Why = "Runs, and does not count as ready; no Event tells of a probe that fails."
	}
}

// awaits diagnoses a Pod whose probe has neither failed nor passed.
func (f *Facts) awaits(d *Diagnosis, p *Probe, spec *corev1.Probe) {
	what, dot := f.of(p.Container)+f.asked(p, false), f.Style.dot()
	switch {
	case p.Unevaluated:
		d.Reason = f.found(p) + dot + "no verdict"
		d.Why = f.found(p) + ". That is no failure of the program: the attempt could not be judged, and counts for nothing."
	case p.Threshold > 1 && p.Run > 0:
		d.Check = fraction(p.Run, p.Threshold)
		d.Reason = what + dot + d.Check + " successes"
		d.Why = fmt.Sprintf("%s answers; %d of the %d successes in a row that it takes.", what, p.Run, p.Threshold)
	default:
		d.Reason = fmt.Sprintf("no %s attempt yet%s%s", strings.ToLower(string(p.Type)), dot, what)
		d.Why = "Runs; " + what + " was not asked yet" + f.delayText(spec) + "."
	}
}

// delayText says how long it is until a probe is asked for the first time, if that is not at once.
func (f *Facts) delayText(p *corev1.Probe) string {
	if p.InitialDelaySeconds == 0 {
		return ""
	}
	text := fmt.Sprintf(" (initialDelaySeconds: %d", p.InitialDelaySeconds)
	left := f.startedAt().Add(seconds(p.InitialDelaySeconds)).Sub(f.Now).Truncate(time.Second)
	if left > 0 {
		text += ", another " + Span(left)
	}
	return text + ")"
}

// runningInit is the init container that runs and has to end before others start; "" if none does.
func (f *Facts) runningInit() string {
	for i, c := range lifecycle.Containers(&f.Pod.Spec)[:len(f.Pod.Spec.InitContainers)] {
		sidecar := c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
		if i < len(f.Pod.Status.InitContainerStatuses) && f.Pod.Status.InitContainerStatuses[i].State.Running != nil && !sidecar {
			return c.Name
		}
	}
	return ""
}

func (f *Facts) closedGates() string {
	var closed []string
	for _, gate := range f.Pod.Spec.ReadinessGates {
		open := false
		for _, c := range f.Pod.Status.Conditions {
			open = open || c.Type == gate.ConditionType && c.Status == corev1.ConditionTrue
		}
		if !open {
			closed = append(closed, string(gate.ConditionType))
		}
	}
	return strings.Join(closed, ", ")
}
