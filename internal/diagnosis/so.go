package diagnosis

import (
	"fmt"
	"strings"
	"time"
)

// leftText says how many replicas serve without this one.
func (f *Facts) leftText() string {
	w := f.Workload
	switch {
	case w.Desired > 1 && w.Ready == 0:
		return fmt.Sprintf("None of %d replicas serves.", w.Desired)
	case w.Desired > 1:
		verb := "serve"
		if w.Ready == 1 {
			verb = "serves"
		}
		return fmt.Sprintf("%d of %d replicas %s.", w.Ready, w.Desired, verb)
	case len(f.Services) > 0 && f.stateOf() != Ready:
		return "No request reaches it."
	}
	return ""
}

func (f *Facts) livenessSo(p *Probe) string {
	for i := range f.Probes {
		r := &f.Probes[i]
		if r.Type != readiness || !r.Known || r.Passing {
			continue
		}
		why := ""
		if r.Failed && f.failureOf(r).cause == timedOut {
			why = " (readiness timed out too)"
		}
		text := "Out of rotation"
		if since := f.outFor(r); since > 0 {
			text += " for " + Span(since)
		}
		if !r.EverPassed {
			text = "It was never ready"
		}
		return join(text+why, f.leftText())
	}
	text := "In rotation until then"
	if len(f.Services) == 0 {
		text = "It goes on running until then"
	}
	grace := f.Pod.Spec.TerminationGracePeriodSeconds
	if spec := f.specOf(p); spec != nil && spec.TerminationGracePeriodSeconds != nil {
		grace = spec.TerminationGracePeriodSeconds
	}
	if grace != nil {
		text += fmt.Sprintf("; the restart gives it %d s to end", *grace)
	}
	return text + "."
}

func (f *Facts) restartText(container string) string {
	text := "It is being restarted: the stop signal was sent"
	if left := f.killClock(container, ""); left != "" {
		text += ", SIGKILL in " + left
	}
	return join(text, f.leftText())
}

func (f *Facts) startupSo(p *Probe) string {
	text := "Readiness and liveness begin when startup has passed."
	spec := f.specOf(p)
	if spec == nil {
		return text
	}
	left := time.Duration(p.Threshold-p.Run) * seconds(spec.PeriodSeconds)
	if left <= 0 {
		return text + " It is restarted now."
	}
	return text + " Restarted in " + Span(left) + " if it has not."
}

// neverSo is for a Pod that was never ready.
func (f *Facts) neverSo() string {
	text := ""
	if len(f.Services) > 0 {
		text = "No request reaches it."
	}
	if w := f.Workload; w.Rollout > 0 {
		text = strings.TrimSpace(text + fmt.Sprintf(" Rollout %d waits for it", w.Rollout))
		if left := w.Deadline.Sub(f.Now); !w.Deadline.IsZero() && left > 0 {
			text += "; it is given up in " + Span(left.Truncate(time.Second)) + " (progressDeadlineSeconds)"
		}
		text += "."
	}
	if text == "" {
		text = "The Pod is not ready; nothing restarts it for that."
	}
	return text
}

func (f *Facts) outSo(p *Probe) string {
	text := "Out of rotation"
	if since := f.outFor(p); since > 0 {
		text += " for " + Span(since)
	}
	if len(f.Services) == 0 {
		text = "The Pod is not ready; nothing restarts it for that"
	}
	return join(text, f.leftText())
}

// join puts a beginning and a sentence together: "Out of rotation; 2 of 3 replicas serve."
func join(text, more string) string {
	if more == "" {
		return text + "."
	}
	if strings.HasPrefix(more, "None") || strings.HasPrefix(more, "No ") {
		more = strings.ToLower(more[:1]) + more[1:]
	}
	return text + "; " + more
}
