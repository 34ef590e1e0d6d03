// Package openapi has the OpenAPI v3 documents of what the API server serves: kubectl asks for them
// at every apply, and merges, explains and validates by them. They are made from those that
// Kubernetes publishes and from the table of [resources], and are part of the program in the form
// in which they are sent.
//
// The document of probity.run/v1 is written by hand, in generate/probity.json.
//
// [resources]: github.com/probity-run/probity/internal/apiserver/resources
package openapi

//go:generate go run ./generate documents
