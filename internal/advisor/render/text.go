package render

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/printable"
)

// maxSource is how much of a source line is shown, in characters.
const maxSource = 160

// Text is for people: a paragraph for each finding, with the line it is about and a caret, then the
// patch, and the scenario that shows it.
func Text(w io.Writer, r *advisor.Report, _ Options) error {
	out := bufio.NewWriter(w)
	for _, f := range r.Findings {
		at := advisor.Position{File: f.Region.File, Line: f.Region.Line, Column: f.Region.Column}
		fmt.Fprintf(out, "%s: %s: %s\n  %s\n", at, f.Severity, f.Rule, printable.Line(sentence(f)))
		quote(out, f)
		if f.Patch != nil {
			for line := range strings.SplitSeq(fixLines(f.Patch), "\n") {
				fmt.Fprintf(out, "  %s\n", printable.Line(line))
			}
		}
		if command := f.Simulation(); command != "" {
			fmt.Fprintf(out, "  see: %s\n", command)
		}
	}
	return out.Flush()
}

// quote shows the source line with its number and marks the region.
func quote(out io.Writer, f advisor.Finding) {
	if f.Source == "" || utf8.RuneCountInString(f.Source) > maxSource {
		return
	}
	number := fmt.Sprintf("%6d", f.Region.Line)
	source := []rune(f.Source)
	from := min(max(f.Region.Column-1, 0), len(source))
	to := min(max(f.Region.EndColumn-1, from), len(source))
	columns := func(part []rune) int { return printable.Width(printable.Line(string(part))) }
	fmt.Fprintf(out, "%s | %s\n%s | %s%s\n", number, printable.Line(f.Source), strings.Repeat(" ", len(number)),
		strings.Repeat(" ", columns(source[:from])), strings.Repeat("^", max(columns(source[from:to]), 1)))
}

// Summary is one line about the whole: how many findings there are of each severity, in how many
// workloads and files.
func Summary(r *advisor.Report) string {
	counts := map[advisor.Severity]int{}
	for _, f := range r.Findings {
		counts[f.Severity]++
	}
	var parts []string
	for _, s := range advisor.Severities() {
		if counts[s] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[s], s))
		}
	}
	text := "no findings"
	if len(parts) > 0 {
		text = plural(len(r.Findings), "finding") + " (" + strings.Join(parts, ", ") + ")"
	}
	text += " in " + plural(r.Workloads, "workload") + " of " + plural(len(r.Files), "file")
	if len(r.Accepted) > 0 {
		text += fmt.Sprintf(", %d accepted by annotation", len(r.Accepted))
	}
	if len(r.Known) > 0 {
		text += fmt.Sprintf(", %d known to the baseline", len(r.Known))
	}
	return text + countPassedOver(r)
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}
