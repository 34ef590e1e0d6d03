// Package unknownfield finds probe fields that are misspelt or in the wrong place.
package unknownfield

import (
	"slices"
	"strings"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/manifest"
)

// Rule is probe-unknown-field.
func Rule() advisor.Rule {
	return advisor.Rule{
		ID:       "probe-unknown-field",
		Severity: advisor.Outage,
		Doc: advisor.Doc{
			Title: "A probe, or a field of one, is misspelt or stands in the wrong place.",
			Consequence: advisor.Prose(`
				A strict client refuses the manifest. A lenient one drops the field without a word: the probe is not there, or has the default where a
				number was meant.`),
			Remedy: advisor.Prose(`
				Probes are called startupProbe, readinessProbe and livenessProbe; Kubernetes has no healthcheck.
				Probes stand in a container; initialDelaySeconds, periodSeconds, timeoutSeconds, successThreshold, failureThreshold and
				terminationGracePeriodSeconds stand beside the handler, not in it.`),
			Before: `livenessProbe:
  httpGet: {path: /livez, port: http, periodSeconds: 5}
  failureTreshold: 6`,
			After: `livenessProbe:
  httpGet: {path: /livez, port: http}
  periodSeconds: 5
  failureThreshold: 6`,
			KubeletRules: []string{"R177"},
		},
		Covers:    []string{"readiness-missing", "readiness-missing-on-serving-container", "no-drain", "probe-invalid"},
		Fragments: true,
		Check:     check,
	}
}

func check(w *advisor.Workload) []advisor.Finding {
	var found []advisor.Finding
	for _, p := range w.Object.Problems {
		if p.Reason != manifest.ReasonUnknownField || !aboutProbes(p) && !isMeantAsProbe(w, p.Field) {
			continue
		}
		key := last(p.Field)
		hint := strings.TrimPrefix(p.Message, "unknown field")
		switch {
		case hint == "" && isMeantAsProbe(w, p.Field):
			hint = "; probes are called startupProbe, readinessProbe and livenessProbe"
		case !strings.HasSuffix(hint, "?"):
			hint += "."
		}
		f := w.FindingIn(p.Field, "a strict client refuses %s, a lenient one drops it without a word: there is no such field here%s", key, hint)
		f.At(p.Position)
		found = append(found, f)
	}
	return found
}

// aboutProbes reports whether the field is inside a probe or a hook, or has, but for a misspelling,
// the name of one of their fields.
func aboutProbes(p *manifest.Error) bool {
	for step := range strings.SplitSeq(p.Field, ".") {
		switch step {
		case "livenessProbe", "readinessProbe", "startupProbe", "preStop", "postStart":
			return true
		}
	}
	_, guess, _ := strings.Cut(p.Message, "did you mean ")
	return isProbeField(last(p.Field)) || isProbeField(strings.TrimSuffix(guess, "?"))
}

// isMeantAsProbe reports whether the unknown field has the name of a health check, as other systems
// have them, or holds a handler.
func isMeantAsProbe(w *advisor.Workload, field string) bool {
	name := strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(last(field)))
	if strings.HasSuffix(name, "probe") || strings.HasSuffix(name, "probes") || strings.HasPrefix(name, "healthcheck") {
		return true
	}
	return slices.ContainsFunc([]string{"exec", "httpGet", "tcpSocket", "grpc"}, func(handler string) bool { return w.Object.Has(field + "." + handler) })
}

func isProbeField(name string) bool {
	switch name {
	case "livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "preStop", "postStart", "initialDelaySeconds", "periodSeconds", "timeoutSeconds",
		"successThreshold", "failureThreshold", "terminationGracePeriodSeconds", "httpGet", "tcpSocket", "grpc", "exec":
		return true
	}
	return false
}

func last(field string) string { return field[strings.LastIndexByte(field, '.')+1:] }
