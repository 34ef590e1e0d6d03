package system

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/printable"
	"github.com/probity-run/probity/internal/registry"
)

// checkError is what would keep the Pods of manifests from running here.
type checkError struct {
	manifest.Errors
	missing []missingProgram
}

// missingProgram is a container with an image for which no program is known.
type missingProgram struct {
	at               manifest.Position
	workload         string // as in --command
	container, image string
	line             string // to add to the file
}

// Unwrap returns the errors.
func (e *checkError) Unwrap() error { return e.Errors }

// Hint is what to do about it, ready to paste; "" if there is nothing to say. It has lines of its
// own, which no error has.
func (e *checkError) Hint() string {
	if len(e.missing) == 0 {
		return ""
	}
	var text strings.Builder
	where := "below metadata.annotations of the Pod or its template"
	if slices.ContainsFunc(e.missing, func(m missingProgram) bool { return !strings.HasPrefix(m.line, manifest.AnnotationCommand) }) {
		where = "in the file"
	}
	fmt.Fprintf(&text, "Programs run here, not images. Say which program stands for each, by a line %s:\n\n", where)
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "  WHERE\tWORKLOAD\tIMAGE\tLINE TO ADD")
	for _, m := range e.missing {
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s: ./program --flag\n", m.at, m.workload, printable.Line(printable.Cut(m.image)), m.line)
	}
	_ = table.Flush() // to memory
	text.WriteString("\nor for one run only, with\n\n")
	for i, m := range e.missing {
		end := " \\"
		if i == len(e.missing)-1 {
			end = ""
		}
		fmt.Fprintf(&text, "  --command %s:%s='./program --flag'%s\n", m.workload, m.container, end)
	}
	text.WriteString("\nprobity check and probity simulate read the file as it is, without any program.")
	return text.String()
}

// addMissing notes a container whose program is not known, once. field is that of its command.
func (e *checkError) addMissing(origin manifest.Object, field, container, image string) {
	ref := origin.Ref()
	line := manifest.AnnotationCommand + container
	if original := origin.Original(field); original.Field != "" {
		line = original.Field
	}
	m := missingProgram{origin.PositionOf(field), registry.CommandKey(ref.Kind, ref.Name), container, image, line}
	if slices.Contains(e.missing, m) {
		return
	}
	e.missing = append(e.missing, m)
}
