package fix

import (
	"bytes"
	"encoding/json"
	"strings"

	"go.yaml.in/yaml/v3"
)

// layout is how a value is written, so that it looks like what stands around it.
type layout struct {
	// isJSON has all strings and names quoted; quotedNames only the names.
	isJSON, quotedNames bool
	// colon and comma end with a space or, in compact JSON, do not.
	colon, comma string
	// step is one level of indentation; lineBreak ends a line.
	step, lineBreak string
}

// flow writes a value on one line.
func (l layout) flow(n *yaml.Node) string {
	var items []string
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			items = append(items, l.name(n.Content[i].Value)+l.colon+l.flow(n.Content[i+1]))
		}
		return "{" + strings.Join(items, l.comma) + "}"
	case yaml.SequenceNode:
		for _, item := range n.Content {
			items = append(items, l.flow(item))
		}
		return "[" + strings.Join(items, l.comma) + "]"
	}
	return l.scalar(n)
}

// pretty writes a value in braces with one field a line; indent is that of the line it begins in.
func (l layout) pretty(n *yaml.Node, indent string) string {
	if n.Kind != yaml.MappingNode || len(n.Content) == 0 {
		return l.flow(n)
	}
	inner := indent + l.step
	var items []string
	for i := 0; i+1 < len(n.Content); i += 2 {
		items = append(items, inner+l.name(n.Content[i].Value)+l.colon+l.pretty(n.Content[i+1], inner))
	}
	return "{" + l.lineBreak + strings.Join(items, ","+l.lineBreak) + l.lineBreak + indent + "}"
}

// block writes what follows a field's name and colon in block style; indent is that of the name.
func (l layout) block(n *yaml.Node, indent string) string {
	switch {
	case n.Kind == yaml.MappingNode && len(n.Content) > 0:
		var b strings.Builder
		for i := 0; i+1 < len(n.Content); i += 2 {
			b.WriteString(l.lineBreak + indent + l.step + n.Content[i].Value + ":" + l.block(n.Content[i+1], indent+l.step))
		}
		return b.String()
	case n.Kind == yaml.SequenceNode && hasLines(n):
		var b strings.Builder
		for _, item := range n.Content {
			b.WriteString(l.lineBreak + indent + "-" + l.block(item, indent))
		}
		return b.String()
	case n.Kind == yaml.ScalarNode && isLiteral(n.Value):
		return l.literal(n.Value, indent+l.step)
	}
	return " " + l.flow(n)
}

// literal writes a text of several lines as a block scalar.
func (l layout) literal(text, indent string) string {
	head := " |"
	switch {
	case !strings.HasSuffix(text, "\n"):
		head = " |-"
	case strings.HasSuffix(text, "\n\n"):
		head = " |+"
	}
	var b strings.Builder
	b.WriteString(head)
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		b.WriteString(l.lineBreak)
		if line != "" {
			b.WriteString(indent + line)
		}
	}
	return b.String()
}

// isLiteral reports whether a text can be a block scalar without more ado.
func isLiteral(text string) bool {
	return strings.Contains(strings.TrimSuffix(text, "\n"), "\n") && !strings.ContainsAny(text[:1], " \t\n") && !strings.Contains(text, "\r")
}

func hasLines(n *yaml.Node) bool {
	for _, item := range n.Content {
		if item.Kind == yaml.ScalarNode && isLiteral(item.Value) {
			return true
		}
	}
	return false
}

func (l layout) name(name string) string {
	if l.isJSON || l.quotedNames {
		return quoted(name)
	}
	return name
}

// scalar writes numbers and words as they are, and strings in quotes where they had them.
func (l layout) scalar(n *yaml.Node) string {
	if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 || l.isJSON && n.ShortTag() == "!!str" {
		return quoted(n.Value)
	}
	return n.Value
}

// quoted is a double-quoted scalar: JSON is YAML.
func quoted(text string) string {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(text); err != nil {
		return `""` // a string always has a JSON form
	}
	return strings.TrimSuffix(b.String(), "\n")
}
