package drill

import (
	"strings"
	"testing"
	"time"
)

// slow are the probes that Kubernetes makes of a path alone: they may take 31 s to act.
func slow() []Probe {
	numbers := Probe{Period: 10 * second, Timeout: second, Failures: 3, Successes: 1}
	readiness, liveness := numbers, numbers
	readiness.Type, liveness.Type = "Readiness", "Liveness"
	return []Probe{readiness, liveness}
}

// TestLongEnough: a fault that no restart cures lasts until a probe must have been wrong about it.
func TestLongEnough(t *testing.T) {
	const s = time.Second
	quick := Workload{Replicas: 3, Probes: newScene(t, "hang").workload.Probes}
	defaults := Workload{Replicas: 2, Probes: slow()}
	waits := Workload{Replicas: 2, Probes: slow()}
	waits.Probes[1].Delay = 20 * second
	for name, test := range map[string]struct {
		fault string
		w     Workload
		rate  float64
		want  time.Duration
	}{
		"quick probes":           {"dependency-outage:db", quick, 20, outsideLength},
		"Kubernetes' defaults":   {"dependency-outage:db", defaults, 20, 31*s + settleTime + ownLag},
		"of another container":   {"throttle=5%", Workload{Probes: quick.Probes, Beside: []Container{{Probes: slow()}}}, 20, 31*s + settleTime + ownLag},
		"liveness alone":         {"overload=10x", Workload{Replicas: 1, Probes: slow()[1:]}, 20, 31*s + settleTime + ownLag},
		"a load of few requests": {"dependency-outage:db", defaults, 1, 31*s + 17*s + ownLag},
		"a delay":                {"dependency-outage:db@start", waits, 20, 51*s + ownLag},
		"a delay long ago":       {"dependency-outage:db", waits, 20, 31*s + settleTime + ownLag},
		"asked for":              {"dependency-outage:db+5s", defaults, 20, 5 * s},
		"a stall":                {"hang+6300ms", defaults, 20, 6300 * time.Millisecond},
		"inside":                 {"hang", defaults, 20, 0},
		"a limit of memory":      {"memory=64Mi", defaults, 20, outsideLength},
	} {
		f, err := ParseFault(test.fault)
		if got := f.longEnough(&test.w, test.rate).Length; err != nil || got != test.want {
			t.Errorf("%s: %v, %v, want %v", name, got, err, test.want)
		}
	}
}

// TestPlanLengths: the plan has the lengths, and reckons with them.
func TestPlanLengths(t *testing.T) {
	f, err := ParseFault("dependency-outage:db")
	if err != nil {
		t.Fatal(err)
	}
	w := Workload{Name: "deployment/web", Replicas: 2, Probes: slow()}
	p := newPlan(planOptions{workloads: []Workload{w}, faults: []Fault{f}, rate: 20, repetitions: 1, missing: func(Fault, string) string { return "" }})
	if len(p.Steps) != 1 || p.Steps[0].Fault.Length < 31*time.Second || p.Steps[0].Fault.cost(&w, 20) < p.Steps[0].Fault.Length {
		t.Errorf("plan %+v", p)
	}
}

// TestShortRemark: what was over before a probe had to act does not look like a service that bears
// it.
func TestShortRemark(t *testing.T) {
	for fault, want := range map[string]string{
		"dependency-outage:db+5s":  "it lasted 5s, and a probe of these numbers may take 31s",
		"dependency-outage:db+40s": "",
		"dependency-outage:db":     "",
		"hang+5s":                  "",
	} {
		s := newScene(t, fault)
		s.workload.Probes = slow()
		if got := shortRemark([]evidence{s.evidence}); !strings.Contains(got, want) || (got == "") != (want == "") {
			t.Errorf("%s: %q, want %q", fault, got, want)
		}
		if s.Replicas[0].Restarts = 1; shortRemark([]evidence{s.evidence}) != "" {
			t.Errorf("%s: a restart says enough", fault)
		}
	}
}
