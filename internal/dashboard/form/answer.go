package form

import (
	"fmt"
	"strings"
	"time"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/dashboard/draft"
	"github.com/probity-run/probity/internal/dashboard/markup"
	"github.com/probity-run/probity/internal/dashboard/shape"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/timeline"
)

// whatHead is the head of what would happen, with the choice of the fault. It stays.
func (f *Form) whatHead() item {
	var options list
	for _, x := range draft.Faults() {
		options = append(options, e("option", at("value", x.ID), when(x.ID == f.Fault, at("selected", "")), text(x.Label)))
	}
	return e("div.pane", e("div.tools.flat", e("h2", at("id", "h-what"), text("What would happen")),
		e("div.right", e("label.small.muted", at("for", "fault"), text("if it")), e("select", at("id", "fault"), at("name", "fault"), options))))
}

// What is what would happen: facts and both timelines.
func (f *Form) What() item {
	played := f.Draft.Play(f.Fault)
	rows := list{FactRow(played.Fact)}
	for i, x := range f.Draft.Facts() {
		if i == 2 { // where the restarts for nothing stand once they are counted
			rows = append(rows, e("tr", at("id", "many"), e("td", text("Restarts for nothing")), e("td.muted", at("colspan", "2"), text("counted when typing pauses"))))
		}
		rows = append(rows, FactRow(x))
	}
	table := e("table.plain.facts.small", e("thead", e("tr", e("th", e("span.sr", text("Fact"))), e("th", at("scope", "col"), text(f.Now)), e("th", at("scope", "col"), text(f.Next)))), e("tbody", rows))
	return list{
		e("div.pane", table),
		f.side(f.Now, played.Now, played), f.side(f.Next, played.Draft, played),
		e("div.pane.small.muted", text(fmt.Sprintf("Simulated as the kubelet would, one Pod, %s, seed 1. Red ground: the fault. A line with a triangle: the restart. ", minutes(played.Horizon))), f.More),
	}
}

func minutes(d time.Duration) string {
	if d%time.Minute == 0 {
		return plural(int(d/time.Minute), "minute")
	}
	return plural(int(d/time.Second), "second")
}

// FactRow is a fact, with the change in its colour and in words.
func FactRow(x draft.Fact) item {
	change := item(nil)
	if x.Change != "" {
		class := "span.muted"
		switch x.Mood {
		case draft.Better:
			class = "span.ok"
		case draft.Worse:
			class = "span.bad"
		}
		change = list{text(" "), e(class, text(x.Change))}
	}
	return e("tr", e("td", text(x.Name)), e("td", text(x.Now)), e("td", text(x.Draft), change))
}

// side is one of the two timelines.
func (f *Form) side(title string, side draft.Side, played draft.Played) item {
	if side.Problem != "" {
		return e("div.pane", e("h2", text(title)), e("p.small.muted", text("No picture: "+side.Problem+".")))
	}
	label := side.Picture.Sentence("Simulation, " + strings.ToLower(title))
	shown := side.Picture
	shown.From, shown.To = timeline.Page(f.Width).Fit(shown.From, shown.To, played.Fault.At())
	return e("div.pane", e("h2", text(title), e("span.muted.small.light", text(side.Word))), markup.Picture(&shown, f.Width, label), markup.PictureRows(&side.Picture))
}

// Findings are those of the draft.
func (f *Form) Findings() item {
	judged, err := f.Draft.Judge(f.Others)
	head := list{e("h2", at("id", "h-findings"), text("Findings on the draft"), f.findingChips(judged))}
	switch {
	case err != nil:
		return e("div.pane", head, e("p.small.muted", text(err.Error())))
	case len(judged.New)+len(judged.Kept)+len(judged.Solved) == 0:
		return e("div.pane", head, e("p.small.muted", text("None.")))
	}
	var rows list
	for _, x := range judged.New {
		rows = append(rows, finding(x, true))
	}
	for _, x := range judged.Kept {
		rows = append(rows, finding(x, false))
	}
	for _, x := range judged.Solved {
		rows = append(rows, e("div.finding.small", shape.Ready(), e("div", e("b", text(x.Rule)), e("span.muted", text(" is solved by this draft.")))))
	}
	return e("div.pane", head, rows)
}

func (f *Form) findingChips(judged draft.Findings) (chips list) {
	add := func(class string, n int, word string) {
		if n > 0 {
			chips = append(chips, e(class, text(fmt.Sprintf("%d %s", n, word))))
		}
	}
	add("span.chip.bad", len(judged.New), "new")
	add("span.chip.warn", len(judged.Kept), "as before")
	add("span.chip.ok", len(judged.Solved), "solved")
	return chips
}

// finding is a finding, with what follows from it and what to do when one asks why.
func finding(x draft.Finding, isNew bool) item {
	said := list{e("b", text(x.Rule)), when(isNew, list{text(" "), e("span.chip.bad", text("new"))}), text(" " + x.Message)}
	return e("div.finding.small", SeverityMark(x.Severity), e("div", said, e("details", e("summary", text("Why")), e("p", text(x.Consequence)), e("p", text(x.Remedy)))))
}

// Changes is the difference.
func (f *Form) Changes() item {
	ref := f.Draft.Workload.Resource
	title := e("h2", at("id", "h-changes"), text("Changes"), e("span.muted.small.light", text("to "+ref.GetObjectKind().GroupVersionKind().Kind+" "+ref.GetName())))
	if f.IsNew {
		title = e("h2", at("id", "h-changes"), text("What is created"))
	}
	lines, err := f.Draft.Diff()
	var others []manifest.Resource
	if f.Service != nil {
		others = append(others, f.Service)
	}
	yaml, yamlErr := f.Draft.YAML(others...)
	switch {
	case err != nil || yamlErr != nil:
		return e("div.pane", title, e("p.small.muted", text("The difference cannot be shown.")))
	case f.IsNew:
		return e("div.pane", title, e("pre.diff", at("tabindex", "0"), at("role", "region"), at("aria-label", "Manifest"), e("span", text(yaml))), yamlBox(yaml))
	case len(lines) == 0:
		return e("div.pane", title, e("p.small.muted", text(f.Unchanged)), yamlBox(yaml))
	}
	var shown list
	for _, l := range lines {
		tag, sign := "span", string(l.Sign)
		switch l.Sign {
		case '+':
			tag = "span.add"
		case '-':
			tag = "span.del"
		}
		shown = append(shown, e(tag, text(sign+" "+l.Text+"\n")))
	}
	return e("div.pane", title, e("pre.diff", at("tabindex", "0"), at("role", "region"), at("aria-label", "Difference"), shown), yamlBox(yaml))
}

// yamlBox holds the whole object, to be copied.
func yamlBox(yaml string) item {
	return e("pre", at("id", "yaml"), at("hidden", ""), text(yaml))
}

// SeverityMark is the form that stands before a finding.
func SeverityMark(severity advisor.Severity) item {
	if severity == advisor.Outage {
		return shape.Failed()
	}
	return shape.Warning()
}

// SeverityClass is the class of the colour of a severity.
func SeverityClass(severity advisor.Severity) string {
	switch severity {
	case advisor.Outage:
		return "bad"
	case advisor.Risk:
		return "warn"
	}
	return "idle"
}
