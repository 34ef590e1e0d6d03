package credentials

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// parseYAML returns a document whose content is a mapping; an empty one if the text has nothing.
// The nodes are as they are written, so nothing is lost that is not understood. What a change of
// one place would change elsewhere, too, is refused: aliases.
func parseYAML(text []byte) (*yaml.Node, error) {
	if !utf8.Valid(text) {
		return nil, errors.New("it is not text in UTF-8")
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	document, more := new(yaml.Node), new(yaml.Node)
	err := decoder.Decode(document)
	switch {
	case errors.Is(err, io.EOF): // all of it is comments
		return &yaml.Node{Kind: yaml.DocumentNode, Content: []*yaml.Node{newMapping()}, HeadComment: strings.TrimSpace(string(text))}, nil
	case err != nil:
		return nil, err
	}
	switch err := decoder.Decode(more); {
	case err == nil:
		return nil, errors.New("it has more than one document, of which kubectl reads the first")
	case !errors.Is(err, io.EOF):
		return nil, err
	}
	if isNull(document.Content[0]) {
		document.Content[0] = newMapping()
	}
	if document.Content[0].Kind != yaml.MappingNode {
		return nil, errors.New("it is not a mapping, as a kubeconfig is")
	}
	return document, checkYAML(document)
}

// checkYAML refuses what could be read in two ways.
func checkYAML(n *yaml.Node) error {
	if n.Kind == yaml.AliasNode {
		return fmt.Errorf("line %d: it has an alias, *%s: write out what it stands for", n.Line, n.Value)
	}
	seen := map[string]bool{}
	for i, child := range n.Content {
		if isKey := n.Kind == yaml.MappingNode && i%2 == 0; isKey && child.Kind == yaml.ScalarNode {
			switch {
			case child.ShortTag() == "!!merge":
				return fmt.Errorf("line %d: it has a merge key, <<: write out what it stands for", child.Line)
			case seen[child.Value]:
				return fmt.Errorf("line %d: it has the field %q twice", child.Line, child.Value)
			}
			seen[child.Value] = true
		}
		if err := checkYAML(child); err != nil {
			return err
		}
	}
	return nil
}

// formatYAML writes a document, and makes sure that it says the same: somebody's way into other
// clusters may depend on it.
func formatYAML(document *yaml.Node) ([]byte, error) {
	var text bytes.Buffer
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	encoder.CompactSeqIndent()
	if err := errors.Join(encoder.Encode(document), encoder.Close()); err != nil {
		return nil, err
	}
	again, err := parseYAML(text.Bytes())
	if err != nil || !isSame(document, again) {
		return nil, errors.Join(errors.New("it has something that would not stay the same if it was written again"), err)
	}
	return text.Bytes(), nil
}

// isSame reports whether two nodes say the same.
func isSame(a, b *yaml.Node) bool {
	if a.Kind != b.Kind || a.ShortTag() != b.ShortTag() || a.Value != b.Value || len(a.Content) != len(b.Content) {
		return false
	}
	for i := range a.Content {
		if !isSame(a.Content[i], b.Content[i]) {
			return false
		}
	}
	return true
}

func newMapping() *yaml.Node { return &yaml.Node{Kind: yaml.MappingNode} }

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// indexOf is where the value of a field of a mapping is; -1 if it has none.
func indexOf(mapping *yaml.Node, name string) int {
	if mapping != nil && mapping.Kind == yaml.MappingNode {
		for i := 0; i < len(mapping.Content); i += 2 {
			if key := mapping.Content[i]; key.Kind == yaml.ScalarNode && key.Value == name {
				return i + 1
			}
		}
	}
	return -1
}

// field returns the value of a field of a mapping; nil if it has none, or null.
func field(mapping *yaml.Node, name string) *yaml.Node {
	if i := indexOf(mapping, name); i > 0 && !isNull(mapping.Content[i]) {
		return mapping.Content[i]
	}
	return nil
}

func setField(mapping *yaml.Node, name string, value *yaml.Node) {
	if i := indexOf(mapping, name); i > 0 {
		value.HeadComment, value.LineComment, value.FootComment = mapping.Content[i].HeadComment, mapping.Content[i].LineComment, mapping.Content[i].FootComment
		mapping.Content[i] = value
		return
	}
	if len(mapping.Content) == 0 {
		mapping.Style = 0 // not between braces
	}
	mapping.Content = append(mapping.Content, newText(name), value)
}

func newText(text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
}

func setText(mapping *yaml.Node, name, text string) { setField(mapping, name, newText(text)) }

func dropField(mapping *yaml.Node, name string) {
	if i := indexOf(mapping, name); i > 0 {
		mapping.Content = append(mapping.Content[:i-1], mapping.Content[i+1:]...)
	}
}
