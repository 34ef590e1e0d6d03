package simulate

import (
	"testing"
	"time"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/simulate/script"
	"github.com/probity-run/probity/internal/simulate/simulatetest"
)

// TestDrillWords plays the faults that a drill injects: which of them restart a Pod whose liveness
// asks another question than its readiness, and after which time.
func TestDrillWords(t *testing.T) {
	const probes = "readinessProbe: {httpGet: {path: /ready, port: http}, periodSeconds: 1, timeoutSeconds: 1, failureThreshold: 2}\n" +
		"livenessProbe: {httpGet: {path: /live, port: http}, periodSeconds: 5, timeoutSeconds: 1, failureThreshold: 2}"
	for word, want := range map[string]struct {
		restarts int
		unready  bool // readiness fails meanwhile
	}{
		"throttle=5%@60s+30s":                       {0, false}, // 5 ms become 100 ms
		"throttle=1%@60s+30s":                       {0, false}, // 500 ms
		"fds@60s":                                   {1, true},
		"memory=64Mi@60s":                           {1, true},
		"crash=137@60s":                             {1, true},
		"deadlock@60s":                              {1, true}, // by the kill alone
		"dependency-outage:db=hang@60s+20s":         {0, true},
		"dependency-outage:db=reset@60s+20s":        {0, true},
		"dependency-outage:db=slow:300ms@60s+20s":   {0, false},
		"dependency-outage:db=slow:3s@60s+20s":      {0, true},
		"dns=slow:5s@60s+20s":                       {0, true},
		"dependency-outage:db@start+30s":            {0, true},
		"dependency-outage:db=slow:3s@60s/liveness": {6, true}, // a liveness probe that checks it, against all advice
	} {
		t.Run(word, func(t *testing.T) {
			r, err := Run(simulatetest.Objects(t, simulatetest.PodWith(probes)), simulatetest.Script(t, word), Options{Horizon: 5 * time.Minute})
			if err != nil {
				t.Fatal(err)
			}
			if got := r.Summary.Restarts; got != want.restarts {
				t.Errorf("%d restarts, want %d", got, want.restarts)
			}
			unready := r.Summary.Routes[0].Unavailable > 0 || *r.Summary.FirstReady > Offset(20*time.Second)
			if unready != want.unready {
				t.Errorf("unavailable for %v, ready at %v; want it unready: %v", r.Summary.Routes[0].Unavailable, r.Summary.FirstReady, want.unready)
			}
		})
	}
}

// TestThrottleSlows: answers that compute for 100 ms are too late at a twentieth of a processor,
// and a tcpSocket probe, which the kernel answers, notices nothing.
func TestThrottleSlows(t *testing.T) {
	for probe, want := range map[string]int{"httpGet: {path: /, port: http}": 1, "tcpSocket: {port: http}": 0} {
		sc := simulatetest.Script(t, "throttle=5%@60s+60s")
		sc.Programs["*"] = script.Program{Before: script.Reply{Kind: script.ReplyRefused}, Latency: script.Fixed(100 * time.Millisecond)}
		r, err := Run(simulatetest.Objects(t, simulatetest.PodWith("livenessProbe: {"+probe+", periodSeconds: 10, timeoutSeconds: 1, failureThreshold: 3}")), sc, Options{Horizon: 100 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		if got := len(r.Summary.Verdicts); got != want {
			t.Errorf("%s: %d decisions to restart by %v, want %d", probe, got, lifecycle.Liveness, want)
		}
	}
}
