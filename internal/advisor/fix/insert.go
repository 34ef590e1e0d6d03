package fix

import (
	"bytes"
	"errors"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// insert adds a field to a mapping: a probe before the first probe, all else at the beginning.
func (s source) insert(t target, value *yaml.Node) (change, error) {
	if t.parent.Style&yaml.FlowStyle != 0 {
		return s.insertInFlow(t, value), nil
	}
	before := neighbour(t, func(key *yaml.Node) bool {
		_, alone := s.indent(key)
		return alone && key.Value != "<<"
	})
	if before >= 0 {
		key := t.parent.Content[before]
		indent, _ := s.indent(key)
		at := s.aboveComments(key)
		return change{at, at, indent + t.name + ":" + s.inBlock(t, value, indent) + s.lineBreak(at)}, nil
	}
	// The first field stands behind a "-" and is the only one.
	if len(t.parent.Content) > 0 {
		key := t.parent.Content[0]
		indent := strings.Repeat(" ", key.Column-1)
		if at := s.offset(key); at-s.lineStart(key) == key.Column-1 {
			return change{at, at, t.name + ":" + s.inBlock(t, value, indent) + s.lineBreak(at) + indent}, nil
		}
	}
	return change{}, errors.New("there is no line to add it to: add it by hand")
}

// inBlock writes what follows the name in a block mapping: an object in block style if other
// objects there are.
func (s source) inBlock(t target, value *yaml.Node, indent string) string {
	l := layout{colon: ": ", comma: ", ", step: "  ", lineBreak: s.lineBreak(s.offset(t.parent))}
	if value.Kind != yaml.MappingNode {
		return l.block(value, indent)
	}
	flow := false
	for i := 0; i+1 < len(t.parent.Content); i += 2 {
		if sibling := t.parent.Content[i+1]; sibling.Kind == yaml.MappingNode {
			flow = sibling.Style&yaml.FlowStyle != 0
			if !flow {
				l.step = strings.Repeat(" ", max(sibling.Column-t.parent.Content[i].Column, 1))
				break
			}
		}
	}
	if flow {
		return " " + l.flow(value)
	}
	return l.block(value, indent)
}

// insertInFlow adds a field to a mapping in braces, on a line of its own if the others have one.
func (s source) insertInFlow(t target, value *yaml.Node) change {
	l := s.layoutOf(t.parent)
	if len(t.parent.Content) == 0 {
		at := s.offset(t.parent) + 1
		return change{at, at, l.name(t.name) + l.colon + l.flow(value)}
	}
	key := t.parent.Content[max(neighbour(t, func(*yaml.Node) bool { return true }), 0)]
	indent, alone := s.indent(key)
	if !alone {
		at := s.offset(key)
		return change{at, at, l.name(t.name) + l.colon + l.flow(value) + l.comma}
	}
	at := s.aboveComments(key)
	l.lineBreak = s.lineBreak(at)
	return change{at, at, indent + l.name(t.name) + l.colon + l.pretty(value, indent) + "," + l.lineBreak}
}

// layoutOf is how a mapping in braces is written.
func (s source) layoutOf(n *yaml.Node) layout {
	l := layout{isJSON: s.isJSON, colon: ": ", comma: ", ", step: "  "}
	if len(n.Content) == 0 {
		if s.isJSON && !bytes.Contains(s.text, []byte(`": `)) {
			l.colon, l.comma = ":", ","
		}
		return l
	}
	key, value := n.Content[0], n.Content[1]
	l.quotedNames = key.Style&yaml.DoubleQuotedStyle != 0
	if end, err := s.scalarEnd(key); err == nil && s.isJSON && s.offset(value) == end+1 {
		l.colon, l.comma = ":", ","
	}
	if indent, alone := s.indent(key); alone { // the line with the brace has one step less
		outer := s.text[s.lineStart(n):s.offset(n)]
		outer = outer[:len(outer)-len(bytes.TrimLeft(outer, " \t"))]
		if step, ok := strings.CutPrefix(indent, string(outer)); ok && step != "" {
			l.step = step
		}
	}
	return l
}

// neighbour is the index of the key before which the field goes, or -1.
func neighbour(t target, fits func(key *yaml.Node) bool) int {
	first := -1
	for i := 0; i+1 < len(t.parent.Content); i += 2 {
		switch key := t.parent.Content[i]; {
		case !fits(key):
		case isProbe(t.name) && isProbe(key.Value):
			return i
		case first < 0:
			first = i
		}
	}
	return first
}

func isProbe(name string) bool {
	return slices.Contains([]string{"startupProbe", "readinessProbe", "livenessProbe"}, name)
}
