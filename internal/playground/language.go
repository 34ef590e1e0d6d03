package playground

import "github.com/probity-run/probity/internal/dashboard/markup"

// The words in which pages are written: those of markup, shorter.
type (
	item = markup.Item
	text = markup.Text
	list = markup.List
)

// e is an element, at an attribute.
func e(tag string, items ...item) item { return markup.E(tag, items...) }
func at(name, value string) item       { return markup.A(name, value) }

// when is an item under a condition.
func when(is bool, i item) item { return markup.If(is, i) }
