package cli

import (
	"fmt"
	"strings"
	"testing"

	"github.com/probity-run/probity/docs"
	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/advisor/rules"
)

// rulesPage renders the documentation of the rules of probity check as docs/reference/rules.md.
func rulesPage(t *testing.T) string {
	t.Helper()
	kubelet, err := advisor.ParseKubeletRules(docs.KubeletRules())
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("# Rules of `probity check`\n\nThis page is generated. `probity explain RULE` prints the same.\n\n")
	b.WriteString("In formulas D, P, T and F are initialDelaySeconds, periodSeconds, timeoutSeconds and failureThreshold; A = (F-1)\\*max(P,T)+T\n")
	b.WriteString("is the longest stall that is surely tolerated, and A+P the shortest that surely is not; S is the seconds that a start takes. R-numbers are\n")
	b.WriteString("[rules of the kubelet](../kubelet-rules.md); in these S is successThreshold.\n\n")
	b.WriteString("| rule | severity | what is wrong |\n|---|---|---|\n")
	for _, r := range rules.Documented() {
		fmt.Fprintf(&b, "| [`%s`](#%s) | %s | %s |\n", r.ID, r.ID, r.Severity, r.Doc.Title)
	}
	for _, r := range rules.Documented() {
		b.WriteString(ruleSection(r, kubelet))
	}
	return b.String()
}

func ruleSection(r advisor.Rule, kubelet map[string]advisor.KubeletRule) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n## %s\n\n**%s** (%s)\n\n%s\n\n%s\n\nBefore:\n\n```yaml\n%s\n```\n\nAfter:\n\n```yaml\n%s\n```\n",
		r.ID, r.Doc.Title, r.Severity, escaped(r.Doc.Consequence), escaped(r.Doc.Remedy), r.Doc.Before, r.Doc.After)
	if len(r.Doc.KubeletRules) > 0 {
		b.WriteString("\nThe kubelet's rules behind it:\n\n")
	}
	for _, number := range r.Doc.KubeletRules {
		fmt.Fprintf(&b, "- [%s](../kubelet-rules.md#%s): %s\n", number, kubelet[number].Anchor, kubelet[number].Text)
	}
	if len(r.Doc.SeeAlso) > 0 {
		b.WriteString("\nSee " + escaped(strings.Join(r.Doc.SeeAlso, ", ")) + ".\n")
	}
	return b.String()
}

// escaped keeps stars and bars from meaning something in Markdown.
func escaped(text string) string { return strings.NewReplacer("*", `\*`, "|", `\|`).Replace(text) }
