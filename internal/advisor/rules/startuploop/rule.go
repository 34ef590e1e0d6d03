// Package startuploop finds programs that are killed before they have started.
package startuploop

import (
	"fmt"

	"github.com/probity-run/probity/internal/advisor"
)

// quickForJVM is a time, in seconds, that may be too short for a service on a JVM to start while
// the CPUs are busy: what Kubernetes' default liveness probe allows.
const quickForJVM = 30

// Rule is startup-restart-loop.
func Rule() advisor.Rule {
	return advisor.Rule{
		ID:       "startup-restart-loop",
		Severity: advisor.Outage,
		Doc: advisor.Doc{
			Title: "Liveness gives up before the program has started, and there is no startupProbe.",
			Consequence: advisor.Prose(`
				The container is killed while it starts, at every attempt: it never becomes ready. Where the start takes about as long as liveness allows
				it is a lottery, and most often lost when many replicas start at once.`),
			Remedy: advisor.Prose(`
				Add a startupProbe that allows at least ceil((S-D)/P)+1 failures for a start of S seconds; liveness can stay strict then. A start that the
				manifest declares (an annotation or a variable such as STARTUP_SECONDS) is certain; one that readiness allows for with its delay, and a
				JVM that gets less than 30 s, are a risk.`),
			Before: `livenessProbe:          # gives up after 25 s
  httpGet: {path: /livez, port: http}
  initialDelaySeconds: 5
  failureThreshold: 2`,
			After: `startupProbe:           # a start may take 120 s
  httpGet: {path: /livez, port: http}
  periodSeconds: 3
  failureThreshold: 40
livenessProbe:
  httpGet: {path: /livez, port: http}
  failureThreshold: 2`,
			KubeletRules: []string{"R19", "R118", "R151"},
			SeeAlso:      []string{"W_safe = D+(F-1)*P", "W_kill = D+F*P"},
		},
		Covers: []string{"initial-delay-substitute", "readiness-delay"},
		Check:  check,
	}
}

func check(w *advisor.Workload) []advisor.Finding {
	var found []advisor.Finding
	for _, c := range w.Containers {
		live := c.Liveness
		if live == nil || c.Startup != nil || !w.RunsUntilStopped() {
			continue
		}
		start := c.StartTime()
		switch {
		case start.Seconds > live.StartSafe():
			found = append(found, declared(live, start))
		case start.Seconds == 0 && live.StartFatal() < quickForJVM:
			if evidence := c.JVM(); evidence != "" {
				found = append(found, jvm(live, evidence))
			}
		}
	}
	return found
}

func declared(live *advisor.Probe, start advisor.Start) advisor.Finding {
	takes, severity := "the start takes", advisor.Outage
	if !start.Declared {
		takes, severity = "the start may take", advisor.Risk
	}
	what := fmt.Sprintf("gives up after %d s, so that such a start is cut short at every attempt and the container is never ready", live.StartFatal())
	if start.Seconds <= live.StartFatal() {
		severity = advisor.Risk
		what = fmt.Sprintf("gives up after %d to %d s, so that it is a matter of luck whether a start succeeds", live.StartSafe(), live.StartFatal())
	}
	f := live.Finding("", "%s %d s (%s), there is no startupProbe, and liveness %s", takes, start.Seconds, start.Evidence, what)
	f.Severity = severity
	f.Patch = live.StartupPatch(start.Seconds)
	f.Scenario = live.Container.SlowStart(start.Seconds)
	return f
}

func jvm(live *advisor.Probe, evidence string) advisor.Finding {
	f := live.Finding("",
		"liveness gives up after %d s and there is no startupProbe, but this is a JVM (%s): a start that takes longer, on a busy node "+
			"for example, is cut short at every attempt",
		live.StartFatal(), evidence)
	f.Severity = advisor.Risk
	f.Scenario = live.Container.SlowStart(live.StartFatal() + 1)
	return f
}
