package manifest

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode"
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
}

// IsDecoding reports whether the error was found before validation.
func (e *Error) IsDecoding() bool {
	switch e.Reason {
	case ReasonRead, ReasonSyntax, ReasonLimit, ReasonKind, ReasonUnknownField, ReasonDuplicateField, ReasonType:
		return true
	}
	return false
}

// Error gives "file:line:column: Kind name: field: message", on one line and without control
// characters.
func (e *Error) Error() string { return render(e.Position, e.Object, e.Field, e.Message) }

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

func render(p Position, object Ref, field, message string) string {
	parts := []string{p.String(), object.String(), field, message}
	parts = slices.DeleteFunc(parts, func(s string) bool { return s == "" })
	for i := range parts {
		parts[i] = printable(parts[i])
	}
	return strings.Join(parts, ": ")
}

// printable escapes control characters, so that a text from a manifest cannot move the cursor, and
// cuts the middle out of a long one: the end of a validation error, where the rule stands, is kept.
func printable(s string) string {
	const head, tail = 400, 400
	if len(s) > head+tail {
		s = strings.ToValidUTF8(s[:head], "") + " … " + strings.ToValidUTF8(s[len(s)-tail:], "")
	}
	if !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			q := strconv.QuoteRune(r)
			b.WriteString(q[1 : len(q)-1])
		}
	}
	return b.String()
}
