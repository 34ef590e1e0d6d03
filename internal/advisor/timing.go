package advisor

import (
	"time"

	"github.com/probity-run/probity/internal/timing"
)

// Timing is what the five numbers of a probe amount to. All are seconds and effective: defaults are
// filled in (R177).
type Timing struct {
	Delay            int // initialDelaySeconds
	Period           int // periodSeconds, at least 1
	Timeout          int // timeoutSeconds, at least 1
	FailureThreshold int // at least 1
	SuccessThreshold int // at least 1
}

// exact is what the formulas calculate with.
func (t Timing) exact() timing.Probe {
	return timing.Probe{Delay: duration(t.Delay), Period: duration(t.Period), Timeout: duration(t.Timeout), Failures: t.FailureThreshold}
}

// Interval is [timing.Probe.Interval] in seconds.
func (t Timing) Interval() int { return whole(t.exact().Interval()) }

// ToleratedStall is the longest time without an answer, A, after which the probe surely has not
// acted.
func (t Timing) ToleratedStall() int { return whole(t.exact().Tolerated()) }

// CertainStall is the shortest time without an answer after which the probe surely has acted: A+P.
// Between the two it depends on the phase.
func (t Timing) CertainStall() int { return whole(t.exact().Certain()) }

// StallOdds is the chance that one stall of that length makes the probe act, with a random phase.
func (t Timing) StallOdds(stall time.Duration) float64 { return t.exact().ActsOn(stall) }

// SafeStart is W_safe: an application that answers within this time after its start is never given
// up. Before that a probe of it fails fast.
func (t Timing) SafeStart() int { return whole(t.exact().StartSafe(false)) }

// CertainLoop is W_kill: an application that needs longer than this to start is killed at every
// attempt.
func (t Timing) CertainLoop() int { return whole(t.exact().StartFatal(false)) }

// LoopOdds is the chance that one attempt to start, which takes that long, is cut short.
func (t Timing) LoopOdds(start time.Duration) float64 { return t.exact().CutShort(start, false) }

// ThresholdForStart is the smallest failureThreshold with which a start of so many seconds is safe:
// ceil((S-D)/P)+1.
func (t Timing) ThresholdForStart(seconds int) int {
	return ceilDiv(max(seconds-t.Delay, 0), t.Period) + 1
}

// ThresholdForStall is the smallest failureThreshold with which the tolerated stall is at least so
// many seconds.
func (t Timing) ThresholdForStall(seconds int) int {
	return ceilDiv(max(seconds-t.Timeout, 0), t.Interval()) + 1
}

// Rate is how many probes a second one replica gets.
func (t Timing) Rate() float64 { return 1 / float64(t.Period) }

func ceilDiv(a, b int) int { return (a + b - 1) / b }

func duration(seconds int) time.Duration { return time.Duration(seconds) * time.Second }

func whole(d time.Duration) int { return int(d / time.Second) }
