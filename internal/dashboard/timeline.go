package dashboard

import (
	"strconv"
	"time"

	"github.com/probity-run/probity/internal/dashboard/markup"
	"github.com/probity-run/probity/internal/timeline"
)

// picture is a timeline as a part of a page; label says in one sentence what is to be seen, and a
// table below has all of it as text.
func picture(p *timeline.Picture, width int, label string) item {
	return e("div.scroll", at("tabindex", "0"), at("role", "region"), at("aria-label", "Timeline"), markup.Drawing(timeline.Draw(p, timeline.Page(width).For(p)), label))
}

// pictureRows is a timeline as a table, which is closed at first.
func pictureRows(p *timeline.Picture) item {
	const most = 200
	all := p.Rows()
	var rows list
	for _, r := range all[:min(len(all), most)] {
		what := r.What
		if r.Group != "" {
			what = r.Group + " " + what
		}
		rows = append(rows, e("tr", e("td.nowrap", text(r.Time)), e("td", text(what))))
	}
	return e("details.small", e("summary", text("As text")),
		e("table.plain", e("thead", e("tr", e("th", at("scope", "col"), text("Time")), e("th", at("scope", "col"), text("What happens")))), e("tbody", rows)),
		when(len(all) > most, e("p.muted", text("and "+strconv.Itoa(len(all)-most)+" more"))))
}

// fit is the part of a time for which a page of that width has room, about a moment.
func fit(width int, from, to, about time.Duration) (time.Duration, time.Duration) {
	return timeline.Page(width).Fit(from, to, about)
}
