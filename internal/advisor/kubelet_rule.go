package advisor

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// KubeletRulesPage is where the kubelet's rules stand, from the root of the repository.
const KubeletRulesPage = "docs/kubelet-rules.md"

// A KubeletRule is a rule that the kubelet follows, unlike a [Rule] of probity check.
type KubeletRule struct {
	// Number is that by which comments and documentation cite the rule, "R28" for example.
	Number string
	// Anchor is that of the rule in its page, "r28".
	Anchor string
	// Text is what the rule says, in Markdown on one line.
	Text string
	// Source names the Kubernetes source that it follows, in Markdown.
	Source string
}

// ParseKubeletRules reads the page of the kubelet's rules and returns them by number. A rule is one
// line: an anchor, the number, what the rule says, and after a dash its source.
func ParseKubeletRules(page string) (map[string]KubeletRule, error) {
	const begin = `<a id="`
	form := regexp.MustCompile(`^<a id="(r([0-9]+))"></a>\*\*(R([0-9]+))\*\* (.+) — (.+)$`)
	rules := map[string]KubeletRule{}
	line := 0
	for text := range strings.Lines(page) {
		line++
		if !strings.HasPrefix(text, begin) {
			continue
		}
		m := form.FindStringSubmatch(strings.TrimSpace(text))
		if m == nil || m[2] != m[4] {
			return nil, fmt.Errorf("line %d is no rule: expected <a id=\"r28\"></a>**R28** what it says — its source", line)
		}
		rule := KubeletRule{Anchor: m[1], Number: m[3], Text: m[5], Source: m[6]}
		if _, ok := rules[rule.Number]; ok {
			return nil, fmt.Errorf("line %d: %s is there twice", line, rule.Number)
		}
		rules[rule.Number] = rule
	}
	if len(rules) == 0 {
		return nil, errors.New("there is no rule in the page")
	}
	return rules, nil
}
