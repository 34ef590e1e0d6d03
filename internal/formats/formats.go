// Package formats lists the other formats that Probity reads beside Kubernetes manifests. Whoever
// reads files hands them to package manifest, which turns their documents into Kubernetes objects.
package formats

import (
	"github.com/probity-run/probity/internal/formats/truefoundry"
	"github.com/probity-run/probity/internal/manifest"
)

// Options are what documents are read with. The zero value is for who only reads and judges: what
// is filled in elsewhere stays a reference.
type Options struct {
	// Run means that the objects run on this machine: a reference to a secret needs a value from
	// Env, and it is an error that asks for it if there is none.
	Run bool
	// Env are values by the names of variables, as --env and --env-file give them.
	Env map[string]string
}

// All are the formats, in the order in which they are asked whether a document is theirs.
func All(o Options) []manifest.Format {
	return []manifest.Format{truefoundry.New(truefoundry.Options{Run: o.Run, Env: o.Env})}
}
