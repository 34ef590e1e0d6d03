// Package livenesskill finds containers that get a long grace period after their liveness has
// failed.
package livenesskill

import "github.com/probity-run/probity/internal/advisor"

// long is the grace period, in seconds, from which waiting for a hung process makes up most of the
// outage.
const long = 120

// Rule is liveness-kill-too-slow.
func Rule() advisor.Rule {
	return advisor.Rule{
		ID:       "liveness-kill-too-slow",
		Severity: advisor.Waste,
		Doc: advisor.Doc{
			Title: "After liveness has failed, a hung container gets the pod's whole, long grace period.",
			Consequence: advisor.Prose(`
				A process that hangs does not act on SIGTERM. It stays for the whole terminationGracePeriodSeconds, which was chosen for an orderly
				shutdown, before it is killed and started anew.`),
			Remedy: "Give the livenessProbe a terminationGracePeriodSeconds of its own, which holds the preStop hook too. Deletions keep the pod's.",
			Before: `terminationGracePeriodSeconds: 600
containers:
- livenessProbe: {httpGet: {path: /livez, port: http}}`,
			After: `terminationGracePeriodSeconds: 600
containers:
- livenessProbe: {httpGet: {path: /livez, port: http}, terminationGracePeriodSeconds: 30}`,
			KubeletRules: []string{"R129", "R132", "R163"},
		},
		Check: check,
	}
}

func check(w *advisor.Workload) []advisor.Finding {
	var found []advisor.Finding
	for _, c := range w.Containers {
		p := c.Liveness
		if p == nil || p.Spec.TerminationGracePeriodSeconds != nil || w.Grace() < long || w.Grace() <= p.CertainStall() {
			continue
		}
		hook, known := c.PreStopSeconds()
		enough := p.CertainStall() + hook // the hook's time is part of the grace period (R131)
		if w.Grace() <= enough {
			continue
		}
		f := p.Finding("",
			"a hang is detected after %d to %d s, but the process then gets the pod's whole grace period of %d s before it is killed: the "+
				"outage lasts %d s instead of %d",
			p.ToleratedStall(), p.CertainStall(), w.Grace(), p.CertainStall()+w.Grace(), p.CertainStall()+enough)
		if known {
			f.Patch = p.Set("terminationGracePeriodSeconds", enough)
		}
		f.Scenario = p.Hang(p.CertainStall() + w.Grace())
		found = append(found, f)
	}
	return found
}
