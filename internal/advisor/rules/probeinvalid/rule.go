// Package probeinvalid finds probes and hooks that the API server refuses.
package probeinvalid

import (
	"strings"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/manifest"
)

// Rule is probe-invalid.
func Rule() advisor.Rule {
	return advisor.Rule{
		ID:       "probe-invalid",
		Severity: advisor.Outage,
		Doc: advisor.Doc{
			Title:        "The API server refuses a probe or a hook.",
			Consequence:  "The object is not created, and an update of it does not happen.",
			Remedy:       "The message is the API server's own.",
			Before:       "livenessProbe: {httpGet: {path: /livez, port: \"8080\"}}",
			After:        "livenessProbe: {httpGet: {path: /livez, port: 8080}}",
			KubeletRules: []string{"R179", "R180", "R182", "R183", "R184", "R185", "R186", "R187", "R188", "R189"},
		},
		Check: check,
	}
}

func check(w *advisor.Workload) []advisor.Finding {
	var found []advisor.Finding
	for _, p := range w.Object.Problems {
		if p.Reason == manifest.ReasonUnknownField || p.Reason == manifest.ReasonDuplicateField || !aboutProbes(p.Field) || isTemplate(p) {
			continue
		}
		f := w.FindingIn(p.Field, "%s: %s", strings.TrimPrefix(p.Field, w.SpecPath+"."), p.Message)
		f.At(p.Position)
		if f.Patch = unquote(p); f.Patch != nil {
			f.Message += " (a number in quotes is a name)"
		}
		found = append(found, f)
	}
	return found
}

func aboutProbes(field string) bool {
	for step := range strings.SplitSeq(field, ".") {
		switch step {
		case "livenessProbe", "readinessProbe", "startupProbe", "lifecycle":
			return true
		}
	}
	return false
}

// isTemplate reports whether a template engine is going to fill in a value: $(PORT), ${PORT}, or
// {{ .Values.port }}.
func isTemplate(p *manifest.Error) bool {
	return strings.Contains(p.Message, "template") || strings.Contains(p.Message, "${") || strings.Contains(p.Message, "$(") || strings.Contains(p.Message, "{{")
}

// unquote is the patch for a port number in quotes.
func unquote(p *manifest.Error) *advisor.Patch {
	if !strings.HasSuffix(p.Field, ".port") || !strings.HasPrefix(p.Message, `Invalid value: "`) {
		return nil
	}
	number, _, _ := strings.Cut(strings.TrimPrefix(p.Message, `Invalid value: "`), `"`)
	if number == "" || len(number) > 5 || strings.Trim(number, "0123456789") != "" {
		return nil
	}
	return &advisor.Patch{Summary: "port: " + number, Edits: []advisor.Edit{{Path: p.Field, Value: number}}}
}
