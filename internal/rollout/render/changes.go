package render

import (
	"fmt"
	"slices"
	"time"

	"github.com/probity-run/probity/internal/diagnosis"
	"github.com/probity-run/probity/internal/rollout"
)

// Changes are the lines that a pipe gets when a rollout went from one result to the next; before is
// the zero value at first. The caller puts the age before each. Nothing is said twice as long as
// the results are those of one rollout in their order.
func Changes(before, after *rollout.Result) (lines []string) {
	if after.Revision != before.Revision && after.Revision > 0 {
		line := fmt.Sprintf("%s revision %d", after.Object.Resource(), after.Revision)
		if after.Object.Kind == "Deployment" && after.Hash != "" {
			line += fmt.Sprintf(": replicaset %s-%s", after.Object.Name, after.Hash)
		}
		lines = append(lines, line)
	}
	was := map[string]rollout.Pod{}
	for _, p := range before.Pods {
		was[p.Name] = p
	}
	for _, p := range after.Pods {
		lines = append(lines, podChanges(was[p.Name], p)...)
	}
	lines = append(lines, causeChanges(before, after)...)
	if after.Verdict != nil && before.Verdict == nil {
		lines = append(lines, end(after))
	}
	return lines
}

func podChanges(before, after rollout.Pod) (lines []string) {
	if after.Restarts > before.Restarts && before.Name != "" {
		lines = append(lines, fmt.Sprintf("pod/%s restarted, restarts %d", after.Name, after.Restarts))
	}
	if after.Phase == before.Phase {
		return lines
	}
	text := after.Phase
	switch {
	case text == "scheduled" && after.Node != "":
		text += " to " + after.Node
	case text == "pending":
		text = "created"
	case text == "up" && after.Took > 0:
		text += ", start to Ready " + diagnosis.Span(after.Took)
	}
	return append(lines, fmt.Sprintf("pod/%s %s", after.Name, text))
}

// again is at what ages a cause is said once more.
func again() []time.Duration {
	return []time.Duration{30 * time.Second, 2 * time.Minute, 8 * time.Minute, 30 * time.Minute}
}

func causeChanges(before, after *rollout.Result) (lines []string) {
	was := map[string]rollout.Cause{}
	for _, c := range before.Causes {
		was[c.Key] = c
	}
	for _, c := range after.Causes {
		old, known := was[c.Key]
		delete(was, c.Key)
		switch {
		case !known || old.Degree != c.Degree:
			lines = append(lines, fmt.Sprintf("%s %s: %s", subject(after, c), c.Degree, cause(c)))
		case after.Verdict == nil && isOlder(before.At, after.At, c.Since):
			lines = append(lines, fmt.Sprintf("%s still: %s", subject(after, c), cause(c)))
		}
	}
	for _, c := range before.Causes {
		if _, gone := was[c.Key]; gone && c.Degree >= rollout.Suspect && !goesOn(c, after) {
			lines = append(lines, fmt.Sprintf("%s over: %s", subject(before, c), c.Short))
		}
	}
	return lines
}

// goesOn reports whether the container of a cause, or its Pod, still has trouble, in another form.
func goesOn(c rollout.Cause, after *rollout.Result) bool {
	return slices.ContainsFunc(after.Causes, func(other rollout.Cause) bool {
		samePod := slices.ContainsFunc(c.Pods, func(pod string) bool { return slices.Contains(other.Pods, pod) })
		return other.Degree >= rollout.Suspect && samePod && (other.Container == c.Container || c.Container == "" || other.Container == "")
	})
}

// isOlder reports whether a cause has reached an age at which it is said once more.
func isOlder(before, after, since time.Time) bool {
	for _, age := range again() {
		if at := since.Add(age); at.After(before) && !at.After(after) {
			return true
		}
	}
	return false
}

// subject is what has a cause: a Pod, or the workload.
func subject(r *rollout.Result, c rollout.Cause) string {
	switch len(c.Pods) {
	case 0:
		return r.Object.Resource()
	case 1:
		return "pod/" + c.Pods[0]
	}
	return fmt.Sprintf("pod/%s and %d more", c.Pods[0], len(c.Pods)-1)
}

// end is the last line.
func end(r *rollout.Result) string {
	v := r.Verdict
	switch v.Outcome {
	case rollout.IsUp:
		return "up: " + up(r)
	case rollout.NotFollowed:
		return fmt.Sprintf("not followed: %s %s", r.Object.Resource(), v.Text)
	}
	text := v.Text
	if v.Probe != nil { // which says more than that a container is not ready
		text = cause(v.Cause)
	}
	return fmt.Sprintf("%s: %s: %s", v.Outcome, r.Object.Resource(), text)
}
