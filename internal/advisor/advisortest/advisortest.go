// Package advisortest helps tests of the advisor and its parts.
package advisortest

import (
	"github.com/probity-run/probity/internal/advisor"
)

// Parse relates the objects of one text to each other; name stands for the file in findings. The
// error says what could not be read, beside what could.
func Parse(name string, text []byte) (*advisor.Manifests, error) {
	return advisor.NewManifests(advisor.Source{Name: name}).With(map[string][]byte{name: text})
}

// ParseMixed is Parse for a file that lies in a folder and may be anything, a piece of a manifest
// for example.
func ParseMixed(name string, text []byte) (*advisor.Manifests, error) {
	return advisor.NewManifests(advisor.Source{Name: name, Mixed: true}).With(map[string][]byte{name: text})
}
