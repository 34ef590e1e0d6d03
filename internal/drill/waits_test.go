package drill

import (
	"testing"
	"time"
)

// TestRecovery: a service that starts slowly is not called stuck while it may still start.
func TestRecovery(t *testing.T) {
	w := Workload{Replicas: 4, Start: 40 * second, Grace: 20 * second, Probes: []Probe{{Type: "Readiness", Period: 2 * second, Timeout: second, Failures: 1, Successes: 1}}}
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
		"a rollout":              {"rollout", false, 90*s + 4*60*s},
		"a restart that cures":   {"hang", true, 90 * s},
		"none":                   {"hang", false, 90*s + 20*s},
	} {
		f, err := ParseFault(test.fault)
		if got := f.recovery(&w, test.killed); err != nil || got != test.want {
			t.Errorf("%s: %v, %v, want %v", name, got, err, test.want)
		}
	}
}
