package simulate

import (
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/simulate/script"
)

// window is one occurrence of a fault: from begin to before end.
type window struct{ begin, end time.Duration }

// strike is one fault on one container of one Pod: its occurrence now, or the next one, and those
// that were drawn ahead.
type strike struct {
	fault     *script.Fault
	effect    script.Effect
	container string
	windows   []window // in order; the first is the current or the next one
	drawn     time.Duration
	done      bool // no more windows will be drawn
	chance    chance
	active    *Occurrence
}

// newStrike makes the strike of a fault. phase is added to the first time: in a Monte Carlo
// simulation, when a fault meets the ticks is a matter of chance.
func newStrike(f *script.Fault, index int, container string, replica int, seed uint64, phase time.Duration) *strike {
	about := []string{"fault", fmt.Sprint(index), container}
	if !f.Shared {
		about = append(about, fmt.Sprint(replica))
	}
	s := &strike{fault: f, effect: f.Effect(), container: container, chance: newChance(seed, about...)}
	switch {
	case f.At != nil:
		s.drawn = s.chance.draw(*f.At) + phase
	case f.Every != nil:
		s.drawn = s.chance.draw(*f.Every)
	}
	s.add(s.drawn)
	return s
}

func (s *strike) add(begin time.Duration) {
	end := script.Infinity
	switch {
	case s.effect.EndsProcess:
		end = begin
	case s.fault.For != nil:
		end = begin + s.chance.draw(*s.fault.For)
	}
	s.windows = append(s.windows, window{begin, end})
}

// ahead draws the windows that begin before a time.
func (s *strike) ahead(until time.Duration) []window {
	for !s.done && s.drawn < until {
		if s.fault.Every == nil {
			s.done = true
			break
		}
		s.drawn += max(s.chance.draw(*s.fault.Every), time.Millisecond)
		if n := len(s.windows); n > 0 && s.windows[n-1].end < script.Infinity {
			s.drawn = max(s.drawn, s.windows[n-1].end) // they do not overlap
		}
		s.add(s.drawn)
	}
	return s.windows
}

// at is the window at a time, if there is one.
func (s *strike) at(t time.Duration) (window, bool) {
	for _, w := range s.ahead(t + 1) {
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
func (s *strike) next() (window, bool) {
	if len(s.windows) == 0 {
		s.ahead(s.drawn + 1)
	}
	if len(s.windows) == 0 {
		return window{}, false
	}
	return s.windows[0], true
}

// over drops the current window, because it ended now.
func (s *strike) over() { s.windows = s.windows[1:] }

// notices reports whether a probe of a container notices a fault. A connection is all that a
// tcpSocket probe asks for: the kernel makes it for a process that hangs (R79).
func notices(f *script.Fault, c *corev1.Container, t lifecycle.ProbeType, p *corev1.Probe) bool {
	switch {
	case p.TCPSocket != nil && !f.Effect().Refuses:
		return false
	case f.Path != "" && (p.HTTPGet == nil || path(p.HTTPGet.Path) != f.Path):
		return false
	case f.Probes != nil:
		return slices.Contains(f.Probes, t)
	case f.OfDependency() && f.Path == "":
		return t == lifecycle.Readiness || c.ReadinessProbe != nil && sameQuestion(c.ReadinessProbe, p)
	default:
		return true
	}
}

// sameQuestion says whether two probes ask the program the same.
func sameQuestion(a, b *corev1.Probe) bool {
	switch {
	case a.HTTPGet != nil && b.HTTPGet != nil:
		return path(a.HTTPGet.Path) == path(b.HTTPGet.Path) && a.HTTPGet.Port == b.HTTPGet.Port && a.HTTPGet.Host == b.HTTPGet.Host
	case a.Exec != nil && b.Exec != nil:
		return slices.Equal(a.Exec.Command, b.Exec.Command)
	case a.GRPC != nil && b.GRPC != nil:
		return a.GRPC.Port == b.GRPC.Port && valueOr(a.GRPC.Service, "") == valueOr(b.GRPC.Service, "")
	default:
		return false
	}
}

func valueOr[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}
