package drill

import (
	"testing"
	"time"
)

// TestRecovery: a service that starts slowly is not called stuck while it may still start.
func TestRecovery(t *testing.T) {
	w := Workload{Replicas: 4, Start: 40 * second, Grace: 20 * second, MinReady: 5 * second, Probes: []Probe{{Type: "Readiness", Period: 2 * second, Timeout: second, Failures: 1, Successes: 1}}}
	const s, notices = time.Second, 5*time.Second + lagLimit
	for name, test := range map[string]struct {
		fault  string
		killed bool
		want   time.Duration
	}{
		"an outage at the start": {"dependency-outage:db@start", false, 90*s + 20*s + notices},
		"an outage":              {"dependency-outage:db", false, 90*s + 20*s + notices},
		"a slow start":           {"slow-start=2x", false, 90*s + 20*s + notices},
		"a crash":                {"crash", false, 90*s + 20*s},
		"a rollout":              {"rollout", false, 90*s + 4*(60*s+5*s)},
		"a restart that cures":   {"hang", true, 90 * s},
		"none":                   {"hang", false, 90*s + 20*s},
	} {
		f, err := ParseFault(test.fault)
		if got := f.recovery(&w, test.killed); err != nil || got != test.want {
			t.Errorf("%s: %v, %v, want %v", name, got, err, test.want)
		}
	}
}

// TestStartLimit: a service is not called one that is never ready while its startup probe waits.
func TestStartLimit(t *testing.T) {
	startup := []Probe{{Type: "Startup", Delay: 20 * second, Period: 10 * second, Timeout: second, Failures: 60, Successes: 1}}
	readiness := []Probe{{Type: "Readiness", Delay: 200 * second, Period: 5 * second, Timeout: second, Failures: 3, Successes: 2}}
	for name, test := range map[string]struct {
		w    Workload
		want time.Duration
	}{
		"no probe":            {Workload{}, startTime},
		"a startup probe":     {Workload{Probes: startup}, 621*time.Second + startSlack},
		"another container's": {Workload{Beside: []Container{{Probes: startup}}}, 621*time.Second + startSlack},
		"a delay":             {Workload{Probes: readiness}, 211*time.Second + startSlack},
		"both":                {Workload{Probes: append(startup, readiness...)}, 832*time.Second + startSlack},
	} {
		if got := startLimit([]*target{{}, {Workload: test.w}}); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}
