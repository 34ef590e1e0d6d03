// Package manifestinvalid documents the rule about manifests that are refused; its findings come
// from the decoder and the API server's rules, which probity run obeys too.
package manifestinvalid

import "github.com/probity-run/probity/internal/advisor"

// Rule is manifest-invalid.
func Rule() advisor.Rule {
	return advisor.Rule{
		ID:       advisor.ManifestInvalid,
		Severity: advisor.Outage,
		Doc: advisor.Doc{
			Title: "The object is refused: something in it is misspelt, of the wrong type, or against the API server's rules.",
			Consequence: advisor.Prose(`
				kubectl or the API server refuses the object, so it is not created, and an update of it does not happen; probity run refuses it in the same
				words. A field that is there twice is a risk: kubectl keeps the last one without a word, and that one is judged here. So are two objects
				of one name in a file: the second one overwrites the first.`),
			Remedy: advisor.Prose(`
				The message is that of probity run, most often the API server's own. If a template engine has not gone over the file yet, check what it
				renders: helm template ./chart | probity check -`),
			Before: `kind: deployment
spec:
  replicas: -1`,
			After: `kind: Deployment
spec:
  replicas: 1`,
			KubeletRules: []string{"R179", "R185"},
		},
	}
}
