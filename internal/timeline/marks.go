package timeline

import (
	"fmt"
	"strings"
)

// classes of a state: of its span and of the word on it.
func (s State) classes() (span, word string) {
	switch s {
	case Starting:
		return "l-start", "t-wait"
	case NotReady:
		return "l-not", "t-warn"
	case Ready:
		return "l-ready", "t-ok"
	case Stopping:
		return "l-stop", "t-stop"
	case BackOff:
		return "l-back", "t-idle"
	case Some:
		return "l-some", "t-some"
	case None:
		return "l-none", "t-none"
	}
	return "l-off", "t-idle"
}

// span draws a state, with its word if there is room.
func (c *canvas) span(s Span) {
	if !c.sees(s.From, s.To) {
		return
	}
	class, wordClass := s.State.classes()
	x1, x2, y := c.x(s.From)+0.5, c.x(s.To)-0.5, c.y+(c.Lane-c.Bar)/2
	x2 = max(x2, x1+0.5)
	if c.covered(x2, c.y, class) {
		return
	}
	title := fmt.Sprintf("%s, %s to %s", s.Word, c.p.clock(s.From), c.p.clock(s.To))
	open := s.Open || s.To > c.p.To
	if open && x2-x1 > 6 { // no edge where it goes on
		title = fmt.Sprintf("%s since %s", s.Word, c.p.clock(s.From))
		c.path(class, title, "M%.1f %.1fH%.1fq-3 0-3 3v%.1fq0 3 3 3H%.1f", x2, y, x1+3, c.Bar-6, x2)
	} else {
		c.rect(class, title, x1, y, x2-x1, c.Bar, min(3, (x2-x1)/2))
	}
	word := s.Word
	if textWidth(word)+8 > x2-x1 {
		word, _, _ = strings.Cut(word, " ") // 2/3 of "2/3 ready"
	}
	if textWidth(word)+6 < x2-x1 && (word == s.Word || strings.Contains(word, "/")) {
		c.text("k "+wordClass, "", x1+5, c.y+c.Lane/2+4, word)
	}
}

// cut marks where a container was started again.
func (c *canvas) cut(r Cut) {
	if !c.sees(r.At, r.At) {
		return
	}
	x := c.x(r.At)
	if c.covered(x+3, c.y, "s-cut") {
		return
	}
	c.path("s-cut", "", "M%.1f %.1fv%.1f", x, c.y, c.depth)
	c.path("s-cutf", c.p.clock(r.At)+" "+r.Title, "M%.1f %.1fh8l-4 5z", x-4, c.y)
}

// class of a mark.
func (o Outcome) class() string {
	switch o {
	case Warned:
		return "s-warn"
	case FailedYet:
		return "s-yet"
	case Failed:
		return "s-bad"
	case TimedOut:
		return "s-late"
	case NotEvaluated:
		return "s-err"
	}
	return "s-ok"
}

// barHeight is the height of a bar of at most 24 for an answer that took a share of its timeout: in
// steps, so that a calm service is a flat line, and one that comes near its timeout is not.
func barHeight(share float64) float64 {
	for _, step := range []struct{ upTo, height float64 }{{0.02, 4}, {0.05, 6}, {0.10, 8}, {0.20, 10}, {0.40, 13}, {0.70, 16}} {
		if share <= step.upTo {
			return step.height
		}
	}
	return 19
}

// marks collects the marks of a lane.
type marks struct {
	*canvas
	paths map[Outcome]*strings.Builder
	free  float64 // where the last counter ends
}

// attempts draws the attempts of a probe.
func (c *canvas) attempts(l *Lane) {
	if len(l.Attempts) == 0 {
		return
	}
	m := marks{canvas: c, paths: map[Outcome]*strings.Builder{}}
	if m.Single {
		m.path("grid", "", "M%.1f %.1fH%.1f", m.Left, m.base(), m.Right)
	}
	for i := range l.Attempts {
		if a := &l.Attempts[i]; c.sees(a.At, a.last()) {
			m.attempt(a)
			m.counter(l, i)
		}
	}
	for o := Succeeded; o <= NotEvaluated; o++ {
		if b := m.paths[o]; b != nil {
			c.path(o.class(), "", "%s", b)
		}
	}
}

