package live

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/diagnosis"
	"github.com/probity-run/probity/internal/facts"
	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/terminal/screen"
)

// maxAttempts is how many attempts the page of a Pod lists.
const maxAttempts = 20

// attemptLines are the attempts that a log does not have yet. The caller holds the lock.
func (h *hub) attemptLines(pod *corev1.Pod, from string, seen attemptsSeen) []attemptLine {
	if seen[pod.UID] == nil {
		seen[pod.UID] = map[history.Key]uint64{}
	}
	var lines []attemptLine
	for _, p := range h.run.History.Probes(pod.UID) {
		c, spec := lifecycle.ProbeOf(&pod.Spec, p.Container, lifecycle.ProbeType(p.Type))
		attempts := h.run.History.Attempts(pod.UID, p.Key, seen[pod.UID][p.Key])
		if len(attempts) == 0 {
			continue
		}
		details, from := h.detailsOf(pod, p.Key), label(pod, from, p.Container)
		for _, a := range attempts {
			seen[pod.UID][p.Key] = a.Seq
			text := fmt.Sprintf("%s %s  %s", asked(c, spec), outcome(a, details[a.Seq].Status, spec), counter(p.Key, a))
			lines = append(lines, attemptLine{a.Time, from, text, a.Outcome == history.Failed || a.Outcome == history.TimedOut})
		}
	}
	return lines
}

// detailsOf are the newest attempts of a probe in detail, by their numbers.
func (h *hub) detailsOf(pod *corev1.Pod, key history.Key) map[uint64]history.Detail {
	details := map[uint64]history.Detail{}
	for _, d := range h.run.History.Details(pod.UID, key) {
		details[d.Seq] = d
	}
	return details
}

func asked(c *corev1.Container, spec *corev1.Probe) string {
	if spec == nil {
		return "probe"
	}
	return diagnosis.Asked(c, spec, false)
}

// outcome is what an attempt came to, in few words: "200 0.9 ms", "timeout 1 s", "refused 0.1 ms".
// The status is that of HTTP, 0 if nobody knows it any more.
func outcome(a history.Attempt, status int, spec *corev1.Probe) string {
	word := outcomeWord(a, status, spec)
	if a.Outcome == history.TimedOut && spec != nil {
		return fmt.Sprintf("%s %d s", word, spec.TimeoutSeconds)
	}
	return word + " " + diagnosis.Latency(a.Took)
}

func outcomeWord(a history.Attempt, status int, spec *corev1.Probe) string {
	switch a.Outcome {
	case history.Answered:
		switch {
		case spec == nil || spec.HTTPGet == nil:
			return "passed"
		case status != 0:
			return itoa(status)
		}
		return "answered"
	case history.Warning:
		return "warning"
	case history.NoVerdict:
		return "no verdict"
	case history.TimedOut:
		return "timeout"
	}
	return cmp.Or(diagnosis.FailureOf(a.Message, spec).Word(), "failed")
}

// counter is what was counted after an attempt: "liveness 2/3", "readiness in".
func counter(key history.Key, a history.Attempt) string {
	name := strings.ToLower(key.Type)
	return name + " " + count(key, a)
}

func count(key history.Key, a history.Attempt) string {
	switch {
	case a.Failing:
		return itoa(min(a.Run, a.Threshold)) + "/" + itoa(a.Threshold)
	case a.Result == history.Passing && lifecycle.ProbeType(key.Type) == lifecycle.Readiness:
		return "in"
	case a.Result == history.Passing:
		return "ok"
	}
	return itoa(min(a.Run, a.Threshold)) + "/" + itoa(a.Threshold)
}

// attempts are the last attempts of all probes, newest first.
func (h *hub) attempts(pod *corev1.Pod) []screen.Attempt {
	var all []screen.Attempt
	for _, p := range h.run.History.Probes(pod.UID) {
		_, spec := lifecycle.ProbeOf(&pod.Spec, p.Container, lifecycle.ProbeType(p.Type))
		timeout := time.Second
		if spec != nil {
			timeout = time.Duration(spec.TimeoutSeconds) * time.Second
		}
		attempts := h.run.History.Attempts(pod.UID, p.Key, 0)
		details := h.detailsOf(pod, p.Key)
		for _, a := range attempts[max(len(attempts)-maxAttempts, 0):] {
			all = append(all, screen.Attempt{
				At: a.Time.Local(), Probe: clean(strings.ToLower(p.Type)), Slot: slotOf(a, timeout) &^ (screen.Passing | screen.Failing),
				Outcome: clean(outcomeWord(a, details[a.Seq].Status, spec)), Took: diagnosis.Latency(a.Took), Counter: count(p.Key, a), Text: clean(saw(a, details[a.Seq])),
			})
		}
	}
	slices.SortFunc(all, func(a, b screen.Attempt) int { return b.At.Compare(a.At) })
	return all[:min(len(all), maxAttempts)]
}

