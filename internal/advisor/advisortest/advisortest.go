// Package advisortest helps tests of the advisor and its parts.
package advisortest

import (
	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/manifest"
)

// Parse relates the objects of one text to each other; name stands for the file in findings. The
// error says what could not be read, beside what could.
func Parse(name string, text []byte) (*advisor.Manifests, error) {
	set, err := manifest.DecodeLenient(manifest.Options{}, name, text)
	if set == nil {
		return advisor.NewManifests(nil, nil), err
	}
	return advisor.NewManifests(set.Objects, map[string][]byte{name: text}), err
}
