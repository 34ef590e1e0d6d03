package manifest

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"sort"
	"strconv"

	"go.yaml.in/yaml/v3"

	"github.com/probity-run/probity/internal/printable"
)

var yamlError = regexp.MustCompile(`(?s)^(?:yaml: )?(?:line (\d+): )?(.*)$`)

// searchable is how many bytes of a file may be parsed some 15 times more to find the lines of
// syntax errors.
const searchable = 256 << 10

const templateHint = " (this looks like a template: render it first, for example with helm template)"

// maxProblem is longer than what the parser says, unless it quotes the text.
const maxProblem = 100

// syntaxError is an error of the parser; line and column count within the chunk.
type syntaxError struct {
	line, column int
	message      string
}

// parse returns the documents of a chunk: usually one, none for comments only, more after the end
// marker "...". Without search the line of an error is the parser's, which may not be the right
// one.
func parse(c chunk, search bool) ([]*yaml.Node, *syntaxError) {
	if docs, ok := parseJSON(c.text); ok {
		return docs, nil
	}
	docs, line, problem := parseText(c.text)
	if problem == "" {
		return docs, nil
	}
	lines := bytes.SplitAfter(c.text, []byte("\n"))
	if search {
		line = firstBadLine(c.text, lines, problem)
	}
	line = min(max(line, 1), len(lines))
	text := lines[line-1]
	return docs, &syntaxError{line: line, column: 1 + len(text) - len(bytes.TrimLeft(text, " \t")),
		message: "not valid YAML: " + printable.CutMiddle(problem, maxProblem) + syntaxHint(c.text, text)}
}

// parseText returns the parser's error apart from the line that is in it.
func parseText(text []byte) (docs []*yaml.Node, line int, problem string) {
	dec := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var doc yaml.Node
		err := dec.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return docs, 0, ""
		}
		if err != nil {
			found := yamlError.FindStringSubmatch(err.Error())
			line, _ = strconv.Atoi(found[1]) // none is 0
			return docs, line, found[2]
		}
		if len(doc.Content) == 1 && !isNull(doc.Content[0]) {
			docs = append(docs, doc.Content[0])
		}
	}
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// firstBadLine finds the line that makes the difference: the text up to it fails in the same way,
// the text before it does not. For a bracket or quote that is never closed it is the line that
// opens it.
func firstBadLine(text []byte, lines [][]byte, problem string) int {
	ends := make([]int, len(lines))
	end := 0
	for i, line := range lines {
		end += len(line)
		ends[i] = end
	}
	i := sort.Search(len(lines)-1, func(i int) bool {
		_, _, p := parseText(text[:ends[i]])
		return p == problem
	})
	return i + 1
}

// TemplateHint says what to do about a text that cannot be read because a template engine is still
// to go over it, with a blank before; empty for other texts.
func TemplateHint(text []byte) string {
	if hasTemplate(text) {
		return templateHint
	}
	return ""
}

func syntaxHint(text, line []byte) string {
	if hint := TemplateHint(text); hint != "" {
		return hint
	}
	if indent := line[:len(line)-len(bytes.TrimLeft(line, " \t"))]; bytes.IndexByte(indent, '\t') >= 0 {
		return " (indent with spaces, YAML allows no tabs there)"
	}
	return ""
}
