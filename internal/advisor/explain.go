package advisor

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// textWidth is how many columns explanations fill.
const textWidth = 100

// Explain renders the documentation of one rule for a terminal, in lines of at most 100 columns
// where the text allows it. kubelet holds the kubelet's rules, to quote those that the rule names.
func Explain(r Rule, kubelet map[string]KubeletRule) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s)\n\n%s\n\n%s\n\n%s\n", r.ID, r.Severity, wrap(r.Doc.Title, ""), wrap(r.Doc.Consequence, ""), wrap(r.Doc.Remedy, ""))
	fmt.Fprintf(&b, "\nBefore:\n\n%s\n\nAfter:\n\n%s\n", indent(r.Doc.Before), indent(r.Doc.After))
	explainKubeletRules(&b, r.Doc.KubeletRules, kubelet)
	if len(r.Doc.SeeAlso) > 0 {
		fmt.Fprintf(&b, "\nSee %s.\n", strings.Join(r.Doc.SeeAlso, ", "))
	}
	fmt.Fprintf(&b, "\nTo accept a finding, annotate the object or its pod template:\n\n  probity.run/ignore.%s: why it is all right here\n", r.ID)
	return b.String()
}

// explainKubeletRules quotes rules of the kubelet, each with the place where it stands, and says
// what their letters mean if they use any.
func explainKubeletRules(b *strings.Builder, numbers []string, kubelet map[string]KubeletRule) {
	if len(numbers) == 0 {
		return
	}
	heading, quotes := "The kubelet's rules behind it", ""
	for _, number := range numbers {
		rule := kubelet[number]
		quotes += fmt.Sprintf("\n%s\n  %s#%s\n", wrap(number+": "+rule.Text, "  "), KubeletRulesPage, rule.Anchor)
	}
	if usesLetters(quotes) {
		heading += ", where D is initialDelaySeconds, P periodSeconds, T timeoutSeconds, S successThreshold and F failureThreshold"
	}
	fmt.Fprintf(b, "\n%s\n%s", wrap(heading+":", ""), quotes)
}

// usesLetters reports whether one of the letters that stand for a probe's numbers is in the text.
func usesLetters(text string) bool {
	words := strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && r != '\'' })
	return slices.ContainsFunc(words, func(word string) bool { return len(word) == 1 && strings.Contains("DPTSF", word) })
}

func indent(text string) string { return "  " + strings.ReplaceAll(text, "\n", "\n  ") }

// wrap breaks a text into lines that begin with the margin.
func wrap(text, margin string) string {
	var b strings.Builder
	column := 0
	for word := range strings.FieldsSeq(text) {
		length := len([]rune(word))
		switch {
		case column == 0:
			b.WriteString(margin)
			column = len(margin)
		case column+1+length > textWidth:
			b.WriteString("\n" + margin)
			column = len(margin)
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += length
	}
	return b.String()
}
