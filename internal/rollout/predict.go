package rollout

import (
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/advisor"
)

// foretold are the rules of probity check that foretell a kind of causes, whichever way it fails.
func foretold(k Kind) []string {
	switch k {
	case Startup:
		return []string{"startup-restart-loop", "startup-budget-contradiction", "initial-delay-substitute"}
	case Liveness:
		return []string{"startup-restart-loop", "startup-budget-contradiction", "initial-delay-substitute", "liveness-threshold-too-low", "liveness-checks-dependency",
			"liveness-aggregate-health", "liveness-stricter-than-readiness", "liveness-equals-readiness"}
	case Readiness:
		return []string{"readiness-checks-shared-dependency", "readiness-too-sensitive", "readiness-delay", "metrics-as-health"}
	case StuckSet:
		return []string{"ordered-ready-deadlock"}
	case Endpoints:
		return []string{"service-target-port-missing"}
	case Deadline:
		return []string{"progress-deadline-below-startup"}
	case Crash:
		return []string{"exit-status-lost", "variable-not-expanded", "shell-words-lost"}
	}
	return nil
}

// foretoldAnswers are the rules that foretell in which way a probe fails.
func foretoldAnswers(p *Probe) []string {
	answer := strings.ToLower(p.Answer)
	switch {
	case strings.Contains(answer, "connection refused"):
		return []string{"probe-port-undeclared", "probe-named-port-missing", "probe-port-not-tcp", "liveness-port-of-other-container", "readiness-port-not-served",
			"probe-host-set", "mesh-refuses-probe"}
	case strings.Contains(answer, "deadline exceeded"), strings.Contains(answer, "timeout"), strings.Contains(answer, "timed out"):
		return []string{"timeout-too-short", "timeout-ge-period", "exec-inner-timeout", "exec-probe-costly", "probe-host-set", "mesh-refuses-probe"}
	case p.Action == "exec":
		return []string{"exec-without-shell", "shell-words-lost", "variable-not-expanded", "probe-cannot-fail"}
	case p.Action == "GET":
		return []string{"scheme-mismatch", "metrics-as-health", "mesh-refuses-probe"}
	}
	return nil
}

// predict finds the findings of probity check that said so before. A finding about a probe counts
// for that probe alone.
func (s *scene) predict(c *Cause) {
	rules := foretold(c.Kind)
	if c.Probe != nil {
		rules = append(rules, foretoldAnswers(c.Probe)...)
	}
	object := objectOf(s.Workload)
	for _, f := range s.Findings {
		if !slices.Contains(rules, f.Rule) || f.Object.Kind != object.Kind && f.Object.Kind != "Service" || f.Object.Kind == object.Kind && f.Object.Name != s.Workload.GetName() || !s.isHere(f) {
			continue
		}
		if f.Container != "" && c.Container != "" && f.Container != c.Container || c.Probe != nil && !isAbout(f.Field, c.Probe.Type) {
			continue
		}
		c.Predicted = append(c.Predicted, f)
	}
	slices.SortStableFunc(c.Predicted, advisor.Compare)
	for _, f := range c.Predicted {
		if c.See = f.Simulation(); c.See != "" {
			return
		}
	}
}

// isHere reports whether a finding may be about an object of the workload's namespace. In a file
// that names none it is about the default one, wherever that is applied.
func (s *scene) isHere(f advisor.Finding) bool {
	return slices.Contains([]string{"", metav1.NamespaceDefault, s.Workload.GetNamespace()}, f.Object.Namespace)
}

// isAbout reports whether the path of a field is that of a probe of a type, or of no probe.
func isAbout(field, probe string) bool {
	for _, other := range []string{"startup", "readiness", "liveness"} {
		if strings.Contains(field, "."+other+"Probe") {
			return other == probe
		}
	}
	return true
}
