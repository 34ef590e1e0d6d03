// Package fix applies the patches of findings to the text of manifests. It edits the text where the
// fields are, and leaves every other byte alone: comments, order, quotes and indentation stay as
// they are, and JSON stays JSON. [All] judges what comes out, so that no patch leaves something
// worse behind.
package fix

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/manifest"
)

// Skipped is a finding whose patch was not applied, and why.
type Skipped struct {
	Finding advisor.Finding
	Err     error
}

// errLater means that an earlier patch of this text changes the same object: whether there is still
// something to change, the next judgement tells.
var errLater = errors.New("another patch changes the same place")

var errMoved = errors.New("the object is not where it was")

// Text applies the patches of the findings that are about this text, and returns the new one. A
// patch is applied as a whole or not at all, and only if the new text says what the old one said
// but for the patch.
func Text(text []byte, findings []advisor.Finding) (out []byte, applied []advisor.Finding, skipped []Skipped) {
	body, isMarked := bytes.CutPrefix(text, []byte("\ufeff")) // it counts as no column
	docs := manifest.Documents(body)
	byDocument := map[int][]advisor.Finding{}
	touched := map[string]bool{}
	for _, f := range inReverse(findings) {
		i := documentAt(docs, f.ObjectPosition().Line)
		switch {
		case f.Original.Format != "":
			skipped = append(skipped, Skipped{f, foreign(f.Original)})
			continue
		case i < 0:
			skipped = append(skipped, Skipped{f, errMoved})
			continue
		case touches(touched, f):
			skipped = append(skipped, Skipped{f, errLater})
			continue
		}
		byDocument[i] = append(byDocument[i], f)
		for _, e := range f.Patch.Edits {
			touched[placeOf(f, e)] = true
		}
	}
	for i := range docs {
		if list := byDocument[i]; len(list) > 0 {
			some, none := inDocument(&docs[i], list)
			applied, skipped = append(applied, some...), append(skipped, none...)
		}
	}
	if isMarked {
		out = append(out, "\ufeff"...)
	}
	for _, d := range docs {
		out = append(out, d.Text...)
	}
	return out, applied, skipped
}

// foreign says why a document of another format is left alone.
func foreign(o manifest.Original) error {
	where := o.Object.String()
	if o.Field != "" {
		where += ": " + o.Field
	}
	return fmt.Errorf("the document is one of %s, in which Kubernetes' fields mean nothing: change it by hand, at %s", o.Format, where)
}

// inDocument applies patches of one document, the last object first. What can be made together is,
// and then the rest has to wait, as its objects may have moved; else the one half, then the other.
func inDocument(d *manifest.Document, findings []advisor.Finding) (applied []advisor.Finding, skipped []Skipped) {
	if text, made, rest := together(*d, findings); len(made) > 0 {
		d.Text = text
		for _, f := range rest {
			skipped = append(skipped, Skipped{f, errLater})
		}
		return made, skipped
	}
	if half := len(findings) / 2; half > 0 {
		applied, skipped = inDocument(d, findings[:half])
		more, none := inDocument(d, findings[half:])
		return append(applied, more...), append(skipped, none...)
	}
	text, err := patch(*d, findings[0])
	if err != nil {
		return nil, []Skipped{{findings[0], err}}
	}
	d.Text = text
	return findings, nil
}

// inReverse are the findings with patches, the last object first, so that a patch moves no object
// whose turn is still to come. In an object the worst comes first.
func inReverse(findings []advisor.Finding) []advisor.Finding {
	list := slices.DeleteFunc(slices.Clone(findings), func(f advisor.Finding) bool { return f.Patch == nil })
	slices.SortStableFunc(list, func(a, b advisor.Finding) int {
		x, y := a.ObjectPosition(), b.ObjectPosition()
		return cmp.Or(cmp.Compare(y.Line, x.Line), cmp.Compare(y.Column, x.Column), cmp.Compare(b.Severity, a.Severity))
	})
	return list
}

// documentAt is the index of the document with that line, or -1.
func documentAt(docs []manifest.Document, line int) int {
	i, found := slices.BinarySearchFunc(docs, line-1, func(d manifest.Document, line int) int { return cmp.Compare(d.Line, line) })
	if !found {
		i--
	}
	return i
}

// placeOf is the object, in the file, whose field an edit changes.
func placeOf(f advisor.Finding, e advisor.Edit) string {
	list := steps(e.Path)
	return f.ObjectPosition().String() + " " + strings.Join(list[:len(list)-1], ".")
}

func touches(touched map[string]bool, f advisor.Finding) bool {
	return slices.ContainsFunc(f.Patch.Edits, func(e advisor.Edit) bool { return touched[placeOf(f, e)] })
}

// patch makes the edits of a finding's patch in a document.
func patch(d manifest.Document, f advisor.Finding) ([]byte, error) {
	want, _, err := d.Nodes()
	if err != nil {
		return nil, err
	}
	for _, e := range f.Patch.Edits {
		nodes, isJSON, err := d.Nodes()
		if err != nil {
			return nil, err
		}
		root, goal := findObject(nodes, d, f), findObject(want, d, f)
		if root == nil || goal == nil {
			return nil, errMoved
		}
		s := newSource(d.Text, isJSON)
		c, err := s.edit(root, e)
		if err == nil {
			err = changeTree(goal, e)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e.Path, err)
		}
		d.Text = s.apply(c)
	}
	if got, _, err := d.Nodes(); err != nil || !sameMeaning(got, want) {
		return nil, errMeaning
	}
	return d.Text, nil
}

// findObject returns the object of a finding in its document.
func findObject(nodes []*yaml.Node, d manifest.Document, f advisor.Finding) *yaml.Node {
	at := f.ObjectPosition()
	return find(nodes, at.Line-d.Line, at.Column)
}

// find returns the object that begins at a place: a document, or an item of a list.
func find(nodes []*yaml.Node, line, column int) *yaml.Node {
	for _, n := range nodes {
		if n.Kind != yaml.MappingNode {
			continue
		}
		items := field(n, "items")
		if n.Line == line && n.Column == column && items == nil {
			return n
		}
		if items != nil && items[1].Kind == yaml.SequenceNode {
			if found := find(items[1].Content, line, column); found != nil {
				return found
			}
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
