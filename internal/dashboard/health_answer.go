package dashboard

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/probity-run/probity/internal/dashboard/draft"
	"github.com/probity-run/probity/internal/manifest"
)

// names of the two sides that are compared.
func (f *formView) sides() (now, next string) {
	if f.isNew {
		return "Without", "With probes"
	}
	return "Now", "Draft"
}

// whatHead is the head of what would happen, with the choice of the fault. It stays.
func (f *formView) whatHead() item {
	var options list
	for _, x := range draft.Faults() {
		options = append(options, e("option", at("value", x.ID), when(x.ID == f.fault, at("selected", "")), text(x.Label)))
	}
	return e("div.pane", e("div.tools.flat", e("h2", at("id", "h-what"), text("What would happen")),
		e("div.right", e("label.small.muted", at("for", "fault"), text("if it")), e("select", at("id", "fault"), at("name", "fault"), options))))
}

// what is what would happen: facts and both timelines.
func (f *formView) what() item {
	played := f.draft.Play(f.fault)
	now, next := f.sides()
	rows := list{factRow(played.Fact)}
	for i, x := range f.draft.Facts() {
		if i == 2 { // where the restarts for nothing stand once they are counted
			rows = append(rows, e("tr", at("id", "many"), e("td", text("Restarts for nothing")), e("td.muted", at("colspan", "2"), text("counted when typing pauses"))))
		}
		rows = append(rows, factRow(x))
	}
	table := e("table.plain.facts.small", e("thead", e("tr", e("th", e("span.sr", text("Fact"))), e("th", at("scope", "col"), text(now)), e("th", at("scope", "col"), text(next)))), e("tbody", rows))
	return list{
		e("div.pane", table),
		f.side(now, played.Now, played), f.side(next, played.Draft, played),
		e("div.pane.small.muted", text(fmt.Sprintf("Simulated as the kubelet would, one Pod, %s, seed 1. Red ground: the fault. A line with a triangle: the restart. ", minutes(played.Horizon))), f.more()),
	}
}

// more leads to other faults, for what runs.
func (f *formView) more() item {
	if f.isNew {
		return nil
	}
	o := f.draft.Workload.Resource
	ref := workloadRef{o.GetObjectKind().GroupVersionKind().Kind, o.GetNamespace(), o.GetName()}
	return e("a.in-text", at("href", "/ui/simulate?workload="+ref.path()), text("Other faults"))
}

func minutes(d time.Duration) string {
	if d%time.Minute == 0 {
		return plural(int(d/time.Minute), "minute")
	}
	return plural(int(d/time.Second), "second")
}

// factRow is a fact, with the change in its colour and in words.
func factRow(x draft.Fact) item {
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
func (f *formView) side(title string, side draft.Side, played draft.Played) item {
	if side.Problem != "" {
		return e("div.pane", e("h2", text(title)), e("p.small.muted", text("No picture: "+side.Problem+".")))
	}
	label := side.Picture.Sentence("Simulation, " + strings.ToLower(title))
	shown := side.Picture
	shown.From, shown.To = fit(f.width, shown.From, shown.To, played.Fault.At())
	return e("div.pane", e("h2", text(title), e("span.muted.small.light", text(side.Word))), picture(&shown, f.width, label), pictureRows(&side.Picture))
}

// findings are those of the draft.
func (f *formView) findings() item {
	judged, err := f.draft.Judge(f.server.others(f.draft.Workload.Resource))
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
		rows = append(rows, e("div.finding.small", shapeReady(), e("div", e("b", text(x.Rule)), e("span.muted", text(" is solved by this draft.")))))
	}
	return e("div.pane", head, rows)
}

func (f *formView) findingChips(judged draft.Findings) (chips list) {
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
	return e("div.finding.small", severityMark(x.Severity), e("div", said, e("details", e("summary", text("Why")), e("p", text(x.Consequence)), e("p", text(x.Remedy)))))
}

