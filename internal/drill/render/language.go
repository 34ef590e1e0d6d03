package render

import "github.com/probity-run/probity/internal/dashboard/markup"

type (
	item = markup.Item
	list = markup.List
	text = markup.Text
)

// e is an element, at an attribute.
func e(tag string, items ...item) item { return markup.E(tag, items...) }
func at(name, value string) item       { return markup.A(name, value) }

// when is an item under a condition.
func when(is bool, i item) item { return markup.If(is, i) }

// heads are the head of a table. Columns of numbers are on the right.
func heads(names ...string) item {
	var cells list
	for _, n := range names {
		tag := "th"
		if n == "Lost" || n == "Sent" || n == "Failed" {
			tag = "th.num"
		}
		cells = append(cells, e(tag, at("scope", "col"), text(n)))
	}
	return e("thead", e("tr", cells))
}
