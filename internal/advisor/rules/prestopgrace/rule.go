// Package prestopgrace finds hooks that use up the grace period.
package prestopgrace

import (
	"fmt"
	"math"

	"github.com/probity-run/probity/internal/advisor"
)

// Rule is prestop-ge-grace.
func Rule() advisor.Rule {
	return advisor.Rule{
		ID:       "prestop-ge-grace",
		Severity: advisor.Risk,
		Doc: advisor.Doc{
			Title: "The preStop hook sleeps as long as the whole grace period, or longer.",
			Consequence: advisor.Prose(`
				The hook's time is part of the grace period. When it is over the process gets SIGTERM and, 2 s later, SIGKILL: whatever it was doing is
				lost at every rollout. A sleep action longer than the grace period is refused by the API server.`),
			Remedy: "terminationGracePeriodSeconds must hold the sleep and the time that the program needs after SIGTERM.",
			Before: `terminationGracePeriodSeconds: 20
containers:
- lifecycle: {preStop: {exec: {command: [sleep, '30']}}}`,
			After: `terminationGracePeriodSeconds: 50
containers:
- lifecycle: {preStop: {exec: {command: [sleep, '30']}}}`,
			KubeletRules: []string{"R131", "R132", "R133", "R188"},
		},
		Covers: []string{"no-drain", "probe-invalid"},
		Check:  check,
	}
}

func check(w *advisor.Workload) []advisor.Finding {
	var found []advisor.Finding
	for _, c := range w.Containers {
		if c.Lifecycle == nil || c.Lifecycle.PreStop == nil {
			continue
		}
		hook, field, seconds, refused := c.Lifecycle.PreStop, "", 0, false
		switch {
		case hook.Exec != nil:
			field, seconds = "lifecycle.preStop.exec.command", int(math.Ceil(advisor.Sleep(hook.Exec.Command).Seconds()))
		case hook.Sleep != nil:
			field, seconds = "lifecycle.preStop.sleep.seconds", int(hook.Sleep.Seconds)
			refused = seconds > w.Grace()
		}
		if seconds == 0 || seconds < w.Grace() {
			continue
		}
		what := "SIGKILL follows 2 s after SIGTERM, and nothing is drained"
		if refused {
			what = "the API server refuses that"
		}
		f := c.Finding(field, "preStop sleeps %d s of a grace period of %d s: %s", seconds, w.Grace(), what)
		if refused {
			f.Severity = advisor.Outage
		}
		total := fmt.Sprint(seconds + w.Grace())
		f.Patch = &advisor.Patch{Summary: "terminationGracePeriodSeconds: " + total,
			Edits: []advisor.Edit{{Path: w.SpecPath + ".terminationGracePeriodSeconds", Value: total}}}
		found = append(found, f)
	}
	return found
}
