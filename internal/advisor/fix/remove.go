package fix

import (
	"bytes"
	"errors"

	"go.yaml.in/yaml/v3"
)

// removeCollection removes a field that is an object or a list, with the comments in it.
func (s source) removeCollection(t target) (change, error) {
	key, value := t.entry[0], t.entry[1]
	if value.Anchor != "" {
		return change{}, errAlias
	}
	start := s.offset(key)
	inFlow := t.parent.Style&yaml.FlowStyle != 0
	if value.Style&yaml.FlowStyle != 0 {
		end, err := s.flowEnd(value)
		switch {
		case err != nil:
			return change{}, err
		case inFlow:
			return s.removeFromFlow(start, end), nil
		}
		return s.removeLines(key, s.lineEnd(end))
	}
	if inFlow || value.Line == key.Line {
		return change{}, errors.New("the field cannot be taken out alone: remove it by hand")
	}
	return s.removeLines(key, s.blockEnd(key))
}

// removeLines removes all from the line of a key to the end of another line.
func (s source) removeLines(key *yaml.Node, end int) (change, error) {
	indent, alone := s.indent(key)
	if !alone {
		return change{}, errors.New("the field shares its line with something else: remove it by hand")
	}
	return change{s.offset(key) - len(indent), min(end+1, len(s.text)), ""}, nil
}

// flowEnd is where an object in braces, or a list in brackets, ends.
func (s source) flowEnd(n *yaml.Node) (int, error) {
	depth := 0
	var quote byte
	for i := s.offset(n); i < len(s.text); i++ {
		switch c := s.text[i]; {
		case quote == '"' && c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			if depth--; depth == 0 {
				return i + 1, nil
			}
		}
	}
	return 0, errors.New("the value has no end: change it by hand")
}

// blockEnd is the end of the last line that belongs to the value of a key: one that is indented
// more, or an item of a list that is not.
func (s source) blockEnd(key *yaml.Node) int {
	margin := key.Column - 1
	last := s.lineEnd(s.offset(key))
	for _, begin := range s.lines[min(key.Line, len(s.lines)):] {
		line := s.text[begin:s.lineEnd(begin)]
		content := bytes.TrimLeft(line, " ")
		switch column := len(line) - len(content); {
		case len(bytes.TrimSpace(content)) == 0:
			continue
		case column > margin, column == margin && (bytes.HasPrefix(content, []byte("- ")) || string(bytes.TrimSpace(content)) == "-"):
			last = s.lineEnd(begin)
		default:
			return last
		}
	}
	return last
}
