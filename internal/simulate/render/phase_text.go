package render

import (
	"fmt"
	"time"

	"github.com/probity-run/probity/internal/simulate"
	"github.com/probity-run/probity/internal/simulate/script"
)

// phaseText gives " (at any phase: 250ms to 10s)", or nothing for what no phase changes.
func phaseText(s *simulate.Summary, of func(*simulate.AnyPhase) simulate.Range, written func(*simulate.Number) string) string {
	a := s.AnyPhase
	if a == nil {
		return ""
	}
	r := of(a)
	least, most := written(r.Least), written(r.Most)
	if least == most {
		return ""
	}
	where := "at any phase"
	if !a.Complete {
		where = fmt.Sprintf("at %d phases that were tried", a.Phases)
	}
	return fmt.Sprintf(" (%s: %s to %s)", where, least, most)
}

// inTime writes a number of seconds.
func inTime(n *simulate.Number) string {
	if n == nil {
		return "never"
	}
	return script.FormatDuration(time.Duration(float64(*n) * float64(time.Second)).Round(time.Millisecond))
}

func inNumbers(n *simulate.Number) string {
	if n == nil {
		return "never"
	}
	return fmt.Sprintf("%.0f", float64(*n))
}
