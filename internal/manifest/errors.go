package manifest

import (
	"cmp"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/probity-run/probity/internal/printable"
)

// Reason is the class of an Error, for callers that treat some of them differently. A validation
// error has its field.ErrorType as its reason, "FieldValueRequired" for example.
type Reason string

// The reasons of errors that are found before validation.
const (
	ReasonRead           Reason = "Read"           // a path cannot be read or holds no manifest
	ReasonSyntax         Reason = "Syntax"         // the text is not YAML or JSON
	ReasonLimit          Reason = "Limit"          // the input asks for more than Options allow
	ReasonKind           Reason = "Kind"           // apiVersion and kind do not name a type
	ReasonUnknownField   Reason = "UnknownField"   // misspelt or misplaced
	ReasonDuplicateField Reason = "DuplicateField" // a key twice in one object
	ReasonType           Reason = "Type"           // a value of the wrong type
	// two objects of the same kind, namespace and name
	ReasonDuplicateObject Reason = "DuplicateObject"
)

// An Error is one thing that is wrong in a manifest.
type Error struct {
	Position
	// Object is empty when the error is about a file or a document that names no object.
	Object Ref
	// Field is the path of the field in the API server's form, or empty.
	Field  string
	Reason Reason
	// Message is lower case except where it quotes the API server ("Invalid value: 2: must be 1").
	Message string
	// Original is how the file says it, if it is of another format.
	Original Original
}

// IsDecoding reports whether the error was found before validation.
func (e *Error) IsDecoding() bool {
	switch e.Reason {
	case ReasonRead, ReasonSyntax, ReasonLimit, ReasonKind, ReasonUnknownField, ReasonDuplicateField, ReasonType, ReasonFormat:
		return true
	}
	return false
}

// Error gives "file:line:column: Kind name: field: message", on one line and without control
// characters.
func (e *Error) Error() string { return e.Original.render(e.Position, e.Object, e.Field, e.Message) }

// Errors is everything that is wrong, ordered by file and position.
type Errors []*Error

// Error gives one error a line.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, err := range e {
		lines[i] = err.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap lets errors.AsType find the first *Error.
func (e Errors) Unwrap() []error {
	list := make([]error, len(e))
	for i, err := range e {
		list[i] = err
	}
	return list
}

func (e Errors) sort() {
	slices.SortFunc(e, func(a, b *Error) int {
		return cmp.Or(a.compare(b.Position), strings.Compare(a.Field, b.Field), strings.Compare(a.Message, b.Message))
	})
}

// render is a message about an object, in the words of the document that it comes from.
func (o Original) render(p Position, object Ref, field, message string) string {
	if o.Format != "" {
		object, field = o.Object, o.Field
	}
	return render(p, object, field, message)
}

func render(p Position, object Ref, field, message string) string {
	parts := []string{p.String(), printable.CutMiddle(object.String(), maxName), printable.CutMiddle(field, maxPath), printable.CutMiddle(message, maxMessage)}
	parts = slices.DeleteFunc(parts, func(s string) bool { return s == "" })
	for i := range parts[1:] {
		parts[i+1] = printable.Line(parts[i+1])
	}
	return strings.Join(parts, ": ")
}

// How many bytes of an object's name, of a path and of a message are shown. What a message quotes
// is shorter already; only what the API server makes of whole objects is not.
const (
	maxName    = 80
	maxPath    = 200
	maxMessage = 800
)

// body is the text of a validation error. Of a long value it shows the beginning.
func body(err *field.Error) string {
	value := reflect.ValueOf(err.BadValue)
	if value.Kind() != reflect.String || printable.Cut(value.String()) == value.String() {
		return err.ErrorBody()
	}
	short := *err
	short.BadValue = printable.Cut(value.String())
	return short.ErrorBody()
}
