package fix

import (
	"cmp"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/manifest"
)

// together makes those patches of a document at once that have nothing to do with each other: one
// by one, the document would be read again for each, and it may be a list of all that is in a
// cluster. None is made if the outcome is not what it should be.
func together(d manifest.Document, findings []advisor.Finding) (text []byte, made, rest []advisor.Finding) {
	nodes, isJSON, err := d.Nodes()
	want, _, wantErr := d.Nodes()
	if err != nil || wantErr != nil {
		return nil, nil, findings
	}
	s := newSource(d.Text, isJSON)
	var all changes
	for _, f := range findings {
		own, ok := s.changesOf(f, findObject(nodes, d, f))
		if !ok || !all.add(own) {
			rest = append(rest, f)
			continue
		}
		made = append(made, f)
	}
	for _, f := range made {
		goal := findObject(want, d, f)
		for _, e := range f.Patch.Edits {
			if changeTree(goal, e) != nil {
				return nil, nil, findings
			}
		}
	}
	d.Text = s.applyAll(all)
	if got, _, err := d.Nodes(); err != nil || !sameMeaning(got, want) {
		return nil, nil, findings
	}
	return d.Text, made, rest
}

// changesOf are the changes of the text that a patch makes; ok is false if one of them needs
// another one first, or cannot be made at all.
func (s source) changesOf(f advisor.Finding, root *yaml.Node) (own []change, ok bool) {
	if root == nil {
		return nil, false
	}
	for _, e := range f.Patch.Edits {
		c, err := s.edit(root, e)
		if err != nil {
			return nil, false
		}
		own = append(own, c)
	}
	return own, true
}

// changes are changes of one text that do not meet, in the order of the text.
type changes []change

// add takes in changes that belong together, if they meet neither others nor each other.
func (all *changes) add(own []change) (ok bool) {
	for i, c := range own {
		if all.meet(c) || slices.ContainsFunc(own[:i], c.meets) {
			return false
		}
	}
	for _, c := range own {
		i, _ := all.find(c)
		*all = slices.Insert(*all, i, c)
	}
	return true
}

// meet reports whether a change meets one of these.
func (all changes) meet(c change) bool {
	i, found := all.find(c)
	return found || i > 0 && c.meets(all[i-1]) || i < len(all) && c.meets(all[i])
}

func (all changes) find(c change) (i int, found bool) {
	return slices.BinarySearchFunc(all, c, func(a, b change) int { return cmp.Compare(a.start, b.start) })
}

// meets reports whether two changes are not apart: what stands between them would have to be known
// to make both.
func (c change) meets(other change) bool { return c.start <= other.end && other.start <= c.end }