// saw is what an attempt saw: how far it came if nothing was answered, the answer if there was one.
func saw(a history.Attempt, d history.Detail) string {
	switch {
	case a.Outcome == history.TimedOut && d.Connect > 0:
		return "connected " + diagnosis.Latency(d.Connect) + ", sent, no answer"
	case a.Outcome == history.TimedOut:
		return "no answer"
	case strings.TrimSpace(d.Body) != "":
		return d.Body
	}
	return a.Message
}

// exchange is what was sent and got in the attempt that matters most: the last failure, or the last
// attempt.
func (h *hub) exchange(pod *corev1.Pod) (title string, lines []string) {
	var best history.ProbeSummary
	for _, p := range h.run.History.Probes(pod.UID) {
		failed := p.Latest.Outcome == history.Failed || p.Latest.Outcome == history.TimedOut
		bestFailed := best.Latest.Outcome == history.Failed || best.Latest.Outcome == history.TimedOut
		if best.Latest.Seq == 0 || failed && !bestFailed || failed == bestFailed && p.Latest.Time.After(best.Latest.Time) {
			best = p
		}
	}
	details := h.run.History.Details(pod.UID, best.Key)
	c, spec := lifecycle.ProbeOf(&pod.Spec, best.Container, lifecycle.ProbeType(best.Type))
	if best.Latest.Seq == 0 || len(details) == 0 || spec == nil {
		return "", nil
	}
	d := details[len(details)-1]
	for _, text := range append(sent(c, spec, d), got(spec, best.Latest, d)...) {
		lines = append(lines, clean(text))
	}
	return "last " + clean(strings.ToLower(best.Type)) + " attempt", lines
}

func sent(c *corev1.Container, spec *corev1.Probe, d history.Detail) []string {
	if spec.HTTPGet == nil {
		return []string{"> " + diagnosis.Asked(c, spec, false) + " " + d.Remote}
	}
	lines := []string{"> GET " + spec.HTTPGet.Path + " HTTP/1.1"}
	if d.Remote != "" {
		lines = append(lines, "> Host: "+d.Remote)
	}
	for _, h := range spec.HTTPGet.HTTPHeaders {
		lines = append(lines, "> "+h.Name+": "+h.Value)
	}
	return lines
}

func got(spec *corev1.Probe, a history.Attempt, d history.Detail) []string {
	var lines []string
	switch {
	case d.Status != 0:
		lines = append(lines, fmt.Sprintf("< HTTP %d after %s", d.Status, diagnosis.Latency(d.Total)))
	case a.Outcome == history.TimedOut:
		lines = append(lines, fmt.Sprintf("< nothing within %d s", spec.TimeoutSeconds))
	case spec.Exec != nil:
		lines = append(lines, fmt.Sprintf("< exit %d after %s", d.ExitCode, diagnosis.Latency(d.Total)))
	}
	if d.Status == 0 && d.Message != "" {
		lines = append(lines, "< "+d.Message)
	}
	for line := range strings.SplitSeq(strings.TrimRight(d.Body, "\r\n"), "\n") {
		if line != "" {
			lines = append(lines, "< "+line)
		}
	}
	if d.BodySize > len(d.Body) {
		lines = append(lines, fmt.Sprintf("< … %d bytes in all", d.BodySize))
	}
	return lines
}

// history is what happened to a Pod, newest first: when it was ready and when not, and how its
// instances ended.
func (h *hub) history(pod *corev1.Pod) []screen.Moment {
	var moments []screen.Moment
	several := len(lifecycle.Containers(&pod.Spec)) > 1
	for _, c := range h.run.History.Changes(pod.UID) {
		if m, ok := momentOf(c); ok {
			moments = append(moments, m)
		}
	}
	for _, in := range h.run.History.Instances(pod.UID) {
		if in.Ended.IsZero() {
			continue
		}
		moments = append(moments, ending(in, several))
	}
	slices.SortStableFunc(moments, func(a, b screen.Moment) int { return b.At.Compare(a.At) })
	return moments
}

func momentOf(c history.Change) (m screen.Moment, ok bool) {
	m = screen.Moment{At: c.Time.Local()}
	switch {
	case c.Kind == history.ReadyChanged && c.Container == "" && c.To == "True":
		m.Text, m.Role = "Ready", screen.Ok
	case c.Kind == history.ReadyChanged && c.Container == "" && c.From == "True":
		m.Text, m.Role = "Not ready", screen.Bad
	case c.Kind == history.PhaseChanged:
		m.Text = "Phase " + c.To
	default:
		return m, false
	}
	if c.Message != "" {
		m.Text += ": " + c.Message
	}
	m.Text = clean(m.Text)
	return m, true
}

// ending says how an instance ended.
func ending(in history.Instance, several bool) screen.Moment {
	text := "Instance " + itoa(in.Number+1)
	if several {
		text += " of " + in.Container
	}
	text += " ended: " + facts.EndText(in) + " after " + diagnosis.Latency(in.Ended.Sub(in.Started))
	role := screen.Warn
	switch {
	case in.Cause != "":
		text += "; " + in.Cause
	case in.ExitCode != 0:
		role = screen.Bad
	}
	if last := facts.LastWords(in); last != "" {
		text += "; last words: “" + last + "”"
	}
	return screen.Moment{At: in.Ended.Local(), Text: clean(text), Role: role}
}
