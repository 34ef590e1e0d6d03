package fix

import (
	"bytes"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// change replaces a piece of the text. start and end are offsets in bytes.
type change struct {
	start, end int
	text       string
}

// source is the text of a document, where its lines begin, and whether it is JSON.
type source struct {
	text   []byte
	lines  []int
	isJSON bool
}

func newSource(text []byte, isJSON bool) source {
	s := source{text: text, lines: []int{0}, isJSON: isJSON}
	for i, c := range text {
		if c == '\n' {
			s.lines = append(s.lines, i+1)
		}
	}
	return s
}

// apply makes the change.
func (s source) apply(c change) []byte {
	return bytes.Join([][]byte{s.text[:c.start], []byte(c.text), s.text[c.end:]}, nil)
}

// applyAll makes all changes.
func (s source) applyAll(all changes) []byte {
	var text []byte
	from := 0
	for _, c := range all {
		text = append(append(text, s.text[from:c.start]...), c.text...)
		from = c.end
	}
	return append(text, s.text[from:]...)
}

// lineStart is the offset where the node's line begins.
func (s source) lineStart(n *yaml.Node) int { return s.lines[min(n.Line, len(s.lines))-1] }

// offset is where a node begins. Columns count characters.
func (s source) offset(n *yaml.Node) int {
	at := s.lineStart(n)
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

// lineBreak is the line break that the text has after an offset.
func (s source) lineBreak(at int) string {
	if end := s.lineEnd(at); end > 0 && end < len(s.text) && s.text[end-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}

// indent is what stands before the node in its line, and whether that is only space.
func (s source) indent(n *yaml.Node) (string, bool) {
	text := s.text[s.lineStart(n):s.offset(n)]
	return string(text), len(bytes.TrimLeft(text, " \t")) == 0
}

// aboveComments is the offset of the line where the comments directly above the node's line begin,
// or of the node's own line. The comments belong to the node.
func (s source) aboveComments(n *yaml.Node) int {
	line := min(n.Line, len(s.lines)) - 1
	for line > 0 {
		text := bytes.TrimSpace(s.text[s.lines[line-1]:s.lines[line]])
		if !bytes.HasPrefix(text, []byte("#")) {
			break
		}
		line--
	}
	return s.lines[line]
}

// afterSpace is the offset of the first character that is no white space, from an offset on.
func (s source) afterSpace(at int) int {
	return len(s.text) - len(bytes.TrimLeft(s.text[at:], " \t\r\n"))
}
