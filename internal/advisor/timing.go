package advisor

import "time"

// Timing is what the five numbers of a probe amount to. All are seconds and effective: defaults are filled in (R177).
type Timing struct {
	Delay            int // initialDelaySeconds
	Period           int // periodSeconds, at least 1
	Timeout          int // timeoutSeconds, at least 1
	FailureThreshold int // at least 1
	SuccessThreshold int // at least 1
}

// Interval is the time between the starts of two probes of a target that hangs: the kubelet probes one at a time, so a timeout
// beyond the period stretches it (R10, R12).
func (t Timing) Interval() int { return max(t.Period, t.Timeout) }

// ToleratedStall is the longest time without an answer, A, after which the probe surely has not acted: (F-1)*max(P,T)+T.
func (t Timing) ToleratedStall() int { return (t.FailureThreshold-1)*t.Interval() + t.Timeout }

// CertainStall is the shortest time without an answer after which the probe surely has acted: A+P. Between the two it depends on the phase.
func (t Timing) CertainStall() int { return t.ToleratedStall() + t.Period }

// StallOdds is the chance that one stall of that length makes the probe act, with a random phase.
func (t Timing) StallOdds(stall time.Duration) float64 {
	late := stall.Seconds() - float64(t.ToleratedStall())
	return min(max(late/float64(t.Period), 0), 1)
}

// SafeStart is W_safe: an application that answers within this time after its start is never given up. Before that a probe of it fails fast.
func (t Timing) SafeStart() int { return t.Delay + (t.FailureThreshold-1)*t.Period }

// CertainLoop is W_kill: an application that needs longer than this to start is killed at every attempt.
func (t Timing) CertainLoop() int { return t.Delay + t.FailureThreshold*t.Period }

// LoopOdds is the chance that one attempt to start, which takes that long, is cut short.
func (t Timing) LoopOdds(start time.Duration) float64 {
	late := start.Seconds() - float64(t.SafeStart())
	return min(max(late/float64(t.Period), 0), 1)
}

// ThresholdForStart is the smallest failureThreshold with which a start of so many seconds is safe: ceil((S-D)/P)+1.
func (t Timing) ThresholdForStart(seconds int) int {
	return ceilDiv(max(seconds-t.Delay, 0), t.Period) + 1
}

// ThresholdForStall is the smallest failureThreshold with which the tolerated stall is at least so many seconds.
func (t Timing) ThresholdForStall(seconds int) int {
	return ceilDiv(max(seconds-t.Timeout, 0), t.Interval()) + 1
}

// Rate is how many probes a second one replica gets.
func (t Timing) Rate() float64 { return 1 / float64(t.Period) }

func ceilDiv(a, b int) int { return (a + b - 1) / b }
