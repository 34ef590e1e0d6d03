// Package render puts what tune recommends into words.
package render

import (
	"fmt"
	"io"
	"strings"

	"github.com/probity-run/probity/internal/printable"
	"github.com/probity-run/probity/internal/tune"
)

// width is how many columns a line takes at most, as long as no word is longer.
const width = 80

// Text writes what is recommended for a container, in lines of 80 columns.
func Text(out io.Writer, a *tune.Advice) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, container %s\n", printable.Line(a.Workload), printable.Line(a.Container))
	measured(&b, a.Measured)
	switch {
	case a.Refused != "":
		row(&b, "no advice", a.Refused)
	case a.Infeasible != "":
		row(&b, "infeasible", a.Infeasible)
		curve(&b, a)
	default:
		choices(&b, a)
	}
	if len(a.Promises) > 0 {
		b.WriteString("\n")
	}
	for _, p := range a.Promises {
		head := p.Objective
		if p.Wanted != "" {
			head += " " + p.Wanted
		}
		row(&b, string(p.Basis), head+": "+p.Text)
	}
	if t := a.Model; t != nil {
		row(&b, "MODEL", fmt.Sprintf("a tail fitted to the %d stalls above %s (shape %.2f, scale %s) has %s false restarts: an extrapolation that nothing measured supports",
			t.Stalls, tune.Time(t.Above), t.Shape, tune.Time(t.Scale), tune.Rate(t.FalseRestarts)))
	}
	for _, n := range a.Notes {
		row(&b, "note", n)
	}
	_, err := io.WriteString(out, printable.Text(b.String()))
	return err
}

// row writes a word and a text beside it, which goes on below itself.
func row(b *strings.Builder, head, text string) {
	const margin = 16
	lines := Wrap(text, width-margin)
	for i, line := range lines {
		if i > 0 {
			head = ""
		}
		fmt.Fprintf(b, "  %-*s%s\n", margin-2, head, line)
	}
}

// Wrap divides a text into lines of so many columns; a longer word has a line of its own.
func Wrap(text string, columns int) (lines []string) {
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && printable.Width(line)+1+printable.Width(word) > columns {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}

func measured(b *strings.Builder, m tune.Summary) {
	if m.Hours > 0 {
		text := fmt.Sprintf("%s, %d samples, %d of them tainted; ", tune.Time(m.Hours*3600), m.Samples, m.Tainted)
		switch m.Stalls {
		case 0:
			text += "no stall"
		case 1:
			text += "1 stall of " + tune.Time(m.Longest)
		default:
			text += fmt.Sprintf("%d stalls, the longest %s", m.Stalls, tune.Time(m.Longest))
		}
		row(b, "measured", text)
		row(b, "floor", fmt.Sprintf("%s support %s false restarts, and no fewer", tune.Time(m.Hours*3600), tune.Rate(m.Floor)))
	}
	if m.Starts > 0 {
		row(b, "starts", fmt.Sprintf("%d, the longest %s", m.Starts, tune.Time(m.LongestStart)))
	}
}

func choices(b *strings.Builder, a *tune.Advice) {
	if len(a.Choices) == 0 {
		return
	}
	b.WriteString("\n  PROBE         NOW       NEXT      BEARS A STALL OF  NOTICES A HANG WITHIN\n")
	for _, c := range a.Choices {
		now, next := "-", c.Next.String()
		if c.Now != nil {
			now = c.Now.String()
		}
		if c.Keeps() {
			next = "as it is"
		}
		fmt.Fprintf(b, "  %-13s %-9s %-9s %-17s %d s\n", c.Probe, now, next, fmt.Sprintf("%d s", c.Next.Tolerated()), c.Next.Certain())
	}
	b.WriteString("  (periodSeconds/timeoutSeconds/failureThreshold)\n")
	for _, c := range a.Choices {
		for _, line := range c.Binding {
			row(b, "binding", line)
		}
	}
}

func curve(b *strings.Builder, a *tune.Advice) {
	if len(a.Curve) == 0 {
		return
	}
	b.WriteString("\n  LIVENESS  BEARS A STALL OF  NOTICES A HANG WITHIN  FALSE RESTARTS, AT MOST\n")
	for _, p := range a.Curve {
		fmt.Fprintf(b, "  %-9s %-17s %-22s %s\n", p.Setting, fmt.Sprintf("%d s", p.Tolerates), fmt.Sprintf("%d s", p.Detects), tune.Rate(p.Limit))
	}
	b.WriteString("  (periodSeconds/timeoutSeconds/failureThreshold; limits with 95 % confidence)\n")
}
