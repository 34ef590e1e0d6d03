package advisor

import (
	"github.com/probity-run/probity/internal/manifest"
)

// A Source is a file, or standard input, and what is in it.
type Source struct {
	Name string
	Text []byte
	// Set is nil if the file was passed over as a whole.
	Set *manifest.Set
	// Mixed means that the file was found in a folder, which may hold anything. A file that someone
	// names is meant to hold objects.
	Mixed bool
	// Pieces means that its objects are completed by something else, a kustomization for example:
	// what is absent may come from there.
	Pieces bool
	// Patch means that a kustomization names the file as a patch, so that it is no object: the
	// kustomization says what it is for.
	Patch bool
	// Formats are other formats that its documents may have. Default: those of package formats.
	Formats []manifest.Format
}

// decode reads the objects in the text. The error says what could not be read, beside what could.
func (s Source) decode() (Source, error) {
	options := limits()
	options.Mixed = s.Mixed
	if s.Formats != nil {
		options.Formats = s.Formats
	}
	var err error
	s.Set, err = manifest.DecodeLenient(options, s.Name, s.Text)
	return s, err
}
