package screen

import (
	"strings"

	"github.com/probity-run/probity/internal/diagnosis"
)

// details is the page of one Pod: its card, its strips, attempts, what was sent and got, what
// happened, facts, environment.
func (f *frame) details() []line {
	p := f.v.pod(f.State)
	if p == nil {
		return []line{{}, plain(Muted, "  This Pod is gone. Esc leads back.")}
	}
	mark, role := stateMark(p.Diagnosis.State)
	var head line
	head.add(role, " "+mark+" "+string(p.Diagnosis.State)).add(Normal, "  "+diagnosis.Age(f.Now.Sub(p.Since)))
	if p.PID != 0 {
		head.add(Normal, "  pid "+itoa(p.PID))
	}
	if p.Restarts > 0 {
		head.add(Warn, "  ↻ "+itoa(p.Restarts))
	}
	lines := append([]line{head}, f.cardText(p, false)...)
	d := f.Details
	if d == nil || d.ID != p.ID {
		return append(lines, plain(Muted, " …"))
	}
	lines = append(lines, f.strips(d)...)
	lines = append(lines, f.attempts(d)...)
	lines = append(lines, f.exchange(d)...)
	lines = append(lines, f.history(d)...)
	lines = append(lines, f.facts(d)...)
	return append(lines, f.environment(d)...)
}

// detailsRest names the sections that are below a line.
func (f *frame) detailsRest(from int) string {
	p := f.v.pod(f.State)
	d := f.Details
	if p == nil || d == nil || d.ID != p.ID {
		return ""
	}
	var names []string
	at := 1 + len(f.cardText(p, false))
	for _, section := range []struct {
		name  string
		lines []line
	}{
		{"last 5 min", f.strips(d)}, {"attempts", f.attempts(d)}, {"sent and got", f.exchange(d)}, {"history", f.history(d)},
		{"facts", f.facts(d)}, {"environment", f.environment(d)},
	} {
		if at += len(section.lines); at > from && len(section.lines) > 0 {
			names = append(names, section.name)
		}
	}
	return strings.Join(names, ", ")
}

// titled is a rule with a title and a remark at its right end.
func (f *frame) titled(title, remark string) line {
	var l line
	l.add(Rule, "─ ").add(Muted, middle(title, max(f.width-6, 4))).add(Normal, " ")
	if remark != "" && l.width+widthOf(remark)+4 <= f.width {
		return *l.rule(f.width-widthOf(remark)-1).add(Muted, " "+remark)
	}
	return *l.rule(f.width)
}

// stripLabel is the width of a probe's name before its strip, unless there are several containers.
const stripLabel = 11

func (f *frame) strips(d *Details) []line {
	if len(d.Probes) == 0 {
		return nil
	}
	label := stripLabel
	for i := range d.Probes {
		label = max(label, min(widthOf(d.Probes[i].Name)+2, f.width/3))
	}
	cells := 60
	for _, narrower := range []int{30, 20} {
		if f.width < label+cells+8 {
			cells = narrower
		}
	}
	lines := []line{f.titled("last 5 min", "")}
	for i := range d.Probes {
		p := &d.Probes[i]
		role := Normal
		if p.Failing {
			role = Bad
		}
		var l line
		l.cell(Normal, " "+middle(p.Name, label-2), label).span(p.Strip.spans(f.Now, cells)...).add(role, cut("  "+p.Counter, f.width-l.width))
		lines = append(lines, l)
		var below line
		below.add(Normal, strings.Repeat(" ", label))
		if f.width >= 100 {
			below.span(p.Strip.results(f.Now, cells)...).add(Normal, "  ")
		}
		lines = append(lines, *below.add(Muted, cut(p.Asks, f.width-below.width)))
	}
	return lines
}

func (f *frame) attempts(d *Details) []line {
	lines := []line{f.titled("attempts", "newest first")}
	if len(d.Attempts) == 0 {
		return append(lines, plain(Muted, " none yet"))
	}
	for _, a := range d.Attempts {
		sign, role := a.Slot.mark()
		var l line
		l.add(Muted, " "+a.At.Format("15:04:05.000")+" ").cell(Normal, a.Probe, 9).add(Normal, " ").add(role, sign+" ")
		l.cell(role, a.Outcome, 9).number(Normal, a.Took, 7).add(Normal, "  ").cell(Normal, a.Counter, 5)
		lines = append(lines, *l.add(Muted, cut(a.Text, f.width-l.width)))
	}
	return lines
}

// shortExchange is how many lines of what was sent and got are shown until somebody asks for all.
const shortExchange = 6

func (f *frame) exchange(d *Details) []line {
	if len(d.Exchange) == 0 {
		return nil
	}
	lines := []line{f.titled("sent and got, "+d.Exchanged, "")}
	for i, text := range d.Exchange {
		if i == shortExchange && !f.v.exchange {
			lines = append(lines, plain(Muted, " … p shows "+itoa(len(d.Exchange)-i)+" more lines"))
			break
		}
		for _, part := range f.wrapHard(text, f.width-1) {
			lines = append(lines, plain(Normal, " "+part))
		}
	}
	return lines
}

// wrapHard breaks a text at the last column, wherever that is.
func (f *frame) wrapHard(text string, width int) []string {
	var parts []string
	for widthOf(text) > max(width, 1) {
		head := cutHard(text, max(width, 1))
		parts = append(parts, head)
		text = text[len(head):]
	}
	return append(parts, text)
}

func (f *frame) history(d *Details) []line {
	if len(d.History) == 0 {
		return nil
	}
	lines := []line{f.titled("history", "newest first")}
	for _, m := range d.History {
		for i, part := range wrap(m.Text, f.width-11) {
			var l line
			if i == 0 {
				l.add(Muted, " "+m.At.Format("15:04:05"))
			}
			lines = append(lines, *l.column(10).add(m.Role, part))
		}
	}
	return lines
}

func (f *frame) facts(d *Details) []line {
	if len(d.Facts) == 0 {
		return nil
	}
	lines := []line{f.titled("facts", "")}
	for _, fact := range d.Facts {
		for i, part := range wrap(fact[1], f.width-15) {
			label := ""
			if i == 0 {
				label = fact[0]
			}
			lines = append(lines, *new(line).cell(Muted, " "+label, 14).add(Normal, part))
		}
	}
	return lines
}

func (f *frame) environment(d *Details) []line {
	if len(d.Environment) == 0 {
		return nil
	}
	remark := "v shows secrets"
	if f.v.secrets {
		remark = "v hides secrets"
	}
	lines := []line{f.titled("environment", remark)}
	width := 4
	for _, e := range d.Environment {
		width = min(max(width, widthOf(e.Name)), 24)
	}
	for _, e := range d.Environment {
		value := e.Value
		if e.Secret && !f.v.secrets {
			value = "••••••••"
		}
		var l line
		l.add(Normal, " ").cell(Normal, e.Name, width).add(Normal, "  "+cut(value, max(f.width-width-3, 1)))
		if e.From != "" {
			l.add(Muted, cut(" from "+e.From, f.width-l.width))
		}
		lines = append(lines, l)
	}
	return lines
}
