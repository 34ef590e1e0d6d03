package advisor

import (
	"cmp"
	"strings"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/printable"
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
	// Original is how the file says the object and the field, if it is of another format than
	// Kubernetes'.
	Original manifest.Original
	// Region is the place of that field in the file, or of the nearest one around it.
	Region Region
	// Message is one sentence, with the numbers of this manifest.
	Message string
	// Patch is nil if the manifest does not tell what would be right.
	Patch *Patch
	// Scenario are the arguments with which probity simulate shows the consequence, or empty.
	Scenario string
	// Source is the first line of Region, without its line break; empty if it is too long, or may
	// hold a secret.
	Source string
	// Suppressed is the reason that an annotation gives for accepting the finding, or empty.
	Suppressed string
	// Basis says what a finding in an object of a cluster rests on; it is empty for files.
	Basis Basis
	// Seen is what the cluster shows of it, with numbers and over what, or why it shows nothing.
	// Empty if nothing that a cluster tells could show it.
	Seen string

	container string           // path of the container, or empty
	subject   *manifest.Object // that has the field
	at        *Position        // of the field, if the object does not know it
}

// Basis says what a finding rests on.
type Basis string

// The bases of findings in objects of a cluster.
const (
	Predicted    Basis = "predicted"                  // by a rule; it was not seen
	Seen         Basis = "seen"                       // it happened, and no rule has foretold it
	Both         Basis = "predicted and seen"         // it was foretold, and happened
	Contradicted Basis = "predicted and contradicted" // it was foretold, and the opposite was seen
)

// At sets where the finding is, for a field that the object does not have.
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

// A Patch is the smallest change after which the finding is gone.
type Patch struct {
	// Summary describes the change in a few words, "timeoutSeconds: 5" for example.
	Summary string
	// Effect is what it trades: later detection for fewer false alarms, with the numbers before and
	// after. It may be empty.
	Effect string
	Edits  []Edit
}

// An Edit sets one field of the object, or removes it.
type Edit struct {
	// Path leads to the field, in the API server's form. What contains the field must exist.
	Path string
	// Value is YAML in flow style on one line. It is ignored if Remove is set.
	Value  string
	Remove bool
}

// Words are the object and the field as the file says them.
func (f Finding) Words() (object manifest.Ref, field string) {
	if f.Original.Format != "" {
		return f.Original.Object, f.Original.Field
	}
	return f.Object, f.Field
}

// Key identifies a finding after edits of the file too: it has no line numbers.
func (f Finding) Key() string {
	return strings.Join([]string{f.Rule, f.Object.Kind, f.Object.Namespace, f.Object.Name, f.Field}, "|")
}

// Compare orders findings by place, then by severity.
func Compare(a, b Finding) int {
	return cmp.Or(strings.Compare(a.Region.File, b.Region.File), cmp.Compare(a.Region.Line, b.Region.Line), cmp.Compare(a.Region.Column, b.Region.Column),
		cmp.Compare(b.Severity, a.Severity), strings.Compare(a.Rule, b.Rule), strings.Compare(a.Field, b.Field))
}

// Simulation is the command that replays the finding, as a shell takes it, or "" if there is none.
func (f Finding) Simulation() string {
	if f.Scenario == "" {
		return ""
	}
	file := printable.Shell(f.Region.File)
	switch {
	case f.Region.File == StdinName:
		file = "-"
	case file == "": // nobody can copy such a name
		return ""
	case strings.HasPrefix(f.Region.File, "-"):
		file = printable.Shell("./" + f.Region.File)
	}
	return "probity simulate " + file + " " + f.Scenario
}
