// Package formatwarning documents the findings about files of other formats than Kubernetes'.
package formatwarning

import "github.com/probity-run/probity/internal/advisor"

// Rule is format-warning. Its findings are made by [advisor.Check], of what is said of a document
// where it is turned into objects.
func Rule() advisor.Rule {
	return advisor.Rule{
		ID:       advisor.FormatWarning,
		Severity: advisor.Risk,
		Doc: advisor.Doc{
			Title: "A file of another format, such as TrueFoundry's, says something that is legal and has an effect that few people mean.",
			Consequence: advisor.Prose(`
				Most often it is a command with words of a shell, && or VAR=x, which no shell runs, so the program gets them as arguments; or a rollout
				that stops the only replica before the next one is ready.`),
			Remedy: "The message names the form that does what is meant. If it is meant as it stands, a baseline accepts it.",
			Before: `name: web
type: service
image: {type: image, image_uri: "web:1", command: ./migrate && ./web}`,
			After: `name: web
type: service
image: {type: image, image_uri: "web:1", command: [/bin/sh, -c, ./migrate && exec ./web]}`,
		},
	}
}
