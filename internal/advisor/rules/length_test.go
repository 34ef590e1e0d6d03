package rules_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/advisor/advisortest"
	"github.com/probity-run/probity/internal/advisor/rules"
)

// TestMessagesQuoteLittle holds messages to the beginning of what others wrote, on one line: a
// command in a manifest may have any length and any letter.
func TestMessagesQuoteLittle(t *testing.T) {
	long := strings.Repeat("word\u2800 ", 2000)
	found := 0
	for _, command := range []string{
		`["sh", "-c", "%s || true"]`, `["sh", "-c", "%s | cat"]`, `["%s"]`, `["curl", "%s", "|", "grep"]`, `["%s", "&&", "x"]`, `["sh", "-c", "%s", "%[1]s"]`, `["sh", "-c", "curl %s"]`,
	} {
		text := "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  annotations: {check.probity.run/ignore: '" + strings.Repeat("x", 5000) + ": reason'}\n" +
			"spec: {containers: [{name: a, image: a, livenessProbe: {exec: {command: " + fmt.Sprintf(command, long) + "}}}]}\n"
		m, err := advisortest.Parse("a.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range advisor.Check(m, rules.All()) {
			if strings.Contains(f.Message, "word") {
				found++
			}
			if len(f.Message) > 600 || strings.ContainsAny(f.Message, "\n\u2800") {
				t.Errorf("%s: %d bytes: %.200q", f.Rule, len(f.Message), f.Message)
			}
		}
	}
	host := strings.Repeat("h", 50_000)
	m, err := advisortest.Parse("a.yaml", []byte("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"+
		"spec: {containers: [{name: a, image: a, livenessProbe: {httpGet: {port: 80, host: "+host+"}}}]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range advisor.Check(m, rules.All()) {
		if len(f.Message) > 2100 {
			t.Errorf("%s: %d bytes", f.Rule, len(f.Message))
		}
	}
	if found < 5 {
		t.Errorf("%d findings quote the command, so this shows little", found)
	}
}
