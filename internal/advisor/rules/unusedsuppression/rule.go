// Package unusedsuppression documents the findings about annotations that accept findings.
package unusedsuppression

import "github.com/probity-run/probity/internal/advisor"

// Rule is unused-suppression. Its findings are made by [advisor.Check], which knows what was found.
func Rule() advisor.Rule {
	return advisor.Rule{
		ID:       advisor.UnusedSuppression,
		Severity: advisor.Style,
		Doc: advisor.Doc{
			Title: "An annotation accepts a finding that is not there, or gives no reason.",
			Consequence: advisor.Prose(`
				What was accepted once stays accepted when it comes back for another cause. Without a reason nobody can tell whether it still holds, so
				such an annotation has no effect.`),
			Remedy: advisor.Prose(`
				The annotation probity.run/ignore.RULE stands on the object or on its pod template; its value is the reason. Remove it when the finding is
				gone.`),
			Before: `metadata:
  annotations:
    probity.run/ignore.no-drain: ""`,
			After: `metadata:
  annotations:
    probity.run/ignore.no-drain: requests are retried by the gateway`,
		},
	}
}
