package fix

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/printable"
)

var errAlias = errors.New("the value is shared by an anchor: change it by hand")

// target is what an edit is about: a field of an object. entry is nil if the object has no such
// field.
type target struct {
	parent *yaml.Node
	name   string
	entry  []*yaml.Node // the key and the value
}

// locate finds the target of a path.
func locate(root *yaml.Node, path string) (target, error) {
	list := steps(path)
	parent := root
	for _, step := range list[:len(list)-1] {
		next, err := child(parent, step)
		if err != nil {
			return target{}, err
		}
		parent = next
	}
	if parent.Kind != yaml.MappingNode {
		return target{}, errors.New("what should have the field is not an object")
	}
	name := strings.Trim(list[len(list)-1], "[]")
	return target{parent, name, field(parent, name)}, nil
}

// edit makes one change in an object.
func (s source) edit(root *yaml.Node, e advisor.Edit) (change, error) {
	t, err := locate(root, e.Path)
	switch {
	case err != nil:
		return change{}, err
	case e.Remove && t.entry == nil:
		return change{}, errors.New("there is no such field any more")
	case e.Remove:
		return s.remove(t)
	}
	value, err := parseValue(e.Value)
	switch {
	case err != nil:
		return change{}, err
	case t.entry != nil:
		return s.set(t.entry[1], value)
	}
	return s.insert(t, value)
}

// parseValue reads the value of an edit.
func parseValue(text string) (*yaml.Node, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil || len(doc.Content) != 1 {
		return nil, fmt.Errorf("the new value %s is not YAML: %v", printable.Quote(text), err)
	}
	return doc.Content[0], nil
}

func child(n *yaml.Node, step string) (*yaml.Node, error) {
	index, isIndex := strings.CutPrefix(step, "[")
	var next *yaml.Node
	if i, err := strconv.Atoi(strings.TrimSuffix(index, "]")); isIndex && err == nil && n.Kind == yaml.SequenceNode && i < len(n.Content) {
		next = n.Content[i]
	} else if entry := field(n, strings.Trim(step, "[]")); n.Kind == yaml.MappingNode && entry != nil {
		next = entry[1]
	}
	switch {
	case next == nil:
		return nil, fmt.Errorf("there is no %s", step)
	case next.Kind == yaml.AliasNode, next.Anchor != "":
		return nil, errAlias
	}
	return next, nil
}

// field returns the key and the value of a mapping's field, or nothing. Of a name that is there
// twice the last one counts.
func field(n *yaml.Node, name string) []*yaml.Node {
	for i := len(n.Content) - 2; i >= 0; i -= 2 {
		if n.Content[i].Value == name && n.Content[i].Kind == yaml.ScalarNode {
			return n.Content[i : i+2]
		}
	}
	return nil
}

// set replaces a plain or quoted value.
func (s source) set(old, value *yaml.Node) (change, error) {
	if old.Kind != yaml.ScalarNode || old.Anchor != "" || old.Style&(yaml.LiteralStyle|yaml.FoldedStyle|yaml.TaggedStyle) != 0 {
		return change{}, errors.New("the value is not a plain one: change it by hand")
	}
	start := s.offset(old)
	end, err := s.scalarEnd(old)
	return change{start, end, layout{isJSON: s.isJSON}.scalar(value)}, err
}

// scalarEnd is where a plain or quoted scalar ends.
func (s source) scalarEnd(n *yaml.Node) (int, error) {
	start := s.offset(n)
	if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) == 0 {
		if !bytes.HasPrefix(s.text[start:], []byte(n.Value)) {
			return 0, errors.New("the value goes over several lines: change it by hand")
		}
		return start + len(n.Value), nil
	}
	for i := start + 1; i < len(s.text); i++ {
		switch {
		case s.text[start] == '"' && s.text[i] == '\\':
			i++
		case s.text[i] == s.text[start]:
			if s.text[start] == '\'' && i+1 < len(s.text) && s.text[i+1] == '\'' {
				i++
				continue
			}
			return i + 1, nil
		}
	}
	return 0, errors.New("the value is quoted in a complicated way: change it by hand")
}

// remove removes a field from a mapping. A comment behind it stays.
func (s source) remove(t target) (change, error) {
	key, value := t.entry[0], t.entry[1]
	if value.Kind == yaml.MappingNode || value.Kind == yaml.SequenceNode {
		return s.removeCollection(t)
	}
	if value.Kind != yaml.ScalarNode || value.Anchor != "" || value.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		return change{}, errors.New("the field cannot be taken out alone: remove it by hand")
	}
	start := s.offset(key)
	end, err := s.scalarEnd(value)
	if err != nil {
		return change{}, err
	}
	if t.parent.Style&yaml.FlowStyle != 0 {
		return s.removeFromFlow(start, end), nil
	}
	indent, alone := s.indent(key)
	if !alone || value.Line != key.Line {
		return change{}, errors.New("the field shares its line with something else: remove it by hand")
	}
	if rest := s.text[end:s.lineEnd(end)]; bytes.Contains(rest, []byte("#")) {
		return change{start - len(indent), s.lineEnd(end) - len(bytes.TrimLeft(rest, " \t")), indent}, nil
	}
	return change{start - len(indent), min(s.lineEnd(end)+1, len(s.text)), ""}, nil
}

// removeFromFlow removes a field with the comma before it if it is the last one, else with the one
// after it and the space up to the next field. Comments between them stay.
func (s source) removeFromFlow(start, end int) change {
	if next := s.afterSpace(end); next < len(s.text) && s.text[next] == ',' {
		if after := s.afterSpace(next + 1); after < len(s.text) && s.text[after] != '#' && s.text[after] != '}' {
			return change{start, after, ""}
		}
		return change{start, next + 1, ""}
	}
	before := bytes.TrimRight(s.text[:start], " \t\r\n")
	if bytes.HasSuffix(before, []byte(",")) && !s.inComment(len(before)-1) {
		return change{len(before) - 1, end, ""}
	}
	return change{start, end, ""} // it is the only one, or a comment stands before it
}

// inComment reports whether an offset may be in a comment.
func (s source) inComment(at int) bool {
	line := bytes.LastIndexByte(s.text[:at], '\n') + 1
	return !s.isJSON && bytes.Contains(s.text[line:at], []byte("#"))
}
