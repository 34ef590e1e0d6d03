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

// Picture is a timeline as a part of a page; label says in one sentence what is to be seen, and a
// table below has all of it as text.
func Picture(p *timeline.Picture, width int, label string) Item {
	return E("div.scroll", A("tabindex", "0"), A("role", "region"), A("aria-label", "Timeline"), Drawing(timeline.Draw(p, timeline.Page(width).For(p)), label))
}

// PictureRows is a timeline as a table, which is closed at first.
func PictureRows(p *timeline.Picture) Item {
	const most = 200
	all := p.Rows()
	var rows List
	for _, r := range all[:min(len(all), most)] {
		what := r.What
		if r.Group != "" {
			what = r.Group + " " + what
		}
		rows = append(rows, E("tr", E("td.nowrap", Text(r.Time)), E("td", Text(what))))
	}
	return E("details.small", E("summary", Text("As text")),
		E("table.plain", E("thead", E("tr", E("th", A("scope", "col"), Text("Time")), E("th", A("scope", "col"), Text("What happens")))), E("tbody", rows)),
		If(len(all) > most, E("p.muted", Text("and "+strconv.Itoa(len(all)-most)+" more"))))
}
