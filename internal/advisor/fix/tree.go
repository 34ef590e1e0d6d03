package fix

import (
	"errors"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/probity-run/probity/internal/advisor"
)

// changeTree makes the edit in the nodes alone: what the text must say after the same edit.
func changeTree(root *yaml.Node, e advisor.Edit) error {
	t, err := locate(root, e.Path)
	if err != nil {
		return err
	}
	if e.Remove {
		i := slices.Index(t.parent.Content, t.entry[0])
		t.parent.Content = slices.Delete(t.parent.Content, i, i+2)
		return nil
	}
	value, err := parseValue(e.Value)
	if err != nil {
		return err
	}
	if t.entry != nil {
		*t.entry[1] = *value
		return nil
	}
	t.parent.Content = append(t.parent.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: t.name}, value)
	return nil
}

var errMeaning = errors.New("the text is written in a way that cannot be changed safely: change it by hand")

// sameMeaning reports whether two texts have the same values, whatever the order of fields, the
// style and the comments.
func sameMeaning(a, b []*yaml.Node) bool {
	return slices.EqualFunc(a, b, func(x, y *yaml.Node) bool { return canonical(x) == canonical(y) })
}

// canonical writes a value in one way only. An object without fields is as good as none.
func canonical(n *yaml.Node) string {
	var items []string
	anchor := ""
	if n.Anchor != "" {
		anchor = "&" + n.Anchor + " "
	}
	switch n.Kind {
	case yaml.AliasNode:
		return "*" + n.Value
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			items = append(items, canonical(n.Content[i])+": "+canonical(n.Content[i+1]))
		}
		if len(items) == 0 {
			return anchor + "null"
		}
		slices.Sort(items)
		return anchor + "{" + strings.Join(items, ", ") + "}"
	case yaml.SequenceNode:
		for _, item := range n.Content {
			items = append(items, canonical(item))
		}
		return anchor + "[" + strings.Join(items, ", ") + "]"
	}
	if n.ShortTag() == "!!null" {
		return anchor + "null"
	}
	return anchor + n.ShortTag() + " " + quoted(n.Value)
}
