package screen

import (
	"strings"
	"time"
	"unicode/utf8"
)

// Slot is what happened to a probe in a stretch of time: the worst of it. The order is that of how
// bad it is.
type Slot uint8

// The slots. Answered1 to Answered7 are successes by their share of the timeout: up to 2 %, 5, 10,
// 20, 40, 70 and more, so that a calm service is a flat line.
const (
	NoAttempt Slot = iota
	Answered1
	Answered2
	Answered3
	Answered4
	Answered5
	Answered6
	Answered7
	Warned      // a redirect
	Unevaluated // an error of the prober
	NotYet      // a failure before the first success
	Failed
	TimedOut
	Restarted
)

// Result is added to a slot whose result in effect is known.
const (
	Passing Slot = 0x40
	Failing Slot = 0x80

	kindOf Slot = 0x3f
)

// Answered is the slot of a success that took so long.
func Answered(took, timeout time.Duration) Slot {
	if timeout <= 0 {
		return Answered1
	}
	share := float64(took) / float64(timeout)
	for i, limit := range []float64{0.02, 0.05, 0.10, 0.20, 0.40, 0.70} {
		if share <= limit {
			return Answered1 + Slot(i)
		}
	}
	return Answered7
}

const (
	// SlotTime is how long the shortest stretch is that a strip knows.
	SlotTime = 5 * time.Second
	// stripTime is what a strip shows.
	stripTime = 5 * time.Minute
	// slots are those of stripTime, and some more because wide cells begin at a common grid.
	slots = 64
)

// Strip is what happened to a probe in the last minutes. The zero value has no attempts.
type Strip struct {
	newest int64 // number of the newest slot, counted from the epoch
	ring   [slots]Slot
}

// Add notes what happened at an instant. One that is too old is left out.
func (s *Strip) Add(at time.Time, what Slot) {
	n := at.Unix() / int64(SlotTime/time.Second)
	switch {
	case n > s.newest:
		for i := max(s.newest+1, n-slots+1); i <= n; i++ {
			s.ring[i%slots] = NoAttempt
		}
		s.newest = n
	case n <= s.newest-slots:
		return
	}
	s.ring[n%slots] = worse(s.ring[n%slots], what)
}

// Merge adds what another strip knows.
func (s *Strip) Merge(other *Strip) {
	for n := max(other.newest-slots+1, 0); n <= other.newest; n++ {
		if what := other.ring[n%slots]; what != NoAttempt {
			s.Add(time.Unix(n*int64(SlotTime/time.Second), 0), what)
		}
	}
}

// worse is the worse of two slots, with the worse of their results.
func worse(a, b Slot) Slot {
	kind := max(a&kindOf, b&kindOf)
	switch result := a | b; {
	case result&Failing != 0:
		return kind | Failing
	case result&Passing != 0:
		return kind | Passing
	}
	return kind
}

// cells are so many cells of a strip, oldest first; the last one is now. Their borders stand still
// while time goes on.
func (s *Strip) cells(now time.Time, n int) []Slot {
	each := int64(stripTime/SlotTime) / int64(n)
	last := now.Unix() / int64(SlotTime/time.Second) / each
	cells := make([]Slot, n)
	for i := range cells {
		first := (last - int64(n-1-i)) * each
		for j := first; j < first+each; j++ {
			if j >= 0 && j <= s.newest && j > s.newest-slots {
				cells[i] = worse(cells[i], s.ring[j%slots])
			}
		}
	}
	return cells
}

const (
	marks     = "·▁▂▃▄▅▆▇!?◦╳□↻" // in the order of the slots
	markBytes = 3                // that a mark takes at most
)

// mark is the sign of a slot and its role.
func (s Slot) mark() (string, Role) {
	kind := int(s & kindOf)
	sign := "·"
	for at, r := range marks {
		if kind == 0 {
			sign = marks[at : at+utf8.RuneLen(r)]
			break
		}
		kind--
	}
	switch s & kindOf {
	case NoAttempt:
		return sign, Rule
	case Warned:
		return sign, Warn
	case Unevaluated:
		return sign, Muted
	case NotYet:
		return sign, Wait
	case Failed, TimedOut:
		return sign, Bad
	case Restarted:
		return sign, Normal
	}
	return sign, Ok
}

// result is the sign of what was acted upon in a slot, and its role.
func (s Slot) result() (string, Role) {
	switch {
	case s&Failing != 0:
		return "━", Bad
	case s&Passing != 0:
		return "─", Ok
	}
	return " ", Normal
}

// spans draws a strip in so many cells.
func (s *Strip) spans(now time.Time, n int) []Span {
	all := drawn(s.cells(now, n), Slot.mark)
	for i := range all {
		all[i].Bold = all[i].Role == Normal // an instance that began
	}
	return all
}

// results draws the line below a strip: what was acted upon.
func (s *Strip) results(now time.Time, n int) []Span { return drawn(s.cells(now, n), Slot.result) }

// drawn draws each cell by its sign. Cells of one role that stand together are one span; the spans
// are parts of one text, as strips are most of what a frame is made of.
func drawn(cells []Slot, sign func(Slot) (string, Role)) []Span {
	var text strings.Builder
	text.Grow(markBytes * len(cells))
	var all []Span
	from := 0
	for _, cell := range cells {
		mark, role := sign(cell)
		if last := len(all) - 1; last < 0 || all[last].Role != role {
			all, from = append(all, Span{Role: role}), text.Len()
		}
		text.WriteString(mark)
		all[len(all)-1].Text = text.String()[from:]
	}
	return all
}
