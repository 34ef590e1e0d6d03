package advisor

import (
	"cmp"
	"slices"
	"strings"

	"github.com/probity-run/probity/internal/manifest"
)

// A Finding is one thing that is wrong in one place.
type Finding struct {
	Rule     string
	Severity Severity
	Object   manifest.Ref
	// Container is the name of the container that it is about, or empty.
	Container string
	// Field is the path of the field in the API server's form.
	Field string
	// Region is where that field, or the nearest one around it, is written.
	Region Region
	// Message is one sentence with this manifest's numbers.
	Message string
	// Patch is nil if nothing follows from what is declared.
	Patch *Patch
	// Scenario is the arguments with which probity simulate shows the pitfall biting, or empty.
	Scenario string
	// Source is the line at Region, without its line break.
	Source string
	// Suppressed is the reason that an annotation gives for accepting the finding, or empty.
	Suppressed string

	container string           // path of the container, or empty
	subject   *manifest.Object // whose field it is
	at        *Position        // where the field is, if the object does not know
}

// At says where the finding is. It is for fields that the object does not have.
func (f *Finding) At(p Position) { f.at = &p }

// ObjectPosition is where the object that the finding is about begins.
func (f *Finding) ObjectPosition() Position { return f.subject.Position }

// Position is where an object begins. Edits find their document by it.
type Position = manifest.Position

// Region is a piece of a file. Lines and columns count from 1, columns in characters; the end is
// the first column that is not part of it.
type Region struct {
	File                             string
	Line, Column, EndLine, EndColumn int
}

// A Patch is the smallest change that takes a finding away.
type Patch struct {
	// Summary says it in a few words, "timeoutSeconds: 5" for example.
	Summary string
	Edits   []Edit
}

// An Edit sets one field of the object, or removes it.
type Edit struct {
	// Path leads to the field, in the API server's form. What contains the field must exist.
	Path string
	// Value is YAML in flow style on one line. It is ignored if Remove is set.
	Value  string
	Remove bool
}

// Key identifies a finding across edits of the file: it has no line numbers.
func (f Finding) Key() string {
	return strings.Join([]string{f.Rule, f.Object.Kind, f.Object.Namespace, f.Object.Name, f.Field}, "|")
}

// sortFindings orders by place, then by severity.
func sortFindings(list []Finding) {
	slices.SortStableFunc(list, func(a, b Finding) int {
		return cmp.Or(strings.Compare(a.Region.File, b.Region.File), cmp.Compare(a.Region.Line, b.Region.Line), cmp.Compare(a.Region.Column, b.Region.Column),
			cmp.Compare(b.Severity, a.Severity), strings.Compare(a.Rule, b.Rule), strings.Compare(a.Field, b.Field))
	})
}
