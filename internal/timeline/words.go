package timeline

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// clock writes a moment of the picture: a time of day, or an offset.
func (p *Picture) clock(at time.Duration) string {
	if p.Start.IsZero() {
		return Offset(at)
	}
	return p.Start.Add(at).Format("15:04:05")
}

// Row is a line of a picture in words.
type Row struct {
	At   time.Duration
	Time string
	// Group is the name of the group, "" if there is but one.
	Group string
	What  string
}

// Rows are the picture as a table: each state, fault and restart, and each run of attempts that
// found the same, in the order of time.
func (p *Picture) Rows() []Row {
	var rows []Row
	for i := range p.Groups {
		g := &p.Groups[i]
		add := func(at time.Duration, format string, args ...any) {
			row := Row{At: at, Time: p.clock(at), What: fmt.Sprintf(format, args...)}
			if len(p.Groups) > 1 {
				row.Group = g.Name
			}
			rows = append(rows, row)
		}
		for _, f := range g.Grounds {
			add(f.From, "%s begins", f.Word)
			if f.To < p.To {
				add(f.To, "%s is over", f.Word)
			}
		}
		for _, l := range g.Labels {
			add(l.At, "%s", l.Text)
		}
		for j := range g.Lanes {
			p.laneRows(&g.Lanes[j], add)
		}
	}
	for _, l := range p.Labels {
		rows = append(rows, Row{At: l.At, Time: p.clock(l.At), What: l.Text})
	}
	slices.SortStableFunc(rows, func(a, b Row) int { return cmp.Compare(a.At, b.At) })
	return rows
}

func (p *Picture) laneRows(l *Lane, add func(at time.Duration, format string, args ...any)) {
	for _, s := range l.Spans {
		add(s.From, "%s: %s", l.Name, s.Word)
	}
	for _, c := range l.Cuts {
		add(c.At, "%s: %s", l.Name, c.Title)
	}
	for i := 0; i < len(l.Attempts); {
		first, n, last := l.Attempts[i], 0, time.Duration(0)
		counter := ""
		for ; i < len(l.Attempts) && l.Attempts[i].Outcome == first.Outcome; i++ {
			n += l.Attempts[i].times()
			last, counter = l.Attempts[i].last(), l.Attempts[i].Counter
		}
		text := l.Name + ": " + first.Outcome.String()
		if n > 1 {
			text += fmt.Sprintf(" %d times until %s", n, p.clock(last))
		}
		if counter != "" {
			text += ", " + counter
		}
		add(first.At, "%s", text)
	}
}

// String is the outcome in words.
func (o Outcome) String() string {
	switch o {
	case Warned:
		return "succeeded with a warning"
	case FailedYet:
		return "not yet"
	case Failed:
		return "failed"
	case TimedOut:
		return "timed out"
	case NotEvaluated:
		return "not evaluated"
	}
	return "succeeded"
}

// Sentence tells in one sentence what is to be seen of the first group: its states, faults and
// restarts, as far as they fit into a sentence. subject begins it.
func (p *Picture) Sentence(subject string) string {
	const most = 12
	type fact struct {
		at   time.Duration
		rank int
		text string
	}
	var facts []fact
	if len(p.Groups) > 0 {
		g := &p.Groups[0]
		for _, f := range g.Grounds {
			facts = append(facts, fact{f.From, 0, f.Word + " from " + p.clock(f.From)})
		}
		if len(g.Lanes) > 0 {
			for _, s := range g.Lanes[0].Spans {
				facts = append(facts, fact{s.From, 2, s.Word + " from " + p.clock(s.From)})
			}
			for _, c := range g.Lanes[0].Cuts {
				facts = append(facts, fact{c.At, 1, c.Title + " at " + p.clock(c.At)})
			}
		}
	}
	slices.SortStableFunc(facts, func(a, b fact) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.rank, b.rank)) })
	if len(facts) == 0 {
		return subject + ": nothing happened"
	}
	var words []string
	for _, f := range facts[:min(len(facts), most)] {
		words = append(words, f.text)
	}
	if left := len(facts) - most; left > 0 {
		words = append(words, fmt.Sprintf("and %d more changes", left))
	}
	return subject + ": " + strings.Join(words, ", ")
}
