package workload

import (
	"testing"
	"time"
)

// TestPortTurn plays the starts and ends of a program. Each step is a start at second 0 and the
// instance's end; want is for how many seconds the number was left to it.
func TestPortTurn(t *testing.T) {
	type instance struct {
		refused bool
		want    int
	}
	for name, instances := range map[string][]instance{
		"first":                            {{want: 10}},
		"had it for itself and ended":      {{want: 10}, {want: 0}, {want: 0}},
		"found it taken":                   {{want: 10, refused: true}, {want: 20}},
		"waits for the Service that it is": {{want: 10}, {want: 0, refused: true}, {want: 20}, {want: 0, refused: true}, {want: 40}, {want: 0}},
		"takes ever longer than its turn": {
			{want: 10, refused: true}, {want: 20, refused: true}, {want: 40, refused: true}, {want: 80, refused: true},
			{want: 160, refused: true}, {want: 320, refused: true}, {want: 320},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var turn PortTurn
			now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			if turn.Until().After(now) {
				t.Error("a turn before the first start")
			}
			for i, inst := range instances {
				turn.Start(now)
				if got := turn.Until().Sub(now); got != time.Duration(inst.want)*time.Second {
					t.Errorf("instance %d: %v, want %d s", i, got, inst.want)
				}
				turn.End(inst.refused)
				if turn.Until().After(now) {
					t.Errorf("instance %d has ended, its turn has not", i)
				}
				now = now.Add(time.Hour)
			}
		})
	}
}

// TestPatience: the first turn is as long as was said, and grows as any other.
func TestPatience(t *testing.T) {
	turn := PortTurn{Patience: time.Minute}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, want := range []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute} {
		turn.Start(now)
		if got := turn.Until().Sub(now); got != want {
			t.Errorf("%v, want %v", got, want)
		}
		turn.End(true)
	}
}
