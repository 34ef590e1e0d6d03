package lines

import (
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/lifecycle"
)

// next is what a person can do so that a Pod becomes ready; "" if nothing follows from what is
// known. What Probity found out by looking at the Pod's processes comes first.
func (r *Reporter) next(p *pod) string {
	if p.advice != "" {
		return p.advice
	}
	for _, status := range slices.Concat(p.object.Status.InitContainerStatuses, p.object.Status.ContainerStatuses) {
		if text := nextOf(p, status); text != "" {
			return text
		}
	}
	return ""
}

func nextOf(p *pod, status corev1.ContainerStatus) string {
	if end := endOf(status); end != nil && status.State.Running == nil {
		switch {
		case end.Reason == startError, end.ExitCode == 126, end.ExitCode == 127:
			return "correct the command of container " + status.Name + ", or give one with --command"
		case end.ExitCode != 0:
			return "read what " + status.Name + " printed: --logs shows it"
		}
	}
	if status.State.Running == nil {
		return ""
	}
	for _, t := range []lifecycle.ProbeType{lifecycle.Startup, lifecycle.Readiness} {
		spec, row := probeOf(&p.object.Spec, status.Name, t), p.container(status.Name).row(t)
		if spec == nil || row.succeeded || row.last.Time.IsZero() {
			continue
		}
		if text := nextOfAttempt(row.last, spec); text != "" {
			return text
		}
	}
	return ""
}

// nextOfAttempt is what the failure of a probe asks for.
func nextOfAttempt(a Attempt, spec *corev1.Probe) string {
	switch cause, word := causeOf(a.Output, spec); {
	case cause == causeRefused:
		return "let the program listen on $PORT, or let the probe name the port that it listens on"
	case cause == causeStatus && word == "404":
		return "correct the path of the probe"
	case cause == causeStatus && (word == "401" || word == "403"):
		return "let probes pass without a login"
	case cause == causeTimeout:
		return "look at why it does not answer in time, or raise timeoutSeconds"
	}
	return ""
}
