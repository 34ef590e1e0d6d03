package compose

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const s = time.Second

// answers is a program that refuses until a time, answers, and hangs or fails during windows.
func upFrom(from time.Duration) Answer {
	return func(begin time.Duration) (time.Duration, bool) { return 0, begin >= from }
}

func TestMonitor(t *testing.T) {
	timing := func(change func(*Timing)) Timing {
		t := DefaultTiming()
		change(&t)
		return t
	}
	hang := func(time.Duration) (time.Duration, bool) { return time.Hour, false }
	for name, c := range map[string]struct {
		timing Timing
		answer Answer
		end    time.Duration
		want   []Check
	}{
		"it waits before the first check": {DefaultTiming(), upFrom(0), 61 * s, []Check{{30 * s, 30 * s, true, true, Healthy}, {60 * s, 60 * s, true, true, Healthy}}},
		"three failures are unhealthy": {DefaultTiming(), upFrom(time.Hour), 91 * s,
			[]Check{{30 * s, 30 * s, false, true, Starting}, {60 * s, 60 * s, false, true, Starting}, {90 * s, 90 * s, false, true, Unhealthy}}},
		"one success is healthy again": {timing(func(t *Timing) { t.Interval, t.Retries = s, 1 }), upFrom(2 * s), 3 * s,
			[]Check{{s, s, false, true, Unhealthy}, {2 * s, 2 * s, true, true, Healthy}}},
		"the interval begins when a check has ended": {timing(func(t *Timing) { t.Interval, t.Timeout = 10*s, 4*s }), hang, 25 * s,
			[]Check{{10 * s, 14 * s, false, true, Starting}, {24 * s, 28 * s, false, true, Starting}}},
		"the start period has its own interval, and its failures do not count": {timing(func(t *Timing) { t.StartPeriod, t.Retries = 12*s, 1 }), upFrom(time.Hour), 50 * s,
			[]Check{{5 * s, 5 * s, false, false, Starting}, {10 * s, 10 * s, false, false, Starting}, {15 * s, 15 * s, false, true, Unhealthy}, {45 * s, 45 * s, false, true, Unhealthy}}},
		"a failure that began within it does not count": {timing(func(t *Timing) { t.StartPeriod, t.StartInterval, t.Timeout = 10*s, 9*s, 4*s }), hang, 10 * s,
			[]Check{{9 * s, 13 * s, false, false, Starting}}},
		"a success ends it": {timing(func(t *Timing) { t.StartPeriod, t.Retries = time.Minute, 1 }),
			func(begin time.Duration) (time.Duration, bool) { return 0, begin == 5*s }, 40 * s,
			[]Check{{5 * s, 5 * s, true, true, Healthy}, {35 * s, 35 * s, false, true, Unhealthy}}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, Monitor(c.timing, c.answer, c.end)); diff != "" {
				t.Errorf("checks (-want +got):\n%s", diff)
			}
		})
	}
}
