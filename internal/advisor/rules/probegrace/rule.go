// Package probegrace finds grace periods of probes that are over before the preStop hook is.
package probegrace

import (
	"fmt"
	"math"

	"github.com/probity-run/probity/internal/advisor"
)

// Rule is probe-grace-below-prestop.
func Rule() advisor.Rule {
	return advisor.Rule{
		ID:       "probe-grace-below-prestop",
		Severity: advisor.Waste,
		Doc: advisor.Doc{
			Title: "A probe's own grace period is not longer than the preStop hook.",
			Consequence: advisor.Prose(`
				A kill by the probe runs the hook, too, and the hook uses up the probe's terminationGracePeriodSeconds. The process gets SIGTERM when
				that is over and SIGKILL 2 s later, so that nothing it does at its end is finished.`),
			Remedy: "Give the probe the time of the hook and that of the program, or leave its grace period out.",
			Before: `lifecycle: {preStop: {sleep: {seconds: 15}}}
livenessProbe: {httpGet: {path: /livez, port: http}, terminationGracePeriodSeconds: 10}`,
			After: `lifecycle: {preStop: {sleep: {seconds: 15}}}
livenessProbe: {httpGet: {path: /livez, port: http}, terminationGracePeriodSeconds: 25}`,
			KubeletRules: []string{"R129", "R131", "R132", "R133"},
		},
		Check: check,
	}
}

func check(w *advisor.Workload) []advisor.Finding {
	var found []advisor.Finding
	for _, c := range w.Containers {
		hook := preStop(c)
		for _, p := range c.Probes() {
			own := p.Spec.TerminationGracePeriodSeconds
			if own == nil || hook == 0 || p.Field == advisor.ReadinessProbe || int(*own) > hook || *own < 1 {
				continue
			}
			f := p.Finding("terminationGracePeriodSeconds",
				"a kill by %s allows %d s, but preStop sleeps %d s: SIGTERM comes when the time is over, and SIGKILL 2 s later", p.TypeName(), *own, hook)
			enough := fmt.Sprint(int(*own) + hook)
			f.Patch = &advisor.Patch{Summary: string(p.Field) + ".terminationGracePeriodSeconds: " + enough,
				Edits: []advisor.Edit{{Path: p.Path + ".terminationGracePeriodSeconds", Value: enough}}}
			found = append(found, f)
		}
	}
	return found
}

// preStop is how many seconds the hook sleeps, or 0 if it does not.
func preStop(c *advisor.Container) int {
	if c.Lifecycle == nil || c.Lifecycle.PreStop == nil {
		return 0
	}
	switch hook := c.Lifecycle.PreStop; {
	case hook.Exec != nil:
		return int(math.Ceil(advisor.Sleep(hook.Exec.Command).Seconds()))
	case hook.Sleep != nil:
		return int(hook.Sleep.Seconds)
	}
	return 0
}
