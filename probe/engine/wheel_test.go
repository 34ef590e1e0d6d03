package engine

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// ticker drives a wheel in virtual time and notes what fires when.
type ticker struct {
	wheel wheel
	fired map[string]tick
}

func newTicker() *ticker { return &ticker{fired: make(map[string]tick)} }

func (w *ticker) timer(name string) *timer {
	return &timer{fire: func() { w.fired[name] = w.wheel.now }}
}

func TestWheelFiresInTime(t *testing.T) {
	w := newTicker()
	w.wheel.add(w.timer("past"), -5)
	w.wheel.add(w.timer("now"), 0)
	w.wheel.add(w.timer("next"), 1)
	w.wheel.add(w.timer("last of the turn"), slots)
	w.wheel.add(w.timer("a turn on"), slots+1)
	w.wheel.add(w.timer("many turns on"), 10*slots+7)
	for to := range tick(11 * slots) {
		w.wheel.advance(to)
	}
	want := map[string]tick{"past": 1, "now": 1, "next": 1, "last of the turn": slots, "a turn on": slots + 1, "many turns on": 10*slots + 7}
	if diff := cmp.Diff(want, w.fired); diff != "" {
		t.Errorf("fired at (-want +got):\n%s", diff)
	}
	if next, ok := w.wheel.next(); ok {
		t.Errorf("next = %d, want none", next)
	}
}

// TestWheelLeap: after a long gap all that is due fires at once, and nothing else.
func TestWheelLeap(t *testing.T) {
	w := newTicker()
	w.wheel.add(w.timer("one"), 1)
	w.wheel.add(w.timer("two"), 3*slots+9)
	w.wheel.add(w.timer("later"), 5*slots+1)
	w.wheel.advance(5 * slots)
	want := map[string]tick{"one": 5 * slots, "two": 5 * slots}
	if diff := cmp.Diff(want, w.fired); diff != "" {
		t.Errorf("fired at (-want +got):\n%s", diff)
	}
	if next, ok := w.wheel.next(); !ok || next != 5*slots+1 {
		t.Errorf("next = %d, %v; want %d", next, ok, 5*slots+1)
	}
}

// TestWheelRespectsCallbacks: timers may remove, move and add timers, those due in the same moment
// too.
func TestWheelRespectsCallbacks(t *testing.T) {
	w := newTicker()
	removed, moved := w.timer("removed"), w.timer("moved")
	w.wheel.add(removed, 5)
	w.wheel.add(moved, 5)
	again := w.timer("again")
	first := &timer{}
	first.fire = func() {
		w.wheel.remove(removed)
		w.wheel.add(moved, 8)
		w.wheel.add(again, 5) // is over: the next one
	}
	w.wheel.add(first, 4)
	w.wheel.advance(4)
	w.wheel.advance(20)
	if diff := cmp.Diff(map[string]tick{"moved": 8, "again": 5}, w.fired); diff != "" {
		t.Errorf("fired at (-want +got):\n%s", diff)
	}
	var pair [2]*timer
	left := 0
	for i := range pair {
		pair[i] = &timer{fire: func() { left++; w.wheel.remove(pair[1-i]) }}
		w.wheel.add(pair[i], 30)
	}
	w.wheel.advance(30)
	if left != 1 {
		t.Errorf("%d of two timers fired that remove each other, want 1", left)
	}
}

// TestWheelAgainstModel compares a long random life with the obvious implementation.
func TestWheelAgainstModel(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var w wheel
	model := make(map[int]tick)
	timers := make([]*timer, 200)
	for i := range timers {
		timers[i] = &timer{fire: func() {
			if due, ok := model[i]; !ok || due > w.now {
				t.Errorf("timer %d fired at %d, want %d", i, w.now, due)
			}
			delete(model, i)
		}}
	}
	for range 20000 {
		i := random.IntN(len(timers))
		switch random.IntN(4) {
		case 0:
			w.remove(timers[i])
			delete(model, i)
		case 1:
			when := w.now + 1 + tick(random.IntN(3*slots))
			w.add(timers[i], when)
			model[i] = when
		default:
			if next, ok := w.next(); ok != (len(model) > 0) || (ok && next <= w.now) {
				t.Fatalf("next = %d, %v with %d timers at %d", next, ok, len(model), w.now)
			}
			w.advance(w.now + tick(random.IntN(40)))
			for i, due := range model {
				if due <= w.now {
					t.Fatalf("timer %d has not fired at %d, was due at %d", i, w.now, due)
				}
			}
		}
	}
}
