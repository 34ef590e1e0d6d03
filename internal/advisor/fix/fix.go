// Package fix applies the patches of findings to the text of manifests. It edits the text where the
// fields are, and leaves every other byte alone: comments, order, quotes and indentation stay as
// they are.
package fix

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/probity-run/probity/internal/advisor"
)

// Skipped is a finding whose patch was not applied, and why.
type Skipped struct {
	Finding advisor.Finding
	Err     error
}

// Text applies the patches of the findings that are about this text and returns the new one. A
// patch is applied as a whole or not at all; patches that touch the same place as an earlier one
// are skipped. Applied counts them. The error means that the text is not YAML.
func Text(text []byte, findings []advisor.Finding) (out []byte, applied int, skipped []Skipped, err error) {
	if mark := []byte("\ufeff"); bytes.HasPrefix(text, mark) { // it counts as no column
		out, applied, skipped, err = Text(text[len(mark):], findings)
		return slices.Concat(mark, out), applied, skipped, err
	}
	docs, err := parse(text)
	if err != nil {
		return nil, 0, nil, err
	}
	source := newSource(text)
	var changes []change
	for _, f := range findings {
		if f.Patch == nil {
			continue
		}
		mine, err := source.plan(docs, f)
		switch {
		case err != nil:
			skipped = append(skipped, Skipped{f, err})
			continue
		case slices.ContainsFunc(mine, func(c change) bool { return slices.ContainsFunc(changes, c.overlaps) }):
			skipped = append(skipped, Skipped{f, errors.New("another patch changes the same place: run it again")})
			continue
		}
		changes = append(changes, mine...)
		applied++
	}
	slices.SortStableFunc(changes, func(a, b change) int { return cmp.Compare(b.start, a.start) })
	out = bytes.Clone(text)
	for _, c := range changes {
		out = slices.Concat(out[:c.start], []byte(c.text), out[c.end:])
	}
	if _, err := parse(out); err != nil {
		return nil, 0, nil, fmt.Errorf("the patches would not leave YAML behind, nothing was changed: %w", err)
	}
	return out, applied, skipped, nil
}

// parse returns the documents' roots. Line numbers count through the whole text.
func parse(text []byte) ([]*yaml.Node, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var docs []*yaml.Node
	for {
		var doc yaml.Node
		err := decoder.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return docs, nil
		}
		if err != nil {
			return nil, err
		}
		if len(doc.Content) == 1 {
			docs = append(docs, doc.Content[0])
		}
	}
}

// plan turns a patch into changes of the text.
func (s source) plan(docs []*yaml.Node, f advisor.Finding) ([]change, error) {
	at := f.ObjectPosition()
	root := find(docs, at.Line, at.Column)
	if root == nil {
		return nil, errors.New("the object is not where it was")
	}
	var changes []change
	for _, e := range f.Patch.Edits {
		c, err := s.edit(root, e)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e.Path, err)
		}
		changes = append(changes, c)
	}
	return changes, nil
}

// find returns the object that begins at a place: a document, or an item of a list.
func find(nodes []*yaml.Node, line, column int) *yaml.Node {
	for _, n := range nodes {
		if n.Kind != yaml.MappingNode {
			continue
		}
		if n.Line == line && n.Column == column && len(field(n, "items")) != 2 {
			return n
		}
		if items := field(n, "items"); len(items) == 2 && items[1].Kind == yaml.SequenceNode {
			if found := find(items[1].Content, line, column); found != nil {
				return found
			}
		}
	}
	return nil
}

// field returns the key and the value of a mapping's field, or nothing.
func field(n *yaml.Node, name string) []*yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name && n.Content[i].Kind == yaml.ScalarNode {
			return n.Content[i : i+2]
		}
	}
	return nil
}

// steps splits a path in the API server's form. A step is a field, an index such as "[0]", or
// a map key such as "[a.b/c]".
func steps(path string) []string {
	var list []string
	for path != "" {
		if path[0] == '[' {
			end := strings.IndexByte(path, ']')
			if end < 0 {
				end = len(path) - 1
			}
			list, path = append(list, path[:end+1]), strings.TrimPrefix(path[end+1:], ".")
			continue
		}
		end := strings.IndexAny(path, ".[")
		if end < 0 {
			return append(list, path)
		}
		list, path = append(list, path[:end]), strings.TrimPrefix(path[end:], ".")
	}
	return list
}
