package simulate

import (
	"fmt"
	"time"

	"github.com/probity-run/probity/internal/simulate/script"
)

// window is one occurrence of a fault: from begin to before end.
type window struct{ begin, end time.Duration }

// faultSchedule is when a fault happens to a container of a Pod: now or next, and later as far as
// that was drawn.
type faultSchedule struct {
	fault     *script.Fault
	effect    script.Effect
	detection script.Detection
	cured     bool // by a restart of the container
	byRestart bool // its liveness probe notices
	container string
	windows   []window      // in order; the first is the current or the next one
	drawn     time.Duration // the beginning of the last window
	done      bool          // no more windows will be drawn
	random    random
	active    *Occurrence // now; nil between two windows
}

// newFaultSchedule makes the schedule of a fault.
func newFaultSchedule(f *script.Fault, index int, container string, replica int, seed uint64) *faultSchedule {
	about := []string{"fault", fmt.Sprint(index), container}
	if !f.Shared {
		about = append(about, fmt.Sprint(replica))
	}
	s := &faultSchedule{
		fault: f, effect: f.Effect(), detection: f.Kind.Detection(), cured: f.CuredByRestart(), container: container, random: newRandom(seed, about...),
	}
	switch {
	case f.At != nil:
		s.drawn = s.random.draw(*f.At)
	case f.Every != nil:
		s.drawn = s.random.draw(*f.Every)
	}
	s.add(s.drawn)
	return s
}

func (s *faultSchedule) add(begin time.Duration) {
	end := script.Infinity
	switch {
	case s.effect.EndsProcess:
		end = begin
	case s.fault.For != nil:
		end = begin + s.random.draw(*s.fault.For)
	}
	s.windows = append(s.windows, window{begin, end})
}

// drawUntil draws the windows that begin before a time.
func (s *faultSchedule) drawUntil(until time.Duration) []window {
	for !s.done && s.drawn < until {
		if s.fault.Every == nil {
			s.done = true
			break
		}
		s.drawn += max(s.random.draw(*s.fault.Every), time.Millisecond)
		if n := len(s.windows); n > 0 && s.windows[n-1].end < script.Infinity {
			s.drawn = max(s.drawn, s.windows[n-1].end) // they do not overlap
		}
		s.add(s.drawn)
	}
	return s.windows
}

// at is the window at a time, if there is one.
func (s *faultSchedule) at(t time.Duration) (window, bool) {
	for _, w := range s.drawUntil(t + 1) {
		if w.begin > t {
			break
		}
		if t < w.end {
			return w, true
		}
	}
	return window{}, false
}

// next is the current or the next window.
func (s *faultSchedule) next() (window, bool) {
	if len(s.windows) == 0 {
		s.drawUntil(s.drawn + 1)
	}
	if len(s.windows) == 0 {
		return window{}, false
	}
	return s.windows[0], true
}

// drop takes the current window off the schedule, because it ended.
func (s *faultSchedule) drop() { s.windows = s.windows[1:] }

func valueOr[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}
