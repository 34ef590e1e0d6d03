package manifest

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// chunk is one document of a file as text.
type chunk struct {
	text []byte
	line int // how many lines of the file come before it
}

// split cuts a text where a line starts with "---". Documents are parsed one by one so that a
// syntax error in one does not hide those in the others, and memory is bounded by the largest. No
// YAML value can contain such a line.
func split(data []byte) []chunk {
	var chunks []chunk
	start, startLine, line, content := 0, 0, 0, false
	for at := 0; at < len(data); line++ {
		text, _, _ := bytes.Cut(data[at:], []byte("\n"))
		// A directive (%YAML) or a comment belongs to the document that the next marker opens.
		if isMarker(text) && content {
			chunks = append(chunks, chunk{data[start:at], startLine})
			start, startLine = at, line
		}
		content = content || !isPreamble(text)
		at += len(text) + 1
	}
	return append(chunks, chunk{data[start:], startLine})
}

// isEmpty reports whether there are only comments and markers. Helm makes many of those.
func (c chunk) isEmpty() bool {
	for line := range bytes.Lines(c.text) {
		if line = bytes.TrimSpace(line); !isPreamble(line) && string(line) != "---" {
			return false
		}
	}
	return !bytes.ContainsRune(c.text, '%') // whether a directive is right, the parser finds
}

func isMarker(line []byte) bool {
	rest, ok := bytes.CutPrefix(line, []byte("---"))
	return ok && (len(rest) == 0 || bytes.IndexByte([]byte(" \t\r"), rest[0]) >= 0)
}

func isPreamble(line []byte) bool {
	line = bytes.TrimSpace(line)
	return len(line) == 0 || line[0] == '#' || line[0] == '%'
}

// checkText finds the first character that YAML does not allow. The parser would refuse it too, but
// without a place.
func checkText(data []byte) (line, column int, problem string) {
	line, column = 1, 1
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			return line, column, fmt.Sprintf("byte 0x%02x is not UTF-8: save the file as UTF-8", data[i])
		case r == 0:
			return line, column, "NUL character: this is not a text file in UTF-8"
		case r == '\n':
			line, column = line+1, 0
		case isForbidden(r):
			return line, column, fmt.Sprintf("character %U is not allowed in YAML or JSON", r)
		}
		i, column = i+size, column+1
	}
	return 0, 0, ""
}

// isForbidden reports whether a character is outside of YAML's printable set (YAML 1.2, 5.1), or a
// byte order mark that is not the first character.
func isForbidden(r rune) bool {
	switch {
	case r == '\t', r == '\r', r == 0x85:
		return false
	case r < ' ', r >= 0x7f && r < 0xa0, r == 0xfeff, r == 0xfffe, r == 0xffff:
		return true
	}
	return false
}
