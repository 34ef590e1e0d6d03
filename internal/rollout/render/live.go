package render

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/probity-run/probity/internal/diagnosis"
	"github.com/probity-run/probity/internal/printable"
	"github.com/probity-run/probity/internal/rollout"
)

// maxRows is how many Pods of a workload the live view shows that are not up.
const maxRows = 8

// Live is the picture of some rollouts in a terminal of so many columns, in lines. begun is when
// the deployment began.
func Live(all []rollout.Result, begun time.Time, width int) (lines []string) {
	for i := range all {
		lines = append(lines, workload(&all[i], begun, width)...)
	}
	var seen []string
	for i := range all {
		for _, s := range all[i].Services {
			name := all[i].Object.Namespace + "/" + s.Name
			if slices.Contains(seen, name) {
				continue
			}
			seen = append(seen, name)
			lines = append(lines, fit(fmt.Sprintf("service %s  %s", s.Name, endpoints(s.Ready)), width))
		}
	}
	return lines
}

func workload(r *rollout.Result, begun time.Time, width int) []string {
	head := fmt.Sprintf("%s %s  %d of %d up", strings.ToLower(r.Object.Kind), r.Object.Name, r.Available, r.Desired)
	if r.Revision > 0 {
		head += fmt.Sprintf("  revision %d", r.Revision)
	}
	if r.Old > 0 {
		head += fmt.Sprintf(" (%d of older ones)", r.Old)
	}
	if !r.Settles.IsZero() {
		head += "  is it going to stay so?"
	}
	lines := []string{clocked(head, r.At.Sub(begun), width)}
	for _, c := range r.Causes {
		if len(c.Pods) == 0 {
			lines = append(lines, fit("  "+c.Short, width))
		}
	}
	return append(lines, pods(r, width)...)
}

// isTroubled reports whether a Pod has a trouble, although it may be up.
func isTroubled(r *rollout.Result, pod string) bool {
	return slices.ContainsFunc(r.Causes, func(c rollout.Cause) bool { return c.Degree >= rollout.Suspect && slices.Contains(c.Pods, pod) })
}

// pods are the lines of the Pods that are not up or in trouble, each with what is wrong with it,
// and one for the others.
func pods(r *rollout.Result, width int) (lines []string) {
	shown, more := 0, 0
	var took []string
	ups := 0
	for _, p := range r.Pods {
		switch {
		case p.Up && !isTroubled(r, p.Name):
			ups++
			if p.Took > 0 && len(took) < 3 {
				took = append(took, diagnosis.Span(p.Took))
			}
			continue
		case shown == maxRows:
			more++
			continue
		}
		shown++
		state := "  not ready"
		if p.Ready {
			state = ""
		}
		node := ""
		if p.Node != "" {
			node = "  " + p.Node
		}
		lines = append(lines, clocked(fmt.Sprintf("  %s%s  %s%s  restarts %d", p.Name, node, p.Phase, state, p.Restarts), r.At.Sub(p.Created), width))
		for _, c := range r.Causes {
			if slices.Contains(c.Pods, p.Name) {
				lines = append(lines, fit("    "+cause(c), width))
			}
		}
	}
	if more > 0 {
		lines = append(lines, fit(fmt.Sprintf("  and %d more that are not up", more), width))
	}
	if ups > 0 {
		text := fmt.Sprintf("  %d Pods up", ups)
		if ups == 1 {
			text = "  1 Pod up"
		}
		if len(took) > 0 && len(took) == ups {
			text += " (start to Ready " + strings.Join(took, ", ") + ")"
		}
		lines = append(lines, fit(text, width))
	}
	return lines
}

// cause is a cause on a line of its own.
func cause(c rollout.Cause) string {
	text := c.Short
	if c.Probe != nil && c.AtLeast && c.Count > 1 {
		text += fmt.Sprintf(", at least %d times", c.Count)
	}
	return text
}

// clocked is a line with a time at its right end.
func clocked(text string, d time.Duration, width int) string {
	clock := diagnosis.Clock(d)
	room := max(width-len(clock)-1, 0)
	return fit(printable.Pad(printable.Fit(text, room), room)+" "+clock, width)
}

func fit(text string, width int) string { return printable.Fit(text, max(width, 0)) }
