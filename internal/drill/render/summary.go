package render

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/probity-run/probity/internal/drill"
)

// title is what came of a drill, in a line.
func title(r *drill.Report) string {
	n, all := count(r)
	switch {
	case len(r.Failures) > 0:
		return "The drill itself failed"
	case failsAtRest(r):
		return "Requests fail without any fault"
	case n[drill.GradeFail] > 0:
		return fmt.Sprintf("%d of %s not survived as they should be", n[drill.GradeFail], faults(all))
	case broken(r) > 0:
		return fmt.Sprintf("%d of %d assertions not fulfilled", broken(r), len(r.Assertions))
	case r.Interrupted:
		return "The drill was interrupted"
	case n[drill.GradeInconclusive] > 0:
		return fmt.Sprintf("%d of %s could not be judged", n[drill.GradeInconclusive], faults(all))
	case n[drill.GradeWarning] > 0:
		return fmt.Sprintf("%s survived, %d with a warning", faults(all), n[drill.GradeWarning])
	}
	return faults(all) + " survived as they should be"
}

func faults(n int) string {
	if n == 1 {
		return "1 fault"
	}
	return strconv.Itoa(n) + " faults"
}

// subject is what was drilled.
func subject(r *drill.Report) string {
	var names []string
	for _, f := range r.Files {
		names = append(names, filepath.Base(f))
	}
	return strings.Join(names, ", ")
}

// body is the content of a page.
func body(r *drill.Report, d detail) item {
	return list{
		e("div.title", e("h1", text(title(r)))),
		when(d > everything, e("p.muted", text(d.leftOut()))),
		parts(r, d),
	}
}

// parts are all that a report has, one below the other.
func parts(r *drill.Report, d detail) item {
	var sections list
	for i, result := range d.results(r) {
		sections = append(sections, section(r, result, i, d))
	}
	return e("div.stack", about(r, d), table(r, d), sections, rest(r, d))
}

// about is how it was drilled.
func about(r *drill.Report, d detail) item {
	facts := list{}
	fact := func(name, value string) { facts = append(facts, e("dt", text(name)), e("dd", d.text(value))) }
	fact("Manifests", strings.Join(r.Files, ", "))
	fact("When", r.Began.Format("2 January 2006, 15:04:05 MST")+", for "+rounded(r.Took))
	for _, w := range some(d, r.Workloads, fewLines) {
		words := fmt.Sprintf("%s, %d replicas, container %s", w.Name, w.Replicas, w.Container)
		if w.Service != "" {
			words += fmt.Sprintf(", through Service %s:%d", w.Service, w.Port)
		}
		fact("Workload", words)
	}
	how := map[string]string{"cluster": "as a cluster routes: any ready endpoint, none tried again", "probity": "as probity run routes: round a replica that does not answer"}[r.Routing]
	fact("Load", fmt.Sprintf("%g requests a second, %s; endpoints are %v late", r.Rate, how, r.EndpointDelay))
	for _, c := range some(d, r.Classes, fewLines) {
		words := fmt.Sprintf("%s: p50 %s, p99 %s, %d of %d failed without a fault", c.Name, rounded(c.P50), rounded(c.P99), c.Failed, c.Requests)
		if len(c.Survives) > 0 {
			words += "; does without " + strings.Join(c.Survives, ", ")
		}
		fact("Requests", words)
	}
	for _, dep := range some(d, r.Dependencies, fewLines) {
		words := fmt.Sprintf("%s at %s, %d connections", dep.Name, dep.Address, dep.Connects)
		if dep.Owned {
			words += ", declared as owned"
		}
		fact("Dependency", words)
	}
	return e("section.card.pane", e("dl.kv", facts))
}

// table has a line for each fault.
func table(r *drill.Report, d detail) item {
	rows := list{}
	for i, result := range d.results(r) {
		name := result.Title
		if len(r.Workloads) > 1 && result.Workload != "" {
			name += ", " + result.Workload
		}
		lost := ""
		if result.Requests > 0 {
			lost = fmt.Sprintf("%d of %d", result.Lost, result.Requests)
		}
		rows = append(rows, e("tr",
			e("td", e("a", at("href", "#"+anchor(i)), d.text(name))), e("td", d.text(result.Expected)), e("td", d.text(result.Measured)),
			e("td.num", text(lost)), e("td", verdictChips(result, d))))
	}
	return e("section.card.pane", e("h2", text("Faults")), e("div.scroll", at("tabindex", "0"), at("role", "region"), at("aria-label", "Faults"),
		e("table.plain.faults", heads("Fault", "Expected", "Measured", "Lost", "Verdict"), e("tbody", rows))))
}

func anchor(i int) string { return "fault-" + strconv.Itoa(i+1) }

// verdictChips are the verdicts that tell the most: the worst ones.
func verdictChips(r *drill.Result, d detail) item {
	chips, seen := list{}, map[string]bool{}
	for _, v := range some(d, r.Verdicts, fewVerdicts) {
		if v.Grade == worst(r) && !seen[v.Word] {
			seen[v.Word] = true
			chips = append(chips, chip(v.Grade, d.text(v.Word)), text(" "))
		}
	}
	return chips
}

// chip is a word in the colour of a grade. The sign before it says the same.
func chip(g drill.Grade, word text) item {
	class, sign := "ok", "✓ "
	switch g {
	case drill.GradeFail:
		class, sign = "bad", "✕ "
	case drill.GradeWarning:
		class, sign = "warn", "! "
	case drill.GradeInconclusive:
		class, sign = "idle", "? "
	}
	return e("span.chip."+class, text(sign), word)
}

// rest is what was not tried or could not be seen.
func rest(r *drill.Report, d detail) item {
	var parts list
	lines := func(name string, texts []string) {
		rows := list{}
		for _, t := range some(d, texts, fewLines) {
			rows = append(rows, e("li", d.text(t)))
		}
		parts = append(parts, when(len(texts) > 0, e("section.card.pane", e("h2", text(name)), e("ul", rows))))
	}
	lines("What went wrong with the drill", r.Failures)
	var left, holds []string
	for _, l := range leftOut(r) {
		left = append(left, strings.Join(l.words, ", ")+": "+l.reason)
	}
	for _, a := range r.Assertions {
		word := "holds"
		if !a.Holds {
			word = "does not hold"
		}
		holds = append(holds, fmt.Sprintf("%s: %s, got %s", a.Text, word, a.Got))
	}
	lines("Assertions", holds)
	lines("Not tried", left)
	lines("Connections that could not be seen", r.BlindSpots)
	return parts
}

// rounded is a length of time with no more digits than people read.
func rounded(o drill.Offset) string {
	d := time.Duration(o)
	switch {
	case d >= 10*time.Second:
		d = d.Round(time.Second)
	case d >= time.Second:
		d = d.Round(100 * time.Millisecond)
	default:
		d = d.Round(time.Millisecond)
	}
	return drill.Offset(d).String()
}
