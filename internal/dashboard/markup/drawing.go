package markup

import (
	"strconv"

	"github.com/probity-run/probity/internal/timeline"
)

// Drawing is a timeline as an element; label says in one sentence what is to be seen.
func Drawing(d timeline.Drawing, label string) Item {
	var elements List
	for _, el := range d.Elements {
		attributes := List{}
		for i := 0; i+1 < len(el.Attributes); i += 2 {
			attributes = append(attributes, A(el.Attributes[i], el.Attributes[i+1]))
		}
		elements = append(elements, E(el.Tag, Class(el.Class), attributes, If(el.Title != "", E("title", Text(el.Title))), If(el.Text != "", Text(el.Text))))
	}
	width, height := strconv.Itoa(int(d.Width)), strconv.Itoa(int(d.Bottom)+8)
	return E("svg.timeline", A("width", width), A("height", height), A("viewBox", "0 0 "+width+" "+height), A("role", "img"), A("aria-label", label), elements)
}
