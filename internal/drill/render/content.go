package render

import (
	"fmt"
	"strconv"
	"time"

	"github.com/probity-run/probity/internal/dashboard/markup"
	"github.com/probity-run/probity/internal/drill"
)

// Outcome is what came of a drill in a line, and the worst grade in it.
func Outcome(r *drill.Report) (string, drill.Grade) {
	n, _ := count(r)
	switch {
	case len(r.Failures) > 0 || failsAtRest(r) || n[drill.GradeFail] > 0 || broken(r) > 0:
		return title(r), drill.GradeFail
	case r.Interrupted || n[drill.GradeInconclusive] > 0:
		return title(r), drill.GradeInconclusive
	case n[drill.GradeWarning] > 0:
		return title(r), drill.GradeWarning
	}
	return title(r), drill.GradePass
}

// Subject is what was drilled: the names of the manifests.
func Subject(r *drill.Report) string { return subject(r) }

// Verdict is a grade as a sign with a word.
func Verdict(g drill.Grade) markup.Item {
	word := map[drill.Grade]text{drill.GradeFail: "failed", drill.GradeWarning: "warning", drill.GradeInconclusive: "inconclusive"}[g]
	if word == "" {
		word = "passed"
	}
	return chip(g, word)
}

// UnderWay is a sign for a drill that is not over.
func UnderWay() markup.Item { return e("span.chip.wait", text("under way")) }

// Heading is the head of a drill on a page of the dashboard.
func Heading(r *drill.Report) markup.Item {
	return e("div.title", e("h1", text(title(r))), e("span.muted.small", text(subject(r))))
}

// Content is a report as the rest of a page of the dashboard. As [Page], it leaves out what would
// make it too long.
func Content(r *drill.Report) markup.Item {
	content := func(d detail) item {
		return list{when(d > everything, e("p.muted", text(d.leftOut()))), parts(r, d)}
	}
	d := everything
	for ; d < headlines && len(markup.Part(content(d))) > PageLimit; d++ {
	}
	return content(d)
}

// Progress is how far a drill is, as the head of a page of the dashboard.
func Progress(s drill.State) markup.Item {
	total := len(s.Steps)
	heading := "The drill begins"
	if total > 0 {
		heading = fmt.Sprintf("%s of %s tried", strconv.Itoa(max(s.Step, 0)), faults(total))
	}
	return list{
		e("div.title", e("h1", text(heading)), UnderWay(), e("span.muted.small", text(subject(s.Report)))),
		e("section.card.pane", at("aria-label", "Progress"),
			e("p", text(s.Doing), e("span.muted", text(" · for "), e("time", at("datetime", s.Since.UTC().Format(time.RFC3339Nano)), at("data-age", ""), text("0s")))),
			when(total > 0, e("progress.meter", at("max", strconv.Itoa(max(total, 1))), at("value", strconv.Itoa(max(s.Step, 0))), at("aria-label", "Faults that were tried"))),
			when(total > 0, steps(s))),
	}
}

// steps is a list of what is planned, with what became of it.
func steps(s drill.State) item {
	rows := list{}
	several := len(s.Report.Workloads) > 1
	for i, step := range s.Steps {
		var now item = e("span.muted", text("to come"))
		switch r := resultOf(s.Report, step); {
		case r != nil:
			now = verdictChips(r, everything)
		case i == s.Step:
			now = e("span.chip.wait", text(fmt.Sprintf("now, %d of %d", s.Repetition, step.Repetitions)))
		case i < s.Step:
			now = e("span.muted", text("left out"))
		}
		rows = append(rows, e("li", e("span", text(step.Fault.Title()), when(several, e("span.muted", text(" in "+step.Workload)))), e("span", now)))
	}
	return e("ol.steps", rows)
}

// resultOf is what came of a step; nil if nothing has yet.
func resultOf(r *drill.Report, s drill.Step) *drill.Result {
	for _, result := range r.Results {
		if result.Fault == s.Fault.Word && result.Workload == s.Workload {
			return result
		}
	}
	return nil
}
