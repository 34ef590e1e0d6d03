package health

import (
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-1:                           "X is -1ns, it must not be negative",
		0:                            "",
		1:                            "X is 1ns, it must be at least 1ms: did you mean 1*time.Second?",
		999:                          "did you mean 999*time.Second?",
		5000:                         "X is 5µs, it must be at least 1ms: did you mean 5000*time.Millisecond?",
		500 * time.Microsecond:       "X is 500µs, it must be at least 1ms",
		time.Millisecond - 1:         "it must be at least 1ms",
		time.Millisecond:             "",
		24 * time.Hour:               "",
		time.Second * time.Second:    "it must be at most 87600h0m0s: is it multiplied by a unit twice?",
		math.MaxInt64:                "is it multiplied by a unit twice?",
		5 * 365 * 24 * time.Hour:     "",
		10*365*24*time.Hour + 1:      "it must be at most",
		time.Duration(math.MinInt64): "it must not be negative",
	} {
		err := optional("X", d)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%d ns: %v, want %q", d, err, want)
		}
	}
	if err := positive("the limit", 0); err == nil || err.Error() != "the limit is 0s, it must be positive" {
		t.Errorf("a limit of 0: %v", err)
	}
}

// A duration whose unit was forgotten is refused, wherever the API takes one, before anything
// starts.
func TestForgottenUnit(t *testing.T) {
	for name, use := range map[string]func(h *Health){
		"Period":                  func(h *Health) { h.Ready("a", fine, CheckOptions{Period: 5}) },
		"Timeout":                 func(h *Health) { h.Depends("a", fine, CheckOptions{Timeout: 5}) },
		"MaxAge":                  func(h *Health) { h.Ready("a", fine, CheckOptions{MaxAge: 5}) },
		"CircuitBreaker.After":    func(h *Health) { h.Depends("a", fine, CheckOptions{CircuitBreaker: &CircuitBreaker{After: 5}}) },
		"CircuitBreaker.Open":     func(h *Health) { h.Depends("a", fine, CheckOptions{CircuitBreaker: &CircuitBreaker{Open: 5}}) },
		"CircuitBreaker.HalfOpen": func(h *Health) { h.Depends("a", fine, CheckOptions{CircuitBreaker: &CircuitBreaker{HalfOpen: 5}}) },
		"Budget":                  func(h *Health) { h.Startup("a", TaskOptions{Budget: 5}) },
		"Stall":                   func(h *Health) { h.Startup("a", TaskOptions{Stall: 5}) },
		"the limit":               func(h *Health) { h.Live("a", 5).Beat() },
		"the limit of a lock":     func(h *Health) { h.LiveLock("a", new(testLock), 5) },
		"the limit of timers":     func(h *Health) { h.LiveScheduler(5) },
		"the limit of a listener": func(h *Health) { h.LiveListener("a", ":8080", 5) },
		"DrainTimeout":            func(h *Health) { h.options.DrainTimeout = 5 },
		"ShutdownDelay":           func(h *Health) { h.options.ShutdownDelay = 5 },
	} {
		t.Run(name, func(t *testing.T) {
			h := New(Options{})
			use(h)
			err := h.Run(t.Context())
			field, _, _ := strings.Cut(name, " of ")
			if want := field + " is 5ns, it must be at least 1ms: did you mean 5*time.Second?"; err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("Run returned %v, want %q", err, want)
			}
		})
	}
	err := ProbeFile(filepath.Join(t.TempDir(), "heartbeat"), Liveness, 10)
	if err == nil || !strings.Contains(err.Error(), "maxAge is 10ns, it must be at least 1ms: did you mean 10*time.Second?") {
		t.Errorf("ProbeFile returned %v", err)
	}
}
