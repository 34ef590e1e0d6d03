package service

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/probity-run/probity/internal/deploy"
	"github.com/probity-run/probity/internal/formats"
	"github.com/probity-run/probity/internal/manifest"
)

// A FieldError is one thing that is wrong with a service.
type FieldError struct {
	// Field is its path, as in "liveness_probe.success_threshold"; empty for the whole.
	Field   string
	Message string
}

// Error gives "FIELD: MESSAGE".
func (e *FieldError) Error() string {
	if e.Field == "" {
		return e.Message
	}
	return e.Field + ": " + e.Message
}

// An InvalidError is everything that is wrong with a service: nothing was sent.
type InvalidError struct {
	Name   string // of the service
	Fields []*FieldError
}

// Error gives a line for each.
func (e *InvalidError) Error() string {
	lines := []string{fmt.Sprintf("service %q is not valid, nothing was sent", e.Name)}
	for _, f := range e.Fields {
		lines = append(lines, f.Error())
	}
	return strings.Join(lines, "\n")
}

// Unwrap lets errors.AsType find the first FieldError.
func (e *InvalidError) Unwrap() []error {
	var list []error
	for _, f := range e.Fields {
		list = append(list, f)
	}
	return list
}

// A Note is something worth saying about a field that is not an error.
type Note struct {
	Field   string // path, as in "ports[0].host"
	Message string
	// NotApplied means that the field has no meaning outside of TrueFoundry; else it is legal, and
	// hardly meant.
	NotApplied bool
}

// String gives "not applied: FIELD: MESSAGE", or "warning: FIELD: MESSAGE".
func (n Note) String() string {
	kind := "warning: "
	if n.NotApplied {
		kind = "not applied: "
	}
	return kind + (&FieldError{n.Field, n.Message}).Error()
}

// Validate finds what is wrong, without asking anybody: the error is an [*InvalidError]. The notes
// are what has no meaning outside of TrueFoundry, and what is hardly meant.
func (s Service) Validate() ([]Note, error) {
	_, notes, err := s.objects(formats.Options{})
	return notes, err
}

// objects are those that the service becomes, by the way that a file takes.
func (s Service) objects(opts formats.Options) ([]*deploy.Object, []Note, error) {
	text, err := s.YAML()
	if err != nil {
		return nil, nil, err
	}
	asked := map[string]bool{}
	opts.Asked = func(name string) { asked[name] = true } // of the one document, by one goroutine
	set, err := manifest.Load(manifest.Options{Stdin: bytes.NewReader(text), Formats: formats.All(opts)}, "-")
	if list, ok := errors.AsType[manifest.Errors](err); ok {
		invalid := &InvalidError{Name: s.Name}
		for _, e := range list {
			invalid.Fields = append(invalid.Fields, &FieldError{e.Original.Field, e.Message})
		}
		return nil, nil, invalid
	}
	if err != nil {
		return nil, nil, err
	}
	var notes []Note
	for _, w := range set.Warnings {
		notes = append(notes, Note{w.Original.Field, w.Message, false})
	}
	for _, n := range set.NotApplied {
		if n.Object == n.Original.Object { // what is said of it as a service, not of what runs here
			notes = append(notes, Note{n.Original.Field, n.Message, true})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(opts.Env)) {
		if opts.Run && !asked[name] {
			notes = append(notes, Note{Field: "env", Message: "nothing refers to the value " + name + " of Target.Env" + formats.Instead(name, slices.Sorted(maps.Keys(asked)))})
		}
	}
	var objects []*deploy.Object
	for _, o := range set.Converted {
		objects = append(objects, deploy.ObjectOf(o))
	}
	return objects, notes, nil
}
