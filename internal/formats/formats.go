// Package formats lists the other formats that Probity reads beside Kubernetes manifests. Whoever
// reads files hands them to package manifest, which turns their documents into Kubernetes objects.
package formats

import (
	"os"
	"slices"
	"strings"

	"github.com/probity-run/probity/internal/formats/compose"
	"github.com/probity-run/probity/internal/formats/knative"
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
	// Asked is told each name whose value a document refers to. Default: nobody.
	Asked func(name string)
	// Named are the files and folders that a person has named. Default: it is not known.
	Named []string
	// Together means that the files are run or written together, not each judged for itself.
	Together bool
	// Liveness makes a liveness probe, too, of a health check that says nothing of restarts.
	Liveness bool
}

// All are the formats, in the order in which they are asked whether a document is theirs.
func All(o Options) []manifest.Format {
	return []manifest.Format{
		truefoundry.New(truefoundry.Options{Run: o.Run, Env: o.Env, Asked: o.Asked}),
		compose.Format{Options: compose.Options{Lookup: o.lookup, ReadFile: readFile, Liveness: o.Liveness, Named: o.Named, Together: o.Together}},
		knative.Knative(), knative.CloudRun(),
	}
}

// Instead says which names documents refer to, for a name that none does.
func Instead(name string, asked []string) string {
	const most = 5
	asked = slices.DeleteFunc(slices.Clone(asked), func(name string) bool { return strings.HasPrefix(name, "COMPOSE_") }) // which are always asked for
	switch guess := manifest.Closest(name, asked); {
	case guess != "":
		return ", did you mean " + guess + "?"
	case len(asked) == 0 || len(asked) > most:
		return ""
	}
	return "; they refer to " + strings.Join(asked, ", ")
}

// lookup finds a variable, in the environment of this process if nobody gave it.
func (o Options) lookup(name string) (string, bool) {
	if o.Asked != nil {
		o.Asked(name)
	}
	if value, ok := o.Env[name]; ok {
		return value, true
	}
	return os.LookupEnv(name)
}
