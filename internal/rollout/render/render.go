// Package render puts in words what package rollout finds: the verdict, the live view, lines for a
// pipe, and objects of JSON. All of it is pure; nothing here knows a stream or a clock.
package render

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/diagnosis"
	"github.com/probity-run/probity/internal/printable"
	"github.com/probity-run/probity/internal/rollout"
)

// Verdict is the last block of a rollout that has ended, in lines; nil if it has not.
func Verdict(r *rollout.Result) []string {
	v := r.Verdict
	if v == nil {
		return nil
	}
	switch v.Outcome {
	case rollout.IsUp:
		lines := []string{"up: " + up(r)}
		for _, w := range v.Warnings {
			lines = append(lines, "  warning: "+w.Text)
			lines = append(lines, predicted(w.Predicted)...)
			lines = append(lines, labelled("next", w.Next)...)
		}
		return lines
	case rollout.NotFollowed:
		return append([]string{fmt.Sprintf("not followed: %s %s", r.Object, v.Text)}, block(v)...)
	}
	return append([]string{fmt.Sprintf("%s: %s: %s", v.Outcome, r.Object, v.Text)}, block(v)...)
}

// block is what stands below the first line of a verdict.
func block(v *rollout.Verdict) (lines []string) {
	for _, detail := range v.Details {
		lines = append(lines, "  "+detail)
	}
	if len(v.Pods) > 1 {
		lines = append(lines, "  Pods: "+names(v.Pods))
	}
	for _, log := range v.Logs {
		lines = append(lines, logHead(log))
		for _, line := range log.Lines {
			lines = append(lines, logMargin+line)
		}
	}
	lines = append(lines, predicted(v.Predicted)...)
	lines = append(lines, labelled("see", v.See)...)
	lines = append(lines, labelled("next", v.Next)...)
	for _, c := range v.Also {
		lines = append(lines, fmt.Sprintf("  also: %s%s", c.Short, podCount(c)))
	}
	return lines
}

// predicted are the findings of probity check that said so before.
func predicted(findings []advisor.Finding) (lines []string) {
	for _, f := range findings {
		lines = append(lines, printable.Line(fmt.Sprintf("  predicted: %s:%d: %s: %s", printable.File(f.Region.File), f.Region.Line, f.Severity, f.Rule)))
	}
	return lines
}

func labelled(label, text string) []string {
	if text == "" {
		return nil
	}
	return []string{"  " + label + ": " + text}
}

// logMargin stands before each line that a container has printed. Blanks alone would not do: GitHub
// obeys "::error" behind them.
const logMargin = "    | "

func logHead(log rollout.Log) string {
	if log.Instance == "running" {
		return "  log of " + log.Container + ":"
	}
	return fmt.Sprintf("  log of %s, %s instance:", log.Container, log.Instance)
}

// maxNames is how many Pods are named.
const maxNames = 5

func names(pods []string) string {
	if len(pods) <= maxNames {
		return strings.Join(pods, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(pods[:maxNames], ", "), len(pods)-maxNames)
}

func podCount(c rollout.Cause) string {
	switch len(c.Pods) {
	case 0:
		return ""
	case 1:
		return " (1 Pod)"
	}
	return fmt.Sprintf(" (%d Pods)", len(c.Pods))
}

// up is what there is to say of a rollout that is up.
func up(r *rollout.Result) string {
	var text strings.Builder
	text.WriteString(r.Object.Resource())
	if r.Desired > 0 {
		fmt.Fprintf(&text, " %d of %d", r.Available, r.Desired)
	}
	var took []time.Duration
	for _, p := range r.Pods {
		if p.Took > 0 {
			took = append(took, p.Took)
		}
	}
	slices.Sort(took)
	switch n := len(took); {
	case n == 1:
		text.WriteString(", start to Ready " + diagnosis.Span(took[0]))
	case n > 1:
		fmt.Fprintf(&text, ", start to Ready p50 %s, worst %s", diagnosis.Span(took[(n-1)/2]), diagnosis.Span(took[n-1]))
	}
	for _, s := range r.Services {
		fmt.Fprintf(&text, "; service/%s %s", s.Name, endpoints(s.Ready))
	}
	return text.String()
}

func endpoints(n int) string {
	if n == 1 {
		return "1 ready endpoint"
	}
	return fmt.Sprintf("%d ready endpoints", n)
}
