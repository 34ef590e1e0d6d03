package advisor

import (
	"math/rand/v2"
	"testing"
	"time"
)

// ticks is a probe as the kubelet runs it, without any formula: attempts at phase, phase+P, …,
// never two at a time, at most one missed tick remembered (R7, R10). answer says for an attempt
// that starts at some time how long it takes to fail, or that it succeeds. It returns the time of
// the F-th failure in a row, or ok = false if there was none up to the horizon. All times are
// milliseconds.
func ticks(n Numbers, phase, horizon int, answer func(start int) (takes int, ok bool)) (acts int, acted bool) {
	failures, free := 0, 0
	for tick := phase; tick < horizon; tick += n.Period * 1000 {
		start := max(tick, free)
		if start >= tick+n.Period*1000 {
			continue // this tick was missed: a later one is pending already
		}
		takes, ok := answer(start)
		free = start + takes
		if ok {
			failures = 0
			continue
		}
		if failures++; failures == n.FailureThreshold {
			return start + takes, true
		}
	}
	return 0, false
}

func randomNumbers(r *rand.Rand) Numbers {
	period := 1 + r.IntN(20)
	return Numbers{Delay: r.IntN(60), Period: period, Timeout: 1 + r.IntN(period), FailureThreshold: 1 + r.IntN(6), SuccessThreshold: 1}
}

// A stall up to A never makes the probe act and one from A+P on always does, whatever the phase; in
// between it does for a part of the phases that grows evenly.
func TestToleratedStall(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 1))
	for range 300 {
		numbers := randomNumbers(r)
		const begin = 1_000_000
		acts := func(stall, phase int) bool {
			_, acted := ticks(numbers, phase, begin+stall+1000, func(start int) (int, bool) {
				end := begin + stall
				if start < begin || end-start <= numbers.Timeout*1000 {
					return 0, true // answered, at the latest when the stall ends within the timeout
				}
				return numbers.Timeout * 1000, false
			})
			return acted
		}
		for range 50 {
			phase := r.IntN(numbers.Period * 1000)
			if stall := numbers.ToleratedStall() * 1000; acts(stall, phase) {
				t.Fatalf("%+v: a stall of A = %d ms acts at phase %d", numbers, stall, phase)
			}
			if stall := numbers.CertainStall()*1000 + 1; !acts(stall, phase) {
				t.Fatalf("%+v: a stall beyond A+P = %d ms does not act at phase %d", numbers, stall, phase)
			}
		}
		acted := 0
		const steps = 200
		stall := numbers.ToleratedStall()*1000 + numbers.Period*500
		for i := range steps {
			if acts(stall, i*numbers.Period*1000/steps) {
				acted++
			}
		}
		if odds := numbers.probe().ActsOn(time.Duration(stall) * time.Millisecond); odds != 0.5 || acted < steps*45/100 || acted > steps*55/100 {
			t.Fatalf("%+v: half way between, %d of %d phases act, odds %v", numbers, acted, steps, odds)
		}
	}
}

// A start up to W_safe always succeeds, one beyond W_kill never does, and in between the odds fall
// evenly.
func TestStartBudget(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 2))
	for range 300 {
		numbers := randomNumbers(r)
		killed := func(startsAt, phase int) bool {
			_, acted := ticks(numbers, numbers.Delay*1000+phase, startsAt+numbers.Period*2000, func(start int) (int, bool) { return 0, start >= startsAt })
			return acted
		}
		for range 50 {
			phase := r.IntN(numbers.Period * 1000)
			if killed(numbers.StartSafe()*1000, phase) {
				t.Fatalf("%+v: a start of W_safe = %d s is killed at phase %d", numbers, numbers.StartSafe(), phase)
			}
			if !killed(numbers.StartFatal()*1000, phase) {
				t.Fatalf("%+v: a start of W_kill = %d s survives at phase %d", numbers, numbers.StartFatal(), phase)
			}
		}
		if odds := numbers.probe().CutShort(time.Duration(numbers.StartSafe())*time.Second+time.Duration(numbers.Period)*time.Second/4, false); odds != 0.25 {
			t.Fatalf("%+v: odds %v a quarter of the way", numbers, odds)
		}
	}
}

// The thresholds that patches propose are enough, and the next smaller ones are not.
func TestThresholds(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 3))
	for range 1000 {
		numbers, seconds := randomNumbers(r), r.IntN(300)
		numbers.Timeout = 1 + r.IntN(30)
		numbers.FailureThreshold = numbers.ThresholdForStart(seconds)
		if numbers.StartSafe() < seconds {
			t.Fatalf("%+v is not safe for a start of %d s", numbers, seconds)
		}
		if numbers.FailureThreshold--; numbers.FailureThreshold > 0 && numbers.StartSafe() >= seconds {
			t.Fatalf("%+v would be enough for a start of %d s", numbers, seconds)
		}
		numbers.FailureThreshold = numbers.ThresholdForStall(seconds)
		if numbers.ToleratedStall() < seconds {
			t.Fatalf("%+v does not tolerate %d s", numbers, seconds)
		}
		if numbers.FailureThreshold--; numbers.FailureThreshold > 0 && numbers.ToleratedStall() >= seconds {
			t.Fatalf("%+v would tolerate %d s", numbers, seconds)
		}
	}
}

// TestWorkedValues are P/T/F with the stall that is tolerated and the one that certainly kills.
func TestWorkedValues(t *testing.T) {
	for _, c := range []struct{ p, t, f, tolerated, certain int }{{10, 1, 3, 21, 31}, {5, 2, 2, 7, 12}, {10, 5, 6, 55, 65}, {20, 10, 1, 10, 30}, {5, 10, 3, 30, 35}} {
		numbers := Numbers{Period: c.p, Timeout: c.t, FailureThreshold: c.f}
		if numbers.ToleratedStall() != c.tolerated || numbers.CertainStall() != c.certain {
			t.Errorf("%+v: %d to %d s, want %d to %d", numbers, numbers.ToleratedStall(), numbers.CertainStall(), c.tolerated, c.certain)
		}
	}
}
