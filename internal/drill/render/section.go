package render

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/probity-run/probity/internal/dashboard/markup"
	"github.com/probity-run/probity/internal/drill"
	"github.com/probity-run/probity/internal/timeline"
)

// pictureWidth is that of a picture: what there is beside the tables on a desk. A phone scrolls it.
const pictureWidth = 820

// section is all of one fault.
func section(r *drill.Report, result *drill.Result, n int, d detail) item {
	verdicts := list{}
	for _, v := range some(d, result.Verdicts, fewVerdicts) {
		verdicts = append(verdicts, verdict(v, d))
	}
	remarks := list{}
	for _, t := range some(d, result.Remarks, fewVerdicts) {
		remarks = append(remarks, e("p.muted", d.text(t)))
	}
	return e("section.card", at("id", anchor(n)), at("aria-labelledby", anchor(n)+"-name"),
		e("div.pane", e("h2", at("id", anchor(n)+"-name"), d.text(result.Title), when(result.Workload != "" && len(r.Workloads) > 1, e("span.muted.light", d.text(result.Workload)))),
			verdicts, remarks),
		when(d.pictured(result), picturePane(r, result)),
		when(d < noRepetitions && len(result.Repetitions) > 0, e("div.pane.drilled", repetitions(result), ledger(result))))
}

// verdict is what one rule says, and what can be done about it.
func verdict(v drill.Verdict, d detail) item {
	parts := list{e("p", chip(v.Grade, d.text(v.Word)), text(" "), d.text(v.Text), e("span.muted", text(" "), d.text(v.Rule+in(v.Repetitions))))}
	a := v.Advice
	if a == nil || d == headlines {
		return e("div.finding", e("div", parts))
	}
	parts = append(parts, e("p", d.text(a.Text)))
	where := list{}
	if a.File != "" {
		where = append(where, e("code", d.text(place(a.File, a.Line))), text(" "))
	}
	if a.Rule != "" {
		where = append(where, text("probity check: "), e("code", d.text(a.Rule)))
	}
	parts = append(parts, when(len(where) > 0, e("p.small", where)), when(a.Patch != "" && d < noTables, diffOf(a.Patch)))
	return e("div.finding", e("div", parts))
}

// in says in which repetitions something was so.
func in(repetitions []int) string {
	if len(repetitions) == 0 {
		return ""
	}
	var numbers []string
	for _, n := range repetitions {
		numbers = append(numbers, strconv.Itoa(n))
	}
	return ", in repetition " + strings.Join(numbers, ", ")
}

// diffOf is a unified difference.
func diffOf(patch string) item {
	lines := list{}
	for line := range strings.Lines(patch) {
		line = strings.TrimRight(line, "\r\n")
		tag := "span"
		switch {
		case strings.HasPrefix(line, "+++"), strings.HasPrefix(line, "---"), strings.HasPrefix(line, "diff "):
			continue
		case strings.HasPrefix(line, "+"):
			tag = "span.add"
		case strings.HasPrefix(line, "-"):
			tag = "span.del"
		}
		lines = append(lines, e(tag, text(line)))
	}
	return e("pre.diff.mono", at("tabindex", "0"), lines)
}

// picturePane is the repetition that tells the most.
func picturePane(r *drill.Report, result *drill.Result) item {
	p := telling(result)
	if p == nil {
		return nil
	}
	pic := picture(result, p, workloadOf(r, result))
	drawing := timeline.Draw(pic, timeline.Page(pictureWidth).For(pic))
	label := fmt.Sprintf("Repetition %d: what was predicted, what was measured, requests and probes, in seconds since the fault", p.Number)
	caption := fmt.Sprintf("Repetition %d, at phase %.2f of the liveness probe's period.", p.Number, p.Phase)
	if result.Side == drill.SideNone {
		caption = "No fault."
	}
	return e("div.pane", e("div.scroll", at("tabindex", "0"), at("role", "region"), at("aria-label", "Timeline of "+result.Title), markup.Drawing(drawing, label)),
		e("p.small.muted", text(caption+" A mark of the requests is green where all were answered, full red where one was refused, hollow where one got no answer.")))
}

