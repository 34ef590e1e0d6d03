package render

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/probity-run/probity/internal/drill"
	"github.com/probity-run/probity/internal/printable"
)

// columns is how wide text is at most.
const columns = 80

// widths are those of the first columns of the table; the verdict gets what is left,
// which is as much as its longest word needs.
var widths = [...]int{17, 20, 20, 11}

// Text writes a report for people.
func Text(out io.Writer, r *drill.Report) error {
	var b strings.Builder
	workload := ""
	for _, result := range r.Results {
		if result.Workload != workload {
			workload = result.Workload
			heading(&b, r, workload)
		}
		row(&b, result)
	}
	notes(&b, r)
	_, err := io.WriteString(out, b.String())
	return err
}

func heading(b *strings.Builder, r *drill.Report, workload string) {
	if b.Len() > 0 {
		b.WriteString("\n")
	}
	for _, w := range r.Workloads {
		if w.Name != workload || len(r.Workloads) == 1 && w.Service == "" {
			continue
		}
		title := fmt.Sprintf("%s: %d replicas", printable.Line(workload), w.Replicas)
		if w.Service != "" {
			title += fmt.Sprintf(", %g requests a second through Service %s", r.Rate, printable.Line(w.Service))
		}
		paragraph(b, "", title)
		b.WriteString("\n")
	}
	line(b, "FAULT", "EXPECTED", "MEASURED", "LOST", "VERDICT")
}

// line writes a line of the table. A cell that is too long takes further lines.
func line(b *strings.Builder, cells ...string) {
	for more := true; more; {
		more = false
		text := ""
		for i, cell := range cells {
			width := columns - len(text)
			if i < len(widths) {
				width = widths[i] - 1
			}
			now, rest := cutAt(cell, width)
			cells[i], more = rest, more || rest != ""
			text += now
			if i < len(widths) {
				text += strings.Repeat(" ", widths[i]-len([]rune(now)))
			}
		}
		b.WriteString(strings.TrimRight(text, " ") + "\n")
	}
}

// cutAt breaks text at a space, so that the first part has at most that width.
func cutAt(text string, width int) (now, rest string) {
	runes := []rune(text)
	if len(runes) <= width {
		return text, ""
	}
	at := width
	for i := width; i > 0; i-- {
		if runes[i] == ' ' {
			at = i
			break
		}
	}
	return string(runes[:at]), strings.TrimLeft(string(runes[at:]), " ")
}

func row(b *strings.Builder, result *drill.Result) {
	lost := ""
	if result.Requests > 0 {
		lost = fmt.Sprintf("%d/%d", result.Lost, result.Requests)
	}
	line(b, printable.Line(result.Title), result.Expected, result.Measured, lost, result.Word())
	for _, v := range result.Verdicts {
		if v.Grade == drill.GradePass && v.Rule != "V1" {
			continue
		}
		paragraph(b, "  ", fmt.Sprintf("%s %s: %s", v.Rule, v.Word, printable.Line(v.Text)))
		adviceLines(b, v.Advice)
	}
	for _, remark := range result.Remarks {
		paragraph(b, "  ", printable.Line(remark))
	}
}

// adviceLines are what can be done about a verdict. Of the patch they have what changes.
func adviceLines(b *strings.Builder, a *drill.Advice) {
	const indent = "    "
	if a == nil {
		return
	}
	paragraph(b, indent, printable.Line(a.Text))
	where := ""
	if a.File != "" {
		where = place(a.File, a.Line)
	}
	if a.Rule != "" {
		where += ", which probity check reports as " + a.Rule
	}
	paragraph(b, indent, strings.TrimPrefix(where, ", "))
	for line := range strings.Lines(a.Patch) {
		if !strings.HasPrefix(line, "+++") && !strings.HasPrefix(line, "---") && (line[0] == '+' || line[0] == '-') {
			b.WriteString(indent + printable.Line(strings.TrimRight(line, "\r\n")) + "\n")
		}
	}
}

// paragraph writes text that is broken into lines.
func paragraph(b *strings.Builder, indent, text string) {
	for text != "" {
		now, rest := cutAt(text, columns-len(indent))
		b.WriteString(indent + now + "\n")
		text, indent = rest, "    "
	}
}

func notes(b *strings.Builder, r *drill.Report) {
	if len(r.Dependencies) > 0 {
		b.WriteString("\nDependencies:\n")
		for _, d := range r.Dependencies {
			fmt.Fprintf(b, "  %s at %s\n", printable.Line(d.Name), d.Address)
		}
	}
	for _, s := range r.BlindSpots {
		paragraph(b, "  ", "not seen: "+printable.Line(s))
	}
	if left := leftOut(r); len(left) > 0 {
		b.WriteString("\nLeft out:\n")
		for _, l := range left {
			paragraph(b, "  ", printable.Line(strings.Join(l.words, ", "))+": "+printable.Line(l.reason))
		}
	}
	for _, f := range r.Failures {
		paragraph(b, "", "error: "+printable.Line(f))
	}
	for _, a := range r.Assertions {
		paragraph(b, "", fmt.Sprintf("%s: %s (%s)", map[bool]string{true: "holds", false: "does not hold"}[a.Holds], printable.Line(a.Text), a.Got))
	}
	how := "as a cluster, endpoints " + r.EndpointDelay.String() + " late"
	if r.Routing != "cluster" {
		how = "as probity run does"
	}
	state := cmp.Or(map[bool]string{true: "interrupted after"}[r.Interrupted], "took")
	fmt.Fprintf(b, "\n%s %s; requests routed %s\n", state, time.Duration(r.Took).Round(time.Second), how)
}
