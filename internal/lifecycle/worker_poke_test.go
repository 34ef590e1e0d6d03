package lifecycle

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

func TestPoke(t *testing.T) { // R13
	tests := []struct {
		name     string
		typ      ProbeType
		probe    *corev1.Probe
		triggers []time.Duration
		find     func() ProbeOutcome
		want     []time.Duration
	}{
		{"not triggeredAt", Readiness, newProbe(1, period(10)), nil, succeed, halves(1, 21, 41)},
		{"triggeredAt at once it waits for the status to be seen, and the tick is earlier", Readiness, newProbe(1, period(10)), halves(0), succeed, halves(1, 21, 41)},
		{"triggeredAt at once, the tick is later than a second", Readiness, newProbe(1, period(10), delayed(1)), halves(0), succeed, halves(2, 22, 42)},
		{"triggeredAt: the period begins anew", Readiness, newProbe(1, period(10), delayed(2)), halves(4), succeed, halves(4, 24, 44)},
		{"R19.8 triggeredAt within the initial delay", Readiness, newProbe(1, period(10), delayed(2)), halves(3), succeed, halves(5, 25, 45)},
		{"two triggers make one run", Readiness, newProbe(1, period(10), delayed(2)), halves(4, 4), succeed, halves(4, 24, 44)},
		{"liveness knows no triggers", Liveness, newProbe(9, period(10), delayed(2)), halves(4), succeed, halves(5, 25, 45)},
		{"startup neither", Startup, newProbe(9, period(10), delayed(2)), halves(4), fail, halves(5, 25, 45)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(tt.typ, tt.probe)
			b.begins("1", 0)
			for _, d := range tt.triggers {
				b.trigger(b.at(d))
			}
			if diff := cmp.Diff(tt.want, b.runs(25*time.Second, 0, tt.find)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// R13 R18: a second after it is seen, though the tick is far
func TestPokeOfANewInstance(t *testing.T) {
	b := newBench(Readiness, newProbe(1, period(30)))
	b.begins("1", 0)
	b.runs(5*time.Second, 0, succeed)
	b.begins("2", 6*time.Second)
	b.trigger(b.at(6 * time.Second))
	if diff := cmp.Diff(halves(14, 74), b.runs(40*time.Second, 0, succeed)); diff != "" {
		t.Error(diff)
	}
}

// TestBegin: nothing that concerns the instance before is left but the run and the phase.
func TestBegin(t *testing.T) {
	b := newBench(Readiness, newProbe(1, period(100)))
	b.begins("1", 0)
	if !b.runIfDue(b.at(time.Second)) { // never answered
		t.Fatal("no run at a second")
	}
	b.trigger(b.at(5 * time.Second))
	b.begins("2", 90*time.Second)
	if got := b.due().Sub(b.start); got != 100500*time.Millisecond {
		t.Errorf("due at %v, want 1m40.5s: neither the trigger nor the resync of the instance before", got)
	}
	if !b.runIfDue(b.at(101 * time.Second)) {
		t.Error("no run when due")
	}
}

func TestReadyIgnoresPokes(t *testing.T) { // R14: once Ready, only the ticks drive it
	b := newBench(Readiness, newProbe(1, period(30)))
	b.begins("1", 0)
	b.runs(time.Second, 0, succeed)
	b.trigger(b.at(5 * time.Second))
	if got := b.due().Sub(b.start); got != 30500*time.Millisecond {
		t.Errorf("due at %v, want 30.5s", got)
	}
}

// TestFirstSyncAfterTheDelay: what is asked for within the initial delay is dropped, and the next
// sync asks again, however far the first tick is (R14, R18, R19.8).
func TestFirstSyncAfterTheDelay(t *testing.T) {
	for _, c := range []struct {
		name     string
		delay    int32
		resync   time.Duration
		triggers []time.Duration
		want     []time.Duration
	}{
		{"no delay, and nothing else happens", 0, 0, nil, halves(122)},
		{"a delay before the first sync", 30, 0, nil, halves(122)},
		{"a delay just until a sync", 61, 0, nil, halves(122)},
		{"a delay until after a sync", 62, 0, nil, halves(242)},
		{"a later kind of sync", 62, 90 * time.Second, nil, halves(182)},
		{"counted from the last status", 62, 0, []time.Duration{20 * time.Second}, halves(160)},
		{"the tick is earlier", 290, 0, nil, halves(581)},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(Readiness, newProbe(1, period(300), delayed(c.delay)))
			b.anchor = b.start.Add(290*time.Second + 500*time.Millisecond)
			if c.resync > 0 {
				b.resync = c.resync
			}
			b.begins("1", 0)
			for _, d := range c.triggers {
				b.trigger(b.at(d))
			}
			if diff := cmp.Diff(c.want, b.runs(300*time.Second, 0, succeed)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
