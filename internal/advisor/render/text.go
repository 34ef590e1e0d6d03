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
	if len(r.NotSeen) > 0 {
		fmt.Fprintf(out, "not seen: %s\n", printable.Line(strings.Join(r.NotSeen, ", ")))
	}
	for _, f := range r.Findings {
		fmt.Fprintf(out, "%s: %s: %s\n  %s\n", place(f), f.Severity, f.Rule, printable.Line(sentence(f)))
		quote(out, f)
		if f.Basis != "" {
			fmt.Fprintf(out, "  %s\n", printable.Line(basis(f)))
		}
		if f.Patch != nil {
			for line := range strings.SplitSeq(fixLines(f), "\n") {
				fmt.Fprintf(out, "  %s\n", printable.Line(line))
			}
		}
		if command := f.Simulation(); command != "" {
			fmt.Fprintf(out, "  see: %s\n", command)
		}
	}
	return out.Flush()
}

// place is where a finding is: in a file, or in an object of a cluster.
func place(f advisor.Finding) string {
	if f.Basis == "" {
		return advisor.Position{File: f.Region.File, Line: f.Region.Line, Column: f.Region.Column}.String()
	}
	at := f.Object.Namespace + "/" + strings.ToLower(f.Object.Kind) + "/" + f.Object.Name
	if f.Field != "" {
		at += " " + f.Field
	}
	return printable.Line(at)
}

// basis says what a finding in a cluster rests on, and what was seen of it.
func basis(f advisor.Finding) string {
	if f.Seen == "" {
		return string(f.Basis)
	}
	return string(f.Basis) + ": " + f.Seen
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
	text += " in " + plural(r.Workloads, "workload") + " of "
	if r.Live {
		text += plural(r.Namespaces, "namespace")
	} else {
		text += plural(len(r.Files), "file")
	}
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
