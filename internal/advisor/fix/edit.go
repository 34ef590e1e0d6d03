package fix

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/probity-run/probity/internal/advisor"
)

// change replaces a piece of the text. start and end are offsets in bytes.
type change struct {
	start, end int
	text       string
}

// overlaps reports whether two changes cannot both be made. Two insertions at one place can.
func (c change) overlaps(other change) bool {
	if c.start == c.end || other.start == other.end {
		return c.start < other.end && other.start < c.end
	}
	return max(c.start, other.start) < min(c.end, other.end)
}

// source is a text and where its lines begin.
type source struct {
	text  []byte
	lines []int
}

func newSource(text []byte) source {
	s := source{text: text, lines: []int{0}}
	for i, c := range text {
		if c == '\n' {
			s.lines = append(s.lines, i+1)
		}
	}
	return s
}

// offset is where a node begins. Columns count characters.
func (s source) offset(n *yaml.Node) int {
	at := s.lines[min(n.Line, len(s.lines))-1]
	for range n.Column - 1 {
		_, size := utf8.DecodeRune(s.text[at:])
		at += size
	}
	return at
}

// lineEnd is the offset of the line break after an offset, or of the end of the text.
func (s source) lineEnd(at int) int {
	if i := bytes.IndexByte(s.text[at:], '\n'); i >= 0 {
		return at + i
	}
	return len(s.text)
}

var errAlias = errors.New("the value is shared by an anchor: change it by hand")

// edit makes one change in an object.
func (s source) edit(root *yaml.Node, e advisor.Edit) (change, error) {
	path := steps(e.Path)
	parent := root
	for _, step := range path[:len(path)-1] {
		next, err := child(parent, step)
		if err != nil {
			return change{}, err
		}
		parent = next
	}
	if parent.Kind != yaml.MappingNode {
		return change{}, errors.New("what should have the field is not an object")
	}
	name := strings.Trim(path[len(path)-1], "[]")
	entry := field(parent, name)
	switch {
	case e.Remove && entry == nil:
		return change{}, errors.New("there is no such field any more")
	case e.Remove:
		return s.remove(parent, entry)
	case entry != nil:
		return s.set(entry[1], e.Value)
	}
	return s.insert(parent, name+": "+e.Value)
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

// set replaces a plain or quoted value.
func (s source) set(value *yaml.Node, text string) (change, error) {
	if value.Kind != yaml.ScalarNode || value.Anchor != "" || value.Style&(yaml.LiteralStyle|yaml.FoldedStyle|yaml.TaggedStyle) != 0 {
		return change{}, errors.New("the value is not a plain one: change it by hand")
	}
	start := s.offset(value)
	end, err := s.scalarEnd(value, start)
	return change{start, end, text}, err
}

// scalarEnd is where a scalar on one line ends. The text up to there must be what the parser read.
func (s source) scalarEnd(value *yaml.Node, start int) (int, error) {
	if value.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
		quote := s.text[start]
		i := bytes.IndexByte(s.text[start+1:s.lineEnd(start)], quote)
		if i < 0 || string(s.text[start+1:start+1+i]) != value.Value {
			return 0, errors.New("the value is quoted in a complicated way: change it by hand")
		}
		return start + i + 2, nil
	}
	if !bytes.HasPrefix(s.text[start:], []byte(value.Value)) {
		return 0, errors.New("the value goes over several lines: change it by hand")
	}
	return start + len(value.Value), nil
}

// insert adds a field to a mapping, at its beginning.
func (s source) insert(parent *yaml.Node, text string) (change, error) {
	if parent.Style&yaml.FlowStyle != 0 {
		at := s.offset(parent) + 1
		if len(parent.Content) > 0 {
			text += ", "
		}
		return change{at, at, text}, nil
	}
	for i := 0; i+1 < len(parent.Content); i += 2 {
		key := parent.Content[i]
		at := s.offset(key)
		start := s.lines[key.Line-1]
		if indent := s.text[start:at]; len(bytes.TrimLeft(indent, " ")) == 0 && key.Value != "<<" {
			return change{start, start, string(indent) + text + s.lineBreak(start)}, nil
		}
	}
	// The first field stands behind a "-" and is the only one.
	if len(parent.Content) > 0 {
		key := parent.Content[0]
		if at := s.offset(key); at-s.lines[key.Line-1] == key.Column-1 {
			return change{at, at, text + s.lineBreak(at) + strings.Repeat(" ", key.Column-1)}, nil
		}
	}
	return change{}, errors.New("there is no line to add it to: add it by hand")
}

func (s source) lineBreak(at int) string {
	if end := s.lineEnd(at); end > 0 && end < len(s.text) && s.text[end-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}

// remove removes a field from a mapping.
func (s source) remove(parent *yaml.Node, entry []*yaml.Node) (change, error) {
	key, value := entry[0], entry[1]
	if value.Kind != yaml.ScalarNode || value.Anchor != "" || value.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		return change{}, errors.New("the field cannot be taken out alone: remove it by hand")
	}
	start := s.offset(key)
	end, err := s.scalarEnd(value, s.offset(value))
	if err != nil {
		return change{}, err
	}
	if parent.Style&yaml.FlowStyle != 0 {
		return s.removeFromFlow(start, end), nil
	}
	line := s.lines[key.Line-1]
	if len(bytes.TrimLeft(s.text[line:start], " ")) > 0 || value.Line != key.Line {
		return change{}, errors.New("the field shares its line with something else: remove it by hand")
	}
	return change{line, min(s.lineEnd(end)+1, len(s.text)), ""}, nil
}

// removeFromFlow removes a field with the comma before it, or for the first field the one after it.
// Without its only field the mapping is {}.
func (s source) removeFromFlow(start, end int) change {
	before := bytes.TrimRight(s.text[:start], " ")
	if bytes.HasSuffix(before, []byte(",")) {
		return change{len(before) - 1, end, ""}
	}
	rest := s.text[end:s.lineEnd(end)]
	if after, ok := bytes.CutPrefix(bytes.TrimLeft(rest, " "), []byte(",")); ok {
		return change{start, s.lineEnd(end) - len(bytes.TrimLeft(after, " ")), ""}
	}
	return change{start, end, ""} // it is the only one
}
