package advisor

import (
	"time"

	"github.com/probity-run/probity/internal/timing"
)

// Numbers are the five numbers of a probe, and what package timing makes of them, in whole seconds.
// They are effective: defaults are filled in (R177).
type Numbers struct {
	Delay            int // initialDelaySeconds
	Period           int // periodSeconds, at least 1
	Timeout          int // timeoutSeconds, at least 1
	FailureThreshold int // at least 1
	SuccessThreshold int // at least 1
}

// probe is what package timing calculates with.
func (n Numbers) probe() timing.Probe {
	return timing.Probe{Delay: duration(n.Delay), Period: duration(n.Period), Timeout: duration(n.Timeout), Failures: n.FailureThreshold}
}

// Interval is [timing.Probe.Interval] in seconds.
func (n Numbers) Interval() int { return whole(n.probe().Interval()) }

// ToleratedStall is A, the longest time without an answer after which the probe surely has not
// acted.
func (n Numbers) ToleratedStall() int { return whole(n.probe().Tolerated()) }

// CertainStall is A+P, the shortest time without an answer after which the probe surely has acted.
// Between the two it depends on when the attempts fall.
func (n Numbers) CertainStall() int { return whole(n.probe().Certain()) }

// StartSafe is W_safe: an application that answers within this time after its start is never killed
// for its start. Until it answers, its probes are refused at once.
func (n Numbers) StartSafe() int { return whole(n.probe().StartSafe(false)) }

// StartFatal is W_kill: an application that needs longer than this to start is killed at every
// attempt.
func (n Numbers) StartFatal() int { return whole(n.probe().StartFatal(false)) }

// ThresholdForStart is the smallest failureThreshold with which a start of so many seconds is safe:
// ceil((S-D)/P)+1.
func (n Numbers) ThresholdForStart(seconds int) int {
	return ceilDiv(max(seconds-n.Delay, 0), n.Period) + 1
}

// ThresholdForStall is the smallest failureThreshold with which the tolerated stall is at least so
// many seconds.
func (n Numbers) ThresholdForStall(seconds int) int {
	return ceilDiv(max(seconds-n.Timeout, 0), n.Interval()) + 1
}

// Rate is how many probes a second one replica gets.
func (n Numbers) Rate() float64 { return 1 / float64(n.Period) }

func ceilDiv(a, b int) int { return (a + b - 1) / b }

func duration(seconds int) time.Duration { return time.Duration(seconds) * time.Second }

func whole(d time.Duration) int { return int(d / time.Second) }
