package health

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// The cost of a result does not grow with the number of checks: 3,000 checks with a period of 1 s
// took more than half of a core.
func TestCostDoesNotGrow(t *testing.T) {
	few, many := costOfResult(t, 10), costOfResult(t, 3000)
	if many > 10*few+10*time.Microsecond {
		t.Errorf("a result costs %v with 10 checks and %v with 3,000", few, many)
	}
}

// costOfResult is the time that a result takes which changes nothing, the least of many.
func costOfResult(t *testing.T, checks int) time.Duration {
	t.Helper()
	h := New(Options{ShutdownDelay: -1})
	for i := range checks {
		h.Ready(fmt.Sprintf("check %d", i), fine, CheckOptions{Period: time.Hour})
	}
	for i := range checks {
		h.Live(fmt.Sprintf("loop %d", i), time.Hour)
	}
	end := begin(t, h)
	waitFor(t, func() bool { return h.OK(Readiness) })
	least := time.Hour
	for i := range 200 {
		c := h.registry.checks[i%checks]
		h.mu.Lock()
		begun := time.Now()
		c.start(begun)
		c.finish(begun, result{}, half)
		h.changedLocked(c, begun)
		least = min(least, time.Since(begun))
		h.mu.Unlock()
	}
	if err := end(); err != nil {
		t.Error(err)
	}
	return least
}

// BenchmarkResult is what a result costs that changes no answer.
func BenchmarkResult(b *testing.B) {
	for _, n := range []int{1, 10, 100, 3000} {
		b.Run(fmt.Sprintf("checks=%d", n), func(b *testing.B) {
			h := withChecks(b, n)
			h.mu.Lock()
			defer h.mu.Unlock()
			c := h.registry.checks[n/2]
			for b.Loop() {
				now := time.Now()
				c.start(now)
				c.finish(now, result{}, half)
				h.changedLocked(c, now)
			}
		})
	}
}

// An answer has the first names; the rest are counted, and listed in verbose answers.
func TestManyFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{ShutdownDelay: -1})
		fail := func(context.Context) error { return errDown }
		for i := range 30 {
			h.Ready(fmt.Sprintf("owned %d", i), fail)
			h.Depends(fmt.Sprintf("other %d", i), fail)
			h.Live(fmt.Sprintf("loop %d", i), time.Second)
		}
		begin(t, h)
		after(2 * time.Second)
		for path, end := range map[string]string{
			"/readyz": "owned 8 failing, owned 9 failing and 20 more\n", "/livez": "loop 8, loop 9 and 20 more\n",
		} {
			if code, body := ask(h, path); code != 503 || !strings.HasSuffix(body, end) {
				t.Errorf("%s answers %d %q", path, code, body)
			}
		}
		if _, body := ask(h, "/readyz?verbose"); strings.Count(body, "owned ") < 30 {
			t.Errorf("the verbose answer lacks checks:\n%s", body)
		}
	})
}

// The numbers behind the answers are those that a count of the states gives, whatever happens.
func TestNumbersAgree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{ShutdownDelay: -1})
		var checks []*Check
		down := make([]bool, 40)
		for i := range down {
			run := func(context.Context) error {
				if down[i] {
					return errDown
				}
				return nil
			}
			if i%2 == 0 {
				checks = append(checks, h.Ready(fmt.Sprint("check ", i), run, CheckOptions{Period: time.Duration(i+1) * 300 * time.Millisecond}))
			} else {
				checks = append(checks, h.Depends(fmt.Sprint("check ", i), run, CheckOptions{CircuitBreaker: &CircuitBreaker{After: time.Second, Open: 2 * time.Second, HalfOpen: time.Second}}))
			}
		}
		begin(t, h)
		for step := range 400 {
			after(137 * time.Millisecond)
			i := step * 7 % len(down)
			down[i] = !down[i]
			if step%11 == 0 {
				checks[i].Report(errDown)
			}
			if step%50 == 49 {
				checks[i].Remove()
			}
			h.mu.Lock()
			var failing, degraded int
			for _, c := range h.registry.checks {
				switch passes := c.state(time.Now()) == stateOK; {
				case passes:
				case c.gates():
					failing++
				default:
					degraded++
				}
			}
			if r := &h.registry; failing != r.failing || degraded != r.degraded || h.OK(Readiness) != (failing == 0) {
				t.Errorf("step %d: %d and %d checks fail, the numbers are %d and %d", step, failing, degraded, r.failing, r.degraded)
			}
			h.mu.Unlock()
		}
	})
}

func TestTimeline(t *testing.T) {
	var line timeline
	items := make([]*item, 100)
	for i := range items {
		items[i] = new(item)
		line.set(items[i], at(float64(i*37%100)))
	}
	for i := 0; i < len(items); i += 3 {
		line.set(items[i], at(float64(1000-i))) // moved
	}
	for i := 1; i < len(items); i += 3 {
		line.remove(items[i])
		line.remove(items[i]) // nothing
	}
	var got []time.Time
	for next := line.next(); next != nil; next = line.next() {
		got = append(got, next.at)
		line.remove(next)
	}
	if len(got) != 67 || !slices.IsSortedFunc(got, time.Time.Compare) {
		t.Errorf("%d items, in the order %v", len(got), got)
	}
}