// mark adds a mark, which ends at x2.
func (m marks) mark(o Outcome, title string, x2 float64, format string, args ...any) {
	if m.covered(x2, m.y, o.class()) {
		return
	}
	d := fmt.Sprintf(format, args...)
	if m.Single {
		m.path(o.class(), title, "%s", d)
		return
	}
	if m.paths[o] == nil {
		m.paths[o] = &strings.Builder{}
	}
	m.paths[o].WriteString(d)
}

// attempt draws the marks of one attempt, or of several alike: a line where they are too close to
// be told apart.
func (m marks) attempt(a *Attempt) {
	const apart = 5
	if n := a.times(); n > 1 && m.x(a.At+a.Every)-m.x(a.At) < apart && a.Outcome == Succeeded {
		x, last := m.x(a.At), m.x(a.last())+2
		height := m.bar(a)
		m.mark(a.Outcome, a.Title, last, "M%.1f %.1fh%.1fv%.1fh%.1fz", x, m.base()-height, last-x, height, x-last)
		return
	}
	one := *a
	for range a.times() {
		if m.sees(one.At, one.At) {
			m.one(&one)
		}
		one.At += a.Every
	}
}

// bar is the height of a success. The lowest one is a little more than a strip's, of which a lane
// is the smaller sister.
func (m marks) bar(a *Attempt) float64 { return m.Mark * (barHeight(a.Share) + 3) / 24 }

func (m marks) base() float64 { return m.y + m.Lane/2 + m.Mark/2 }

// one draws the mark of one attempt.
func (m marks) one(a *Attempt) {
	const width = 2.6
	x, base, full := m.x(a.At), m.base(), m.Mark
	end := max(m.x(a.At+a.Took), x+width)
	switch a.Outcome {
	case Succeeded:
		height := m.bar(a)
		m.mark(a.Outcome, a.Title, x+width, "M%.1f %.1fh%.1fv%.1fh-%.1fz", x, base-height, width, height, width)
	case Warned:
		height := full / 2
		m.mark(a.Outcome, a.Title, x+width, "M%.1f %.1fh%.1fv%.1fh-%.1fzm0 -4h%.1fv2.6h-%.1fz", x, base-height, width, height, width, width, width)
	case NotEvaluated:
		m.mark(a.Outcome, a.Title, x+5, "M%.1f %.1fl3 4-3 4-3-4z", x+1.3, base-full/2-4)
	case TimedOut:
		m.mark(a.Outcome, a.Title, end, "M%.1f %.1fh%.1fv%.1fh-%.1fz", x+0.5, base-full+0.5, end-x-1, full-1, end-x-1)
	default:
		block := (full - 2) / 2
		m.mark(a.Outcome, a.Title, end, "M%.1f %.1fh%.1fv%.1fh-%.1fzm0 %.1fh%.1fv%.1fh-%.1fz", x, base-full, end-x, block, end-x, block+2, end-x, block, end-x)
	}
}

// counter writes the counter after a failure, if it fits before the next attempt.
func (m *marks) counter(l *Lane, i int) {
	a := &l.Attempts[i]
	if !m.Single || a.Counter == "" {
		return
	}
	end := max(m.x(a.last()+a.Took), m.x(a.last())+2.6)
	width := textWidth(a.Counter)
	limit := m.Right
	if i+1 < len(l.Attempts) {
		limit = m.x(l.Attempts[i+1].At)
	}
	if end+2+width >= limit || m.x(a.At) <= m.free {
		return
	}
	m.text("k", "", end+2, m.y+m.Lane/2+4, a.Counter)
	m.free = end + 2 + width
}