// telling is the repetition that is drawn: one that a verdict is about, or the first.
func telling(r *drill.Result) *drill.Repetition {
	for _, v := range r.Verdicts {
		if v.Grade == drill.GradePass || len(v.Repetitions) == 0 {
			continue
		}
		for _, p := range r.Repetitions {
			if p.Number == v.Repetitions[0] {
				return p
			}
		}
	}
	if len(r.Repetitions) == 0 {
		return nil
	}
	return r.Repetitions[0]
}

func workloadOf(r *drill.Report, result *drill.Result) *drill.Workload {
	for i := range r.Workloads {
		if r.Workloads[i].Name == result.Workload {
			return &r.Workloads[i]
		}
	}
	return nil
}

// repetitions is a table of them: what was predicted, and what was measured.
func repetitions(r *drill.Result) item {
	rows := list{}
	for _, p := range r.Repetitions {
		note := ""
		switch {
		case p.Undo != "":
			note = "not undone: " + p.Undo
		case p.Tainted:
			note = "this machine was " + rounded(p.Late) + " late"
		case p.OwnLag != nil:
			note = "own lag " + rounded(*p.OwnLag)
		}
		rows = append(rows, e("tr", e("td", text(strconv.Itoa(p.Number))), e("td", text(p.Pod)),
			pair(p.Predicted.Unready, p.Measured.Unready), pair(p.Predicted.Killed, p.Measured.Killed), pair(p.Predicted.Replaced, p.Measured.Replaced), pair(nil, p.Measured.Ready),
			e("td", text(note))))
	}
	return e("div.scroll", at("tabindex", "0"), at("role", "region"), at("aria-label", "Repetitions of "+r.Title),
		e("table.plain", heads("№", "Replica", "Unready", "Killed", "Replaced", "Ready again", "Note"), e("tbody", rows)))
}

// pair is a cell with what was measured, and what was predicted.
func pair(predicted, measured *drill.Offset) item {
	switch {
	case predicted == nil && measured == nil:
		return e("td", e("span.muted", text("—")))
	case predicted == nil:
		return e("td.nowrap", text(rounded(*measured)))
	case measured == nil:
		return e("td.nowrap", text("—"), e("br"), e("span.muted", text("predicted "+rounded(*predicted))))
	}
	return e("td.nowrap", text(rounded(*measured)), e("br"), e("span.muted", text("predicted "+rounded(*predicted))))
}

// account is what became of the requests of one class at one replica, in all repetitions.
type account struct{ pod, class string }

// ledger is a table of the requests by replica and class.
func ledger(r *drill.Result) item {
	sums, order := map[account]*drill.Account{}, []account{}
	for _, p := range r.Repetitions {
		for _, a := range p.Ledger {
			key := account{a.Pod, a.Class}
			if sums[key] == nil {
				sums[key] = &drill.Account{}
				order = append(order, key)
			}
			sums[key].Requests += a.Requests
			sums[key].Failed += a.Failed
		}
	}
	if len(order) == 0 {
		return nil
	}
	rows := list{}
	for _, key := range order {
		pod := key.pod
		if pod == "" {
			pod = "no replica"
		}
		sum := sums[key]
		rows = append(rows, e("tr", e("td", text(pod)), e("td", text(key.class)), e("td.num", text(strconv.Itoa(sum.Requests))), e("td.num", text(strconv.Itoa(sum.Failed)))))
	}
	return e("div.scroll", at("tabindex", "0"), at("role", "region"), at("aria-label", "Requests during "+r.Title),
		e("table.plain", heads("Replica", "Requests", "Sent", "Failed"), e("tbody", rows)))
}
