package playground

import (
	"strconv"
	"strings"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/advisor/render"
	"github.com/probity-run/probity/internal/advisor/rules"
	"github.com/probity-run/probity/internal/dashboard/form"
	"github.com/probity-run/probity/internal/dashboard/shape"
)

// check answers with the findings and their lines, and one line about all of them.
func (q question) check() list {
	if strings.TrimSpace(q.text) == "" {
		return list{part("verdict", e("span.muted", text("Paste a manifest, or drop a file here."))), part("found", nil)}
	}
	report, err := Check(q.text)
	var rows list
	verdict := strings.ReplaceAll(render.Summary(report), " of 1 file", "")
	if err != nil {
		verdict = "not all of it can be read"
		for problem := range strings.Lines(err.Error()) {
			rows = append(rows, unreadable(strings.TrimSpace(problem)))
		}
	}
	for _, f := range report.Findings {
		rows = append(rows, finding(f))
	}
	if len(rows) == 0 {
		rows = append(rows, e("li.finding", shape.Ready(), e("p.small", text("No findings: these probes keep what they promise."))))
	}
	return list{part("verdict", text(verdict)), part("found", e("ul", rows))}
}

// place leads to a line of the text; severity is how it is marked there.
func place(line string, severity advisor.Severity) item {
	return e("a.place", at("href", "#line-"+line), at("data-line", line), at("data-severity", severity.String()), text("line "+line))
}

// unreadable is what cannot be read, with its line if that is known.
func unreadable(problem string) item {
	var where item
	if after, ok := strings.CutPrefix(problem, advisor.StdinName+":"); ok {
		line, said, _ := strings.Cut(after, ": ")
		line, _, _ = strings.Cut(line, ":")
		if _, err := strconv.Atoi(line); err == nil {
			where, problem = list{place(line, advisor.Outage), text(" ")}, said
		} else {
			problem = strings.TrimSpace(after)
		}
	}
	return e("li.finding", shape.Failed(), e("p.small", where, text(problem)))
}

// finding is a finding with the line that it is about, the patch, and why it is one.
func finding(f advisor.Finding) item {
	object, field := f.Words()
	about := object.String()
	if field != "" {
		about += " · " + field
	}
	said := list{
		e("p.small", place(strconv.Itoa(f.Region.Line), f.Severity), text(" "), e("b", text(f.Rule)),
			text(" "), e("span.chip."+form.SeverityClass(f.Severity), text(f.Severity.String())), text(" "+f.Message)),
		e("p.small.muted", text(about)),
	}
	if f.Patch != nil {
		said = append(said, e("p.small", e("span.muted", text("fix: ")), e("code", text(f.Patch.Summary))))
	}
	if doc, ok := docOf(f.Rule); ok {
		said = append(said, e("details.small", e("summary", text("Why")), e("p", text(doc.Consequence)), e("p", text(doc.Remedy))))
	}
	return e("li.finding", form.SeverityMark(f.Severity), e("div", said))
}

// docOf is what is said of a rule.
func docOf(rule string) (doc advisor.Doc, ok bool) {
	for _, r := range rules.All() {
		if r.ID == rule {
			return r.Doc, true
		}
	}
	return doc, false
}
