package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// maxJSONDepth is what the parser of YAML allows too.
const maxJSONDepth = 10_000

// parseJSON reads a stream of JSON objects, as kubectl does when a file begins with a brace. Most
// of it is YAML as well, but not all: the escapes \/ and \ud83d\ude00, keys beyond 1,024
// characters, one object after the other. It returns false for everything that is not JSON
// throughout.
func parseJSON(text []byte) (docs []*yaml.Node, ok bool) {
	if !bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte("{")) {
		return nil, false
	}
	r := jsonReader{dec: json.NewDecoder(bytes.NewReader(text)), text: text, line: 1, column: 1}
	r.dec.UseNumber()
	for {
		doc, err := r.value(0)
		if errors.Is(err, io.EOF) {
			return docs, true
		}
		if err != nil {
			return nil, false
		}
		if !isNull(doc) {
			docs = append(docs, doc)
		}
	}
}

// jsonReader makes nodes of tokens. It knows where it is by line and column, counted in characters
// from 1, as nodes do.
type jsonReader struct {
	dec          *json.Decoder
	text         []byte
	offset       int
	line, column int
}

var errDeep = errors.New("it is nested too deeply")

// value reads the next value.
func (r *jsonReader) value(depth int) (*yaml.Node, error) {
	if depth > maxJSONDepth {
		return nil, errDeep
	}
	r.advance()
	node := &yaml.Node{Kind: yaml.ScalarNode, Line: r.line, Column: r.column}
	token, err := r.dec.Token()
	if err != nil {
		return nil, err
	}
	switch t := token.(type) {
	case string:
		node.Tag, node.Style, node.Value = "!!str", yaml.DoubleQuotedStyle, t
	case json.Number:
		node.Tag, node.Value = numberTag(t.String()), t.String()
	case bool:
		node.Tag, node.Value = "!!bool", strconv.FormatBool(t)
	case nil:
		node.Tag, node.Value = "!!null", "null"
	case json.Delim:
		node.Kind, node.Tag, node.Style = yaml.MappingNode, "!!map", yaml.FlowStyle
		if t == '[' {
			node.Kind, node.Tag = yaml.SequenceNode, "!!seq"
		}
		return node, r.content(node, depth)
	}
	return node, nil
}

// content reads what is in an object or a list, and its end.
func (r *jsonReader) content(node *yaml.Node, depth int) error {
	for r.dec.More() {
		child, err := r.value(depth + 1)
		if err != nil {
			return unexpected(err)
		}
		node.Content = append(node.Content, child)
	}
	_, err := r.dec.Token()
	return unexpected(err)
}

// unexpected is the error for a text that ends inside of a value, which the end of the stream is
// not.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// advance goes to where the next token begins.
func (r *jsonReader) advance() {
	end := int(r.dec.InputOffset())
	for end < len(r.text) && strings.IndexByte(" \t\r\n,:", r.text[end]) >= 0 {
		end++
	}
	for r.offset < end {
		c, size := utf8.DecodeRune(r.text[r.offset:])
		r.offset += size
		r.column++
		if c == '\n' {
			r.line, r.column = r.line+1, 1
		}
	}
}

// numberTag is the type that YAML gives to a JSON number.
func numberTag(number string) string {
	if _, err := strconv.ParseInt(number, 10, 64); err == nil {
		return "!!int"
	}
	if _, err := strconv.ParseUint(number, 10, 64); err == nil {
		return "!!int"
	}
	return "!!float"
}
