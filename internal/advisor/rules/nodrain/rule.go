// Package nodrain finds backends of Services that end before traffic has moved away from them.
package nodrain

import "github.com/probity-run/probity/internal/advisor"

// tooShort is a grace period, in seconds, that is as good as none: a container gets as much in any
// case (R133).
const tooShort = 2

// Rule is no-drain.
func Rule() advisor.Rule {
	return advisor.Rule{
		ID:       "no-drain",
		Severity: advisor.Risk,
		Doc: advisor.Doc{
			Title: "A Service's backend with almost no grace period and without a preStop delay.",
			Consequence: advisor.Prose(`
				A pod leaves the Service and gets SIGTERM at the same moment; the news takes a second to some tens of seconds to reach every proxy and
				load balancer. Until then requests go to a process that is gone: errors at every rollout and every scale-down.`),
			Remedy: advisor.Prose(`
				Sleep in preStop for as long as the news takes (5 to 15 s in most clusters), with a grace period that also holds the longest request.`),
			Before: "terminationGracePeriodSeconds: 1",
			After: `terminationGracePeriodSeconds: 40
containers:
- lifecycle: {preStop: {sleep: {seconds: 10}}}`,
			KubeletRules: []string{"R131", "R133", "R204"},
		},
		Check: check,
	}
}

func check(w *advisor.Workload) []advisor.Finding {
	if w.Grace() > tooShort || len(w.Traffic()) == 0 {
		return nil
	}
	for _, c := range w.Containers {
		if c.Lifecycle != nil && c.Lifecycle.PreStop != nil {
			return nil // it is another question whether that fits
		}
	}
	return []advisor.Finding{w.Finding(w.SpecPath+".terminationGracePeriodSeconds",
		"a grace period of %d s and no preStop delay: the process is killed 2 s after SIGTERM, while Service %s still routes to it, so "+
			"every rollout loses requests", w.Grace(), w.Traffic()[0].Name())}
}
