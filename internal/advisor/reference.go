package advisor

import (
	"fmt"
	"strings"
)

// Reference renders the documentation of rules as one page of Markdown.
func Reference(rules []Rule) string {
	var b strings.Builder
	b.WriteString("# Rules of `probity check`\n\nThis page is generated. `probity explain RULE` prints the same.\n\n")
	b.WriteString("In formulas D, P, T and F are initialDelaySeconds, periodSeconds, timeoutSeconds and failureThreshold; A = (F-1)\\*max(P,T)+T\n")
	b.WriteString("is the longest stall that is surely tolerated, and A+P the shortest that surely is not. R-numbers are rules of the kubelet.\n\n")
	b.WriteString("| rule | severity | what is wrong |\n|---|---|---|\n")
	for _, r := range rules {
		fmt.Fprintf(&b, "| [`%s`](#%s) | %s | %s |\n", r.ID, r.ID, r.Severity, r.Doc.Title)
	}
	for _, r := range rules {
		fmt.Fprintf(&b, "\n## %s\n\n**%s** (%s)\n\n%s\n\n%s\n\nBefore:\n\n```yaml\n%s\n```\n\nAfter:\n\n```yaml\n%s\n```\n",
			r.ID, r.Doc.Title, r.Severity, markdown(r.Doc.Consequence), markdown(r.Doc.Remedy), r.Doc.Before, r.Doc.After)
		if len(r.Doc.Links) > 0 {
			b.WriteString("\nSee " + markdown(strings.Join(r.Doc.Links, ", ")) + ".\n")
		}
	}
	return b.String()
}

// markdown keeps stars and bars from meaning something.
func markdown(text string) string { return strings.NewReplacer("*", `\*`, "|", `\|`).Replace(text) }

// Explain renders the documentation of one rule for a terminal, in lines of at most 100 columns.
func Explain(r Rule) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s)\n\n%s\n\n%s\n\n%s\n", r.ID, r.Severity, wrap(r.Doc.Title), wrap(r.Doc.Consequence), wrap(r.Doc.Remedy))
	fmt.Fprintf(&b, "\nBefore:\n\n%s\n\nAfter:\n\n%s\n", indent(r.Doc.Before), indent(r.Doc.After))
	if len(r.Doc.Links) > 0 {
		fmt.Fprintf(&b, "\nSee %s.\n", strings.Join(r.Doc.Links, ", "))
	}
	fmt.Fprintf(&b, "\nTo accept a finding, annotate the object or its pod template:\n\n  probity.run/ignore.%s: why it is all right here\n", r.ID)
	return b.String()
}

func indent(text string) string { return "  " + strings.ReplaceAll(text, "\n", "\n  ") }

func wrap(text string) string {
	const width = 100
	var b strings.Builder
	column := 0
	for word := range strings.FieldsSeq(text) {
		switch {
		case column == 0:
		case column+1+len(word) > width:
			b.WriteByte('\n')
			column = 0
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += len(word)
	}
	return b.String()
}