// changes is the difference.
func (f *formView) changes() item {
	ref := f.draft.Workload.Resource
	title := e("h2", at("id", "h-changes"), text("Changes"), e("span.muted.small.light", text("to "+ref.GetObjectKind().GroupVersionKind().Kind+" "+ref.GetName())))
	if f.isNew {
		title = e("h2", at("id", "h-changes"), text("What is created"))
	}
	lines, err := f.draft.Diff()
	var others []manifest.Resource
	if f.service != nil {
		others = append(others, f.service)
	}
	yaml, yamlErr := f.draft.YAML(others...)
	switch {
	case err != nil || yamlErr != nil:
		return e("div.pane", title, e("p.small.muted", text("The difference cannot be shown.")))
	case f.isNew:
		return e("div.pane", title, e("pre.diff", at("tabindex", "0"), at("role", "region"), at("aria-label", "Manifest"), e("span", text(yaml))), yamlBox(yaml))
	case len(lines) == 0:
		return e("div.pane", title, e("p.small.muted", text("None yet: the fields are as it runs.")), yamlBox(yaml))
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

// buttons stay; what they may do is in the answers.
func (f *formView) buttons() item {
	apply := "Apply and follow the rollout"
	if f.isNew {
		apply = "Create and follow the rollout"
	}
	return e("div.pane", e("div.tools.flat",
		e("button.btn.main", at("type", "submit"), at("id", "apply"), at("aria-describedby", "why-not"), text(apply)),
		e("button.btn", at("type", "button"), at("id", "copy"), text("Copy YAML")),
		e("button.btn.quiet", at("type", "button"), at("id", "discard"), text("Discard")),
		e("button.btn", at("type", "button"), at("id", "undo"), at("hidden", ""), text("Undo")),
		e("span.small.state", at("id", "why-not"), f.whyNot())))
}

// whyNot is why the draft cannot be applied; nil if it can.
func (f *formView) whyNot() item {
	n := len(f.all())
	kind := f.draft.Workload.Resource.GetObjectKind().GroupVersionKind().Kind
	switch {
	case n > 0:
		return e("span.bad.state", shapeFailed(), text("Fix "+plural(n, "error")+" to apply"))
	case f.isNew && f.onlyImage() && !f.server.isCluster():
		return e("span.warn.state", at("data-may", ""), shapeWarning(), text("Without a command nothing starts here, unless the run was started with one for it; a cluster runs the image"))
	case f.isNew:
		return nil
	case !f.draft.Changed:
		return e("span.muted", at("data-unchanged", ""), text("Nothing to apply"))
	case kind == "Pod" && f.server.isCluster():
		return e("span.bad.state", shapeFailed(), text("The probes of a Pod cannot be changed: delete it, and create it anew with others"))
	case kind == "Pod":
		return e("span.warn.state", at("data-may", ""), shapeWarning(), text("The probes of a Pod cannot be changed: it is replaced, here or by its file"))
	}
	return nil
}

// filePart says what the file of the workload says otherwise, and offers to write it there.
func (f *formView) filePart() item {
	if f.file == nil || f.isNew {
		return nil
	}
	values := f.draft.Workload.Values()
	isPod := f.draft.Workload.Resource.GetObjectKind().GroupVersionKind().Kind == "Pod"
	if isPod && len(f.all()) == 0 {
		values = f.draft.Values
	}
	differs := f.file.Otherwise(values)
	if len(differs) == 0 {
		return nil
	}
	name := filepath.Base(f.file.Name)
	says := "still says"
	if isPod {
		says = "says"
	}
	return e("div.pane", e("p.small", text(name+" "+says+" "), e("b.mono", text(strings.Join(differs, ", ")))),
		e("p.buttons", e("button.btn", at("type", "button"), at("id", "write"), text("Write it there")), e("span.small.muted", text(" its comments stay"))))
}
