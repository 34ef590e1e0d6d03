package script

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/printable"
)

// MaxScriptBytes bounds a script.
const MaxScriptBytes = 1 << 20

// Load reads a script from a file, or from stdin for the path "-". The error says where in the file
// everything is that is wrong.
func Load(path string, stdin io.Reader) (*Script, error) {
	if path == "-" {
		return load("<stdin>", stdin)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the script: %w", err)
	}
	defer file.Close()
	return load(path, file)
}

func load(name string, from io.Reader) (*Script, error) {
	data, err := io.ReadAll(io.LimitReader(from, MaxScriptBytes+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("cannot read the script %s: %w", printable.File(name), err)
	case len(data) > MaxScriptBytes:
		return nil, fmt.Errorf("cannot use the script %s: it is larger than %d bytes", printable.File(name), MaxScriptBytes)
	}
	return Decode(name, data)
}

// Decode reads a script; name stands for the file in errors. It is strict: an unknown field is an
// error.
func Decode(name string, data []byte) (*Script, error) {
	root, err := parse(name, data)
	if err != nil {
		return nil, err
	}
	d := &decoder{file: name}
	script := &Script{Programs: map[string]Program{}}
	object(d, root, "", scriptFields(), script)
	if len(d.errs) > 0 {
		return nil, d.errs
	}
	return script, nil
}

func parse(name string, data []byte) (*yaml.Node, error) {
	parser := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	switch err := parser.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil, fmt.Errorf("cannot use the script %s: it is empty", printable.File(name))
	case err != nil:
		return nil, syntaxError(name, err)
	case len(doc.Content) == 0 || doc.Content[0].Tag == "!!null":
		return nil, fmt.Errorf("cannot use the script %s: it is empty", printable.File(name))
	}
	switch err := parser.Decode(&second); {
	case errors.Is(err, io.EOF):
		return doc.Content[0], nil
	case err != nil:
		return nil, syntaxError(name, err)
	}
	at := manifest.Position{File: name, Line: second.Line, Column: 1}
	return nil, manifest.Errors{{Position: at, Reason: manifest.ReasonSyntax, Message: "a second document: a script has one"}}
}

func syntaxError(name string, err error) error {
	position := manifest.Position{File: name}
	message := err.Error()
	if found := regexp.MustCompile(`^yaml: line (\d+): (.*)$`).FindStringSubmatch(message); found != nil {
		position.Line, _ = strconv.Atoi(found[1]) // digits
		message = found[2]
	}
	return manifest.Errors{{Position: position, Reason: manifest.ReasonSyntax, Message: "not valid YAML: " + printable.CutMiddle(strings.TrimPrefix(message, "yaml: "), 100)}}
}

// decoder collects what is wrong.
type decoder struct {
	file string
	errs manifest.Errors
}

// maxErrors is how many errors a file gets: it may be any file.
const maxErrors = 20

func (d *decoder) fail(n *yaml.Node, at, format string, args ...any) {
	switch {
	case len(d.errs) > maxErrors:
		return
	case len(d.errs) == maxErrors:
		at, format, args = "", "more than %d errors: the rest is left out", []any{maxErrors}
	}
	d.errs = append(d.errs, &manifest.Error{
		Position: manifest.Position{File: d.file, Line: n.Line, Column: n.Column}, Field: at, Reason: manifest.ReasonType, Message: fmt.Sprintf(format, args...),
	})
}

// field is one field of an object: how it is written and read, and what the reference says of it.
type field[T any] struct {
	name            string
	form            form
	otherwise, text string
	read            func(d *decoder, n *yaml.Node, at string, into *T)
}

// object reads a mapping by the table of its fields.
func object[T any](d *decoder, n *yaml.Node, at string, fields []field[T], into *T) {
	n = follow(n)
	if n.Kind != yaml.MappingNode {
		d.fail(n, at, "a mapping is wanted here, as in %s: …", fields[0].name)
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], follow(n.Content[i+1])
		j := slices.IndexFunc(fields, func(f field[T]) bool { return f.name == key.Value })
		switch {
		case j < 0:
			d.unknown(key, at, names(fields))
		case seen[key.Value]:
			d.fail(key, join(at, printable.Cut(key.Value)), "the field is there twice")
		case value.Tag == "!!null":
			d.fail(key, join(at, printable.Cut(key.Value)), "the field has no value")
		default:
			fields[j].read(d, value, join(at, key.Value), into)
		}
		seen[key.Value] = true
	}
}

func (d *decoder) unknown(key *yaml.Node, at string, known []string) {
	hint := ""
	for _, k := range known {
		if strings.EqualFold(k, key.Value) || len(key.Value) > 3 && (strings.HasPrefix(k, key.Value) || strings.HasPrefix(key.Value, k)) {
			hint = fmt.Sprintf(": did you mean %q?", k)
			break
		}
	}
	if hint == "" {
		hint = ": there are " + strings.Join(known, ", ")
	}
	d.fail(key, join(at, printable.Cut(key.Value)), "unknown field%s", hint)
}

func names[T any](fields []field[T]) []string {
	all := make([]string, len(fields))
	for i, f := range fields {
		all[i] = f.name
	}
	return all
}

func follow(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

func join(at, name string) string {
	if at == "" {
		return name
	}
	return at + "." + name
}
