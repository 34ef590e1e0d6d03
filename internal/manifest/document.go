package manifest

import (
	"errors"

	"go.yaml.in/yaml/v3"
)

// A Document is one document of a file as text, for who edits it.
type Document struct {
	Text []byte
	// Line is how many lines of the file come before it.
	Line int
}

// Documents cuts a text into its documents. Their texts, put together, are the text again. A byte
// order mark is no part of a document: cut it off before.
func Documents(text []byte) []Document {
	var list []Document
	for _, c := range split(text) {
		list = append(list, Document{c.text, c.line})
	}
	return list
}

// Nodes parses the document as DecodeLenient does: usually into one object, into several for a
// stream of JSON. Lines and columns count from the document's beginning, columns in characters.
// isJSON reports whether all of it is JSON.
func (d Document) Nodes() (nodes []*yaml.Node, isJSON bool, err error) {
	if nodes, ok := parseJSON(d.Text); ok {
		return nodes, true, nil
	}
	nodes, _, problem := parseText(d.Text)
	if problem != "" {
		return nil, false, errors.New("not valid YAML: " + problem)
	}
	return nodes, false, nil
}
