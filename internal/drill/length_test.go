package drill

import (
	"cmp"
	"strings"
	"testing"
	"testing/synctest"
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

// slowStartup is a startup probe that allows a start 60 s, and 11 s more at most.
func slowStartup() Probe {
	return Probe{Type: "Startup", Delay: 10 * second, Period: 10 * second, Timeout: second, Failures: 6, Successes: 1}
}

// TestOver: a fault of the start is kept up until the startup probe has succeeded, or acted.
func TestOver(t *testing.T) {
	for name, test := range map[string]struct {
		fault                  string
		passed, decided, ended time.Duration // 0: never
		budget                 time.Duration // of a plan of the drill's own; 0: somebody asked for the fault
		want                   time.Duration
	}{
		"it does not ask the dependency": {"dependency-outage:db@start", 15 * time.Second, 0, 0, 0, 27 * time.Second},
		"it asks the dependency":         {"dependency-outage:db@start", 0, 65 * time.Second, 0, 0, 65 * time.Second},
		"it does nothing":                {"dependency-outage:db@start", 0, 0, 0, 0, 71*time.Second + ownLag + outsideLength},
		"a slow start":                   {"slow-start=2x", 30 * time.Second, 0, 0, 0, 54 * time.Second},
		"it exits by itself":             {"dependency-outage:db@start", 0, 0, 2 * time.Second, 0, outsideLength},
		"asked for":                      {"dependency-outage:db@start+20s", 15 * time.Second, 0, 0, 0, 20 * time.Second},
		"not of the start":               {"dependency-outage:db", 0, 5 * time.Second, 0, 0, outsideLength},
		"there is time":                  {"dependency-outage:db@start", 0, 65 * time.Second, 0, 5 * time.Minute, 65 * time.Second},
		"the time ends":                  {"dependency-outage:db@start", 0, 65 * time.Second, 0, 50 * time.Second, 24*time.Second + outsideLength},
		"there is no time":               {"dependency-outage:db@start", 0, 65 * time.Second, 0, 20 * time.Second, outsideLength},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, web := newDrill(t)
				web.Container, web.Probes = "web", []Probe{slowStartup()}
				f, err := ParseFault(test.fault)
				if err != nil {
					t.Fatal(err)
				}
				begin, rep := time.Now(), &Repetition{Pod: "web"}
				d.report.Began, d.opts.Budget = begin, test.budget
				if test.budget == 0 {
					d.opts.Faults = []Fault{f}
				}
				happens := func(after time.Duration, what func()) {
					if after > 0 {
						time.AfterFunc(after, func() {
							d.record.mu.Lock()
							defer d.record.mu.Unlock()
							what()
						})
					}
				}
				change := func(kind ChangeKind) func() {
					return func() {
						d.record.changes = append(d.record.changes, Change{At: d.since(time.Now()), Pod: "web", Container: "web", Kind: kind})
					}
				}
				happens(test.passed, func() {
					d.record.attempts = append(d.record.attempts, Attempt{At: d.since(time.Now()), Pod: "web", Container: "web", Probe: "Startup", Success: true})
				})
				happens(100*time.Millisecond, change(ChangeEnded)) // by the drill, for a new one to start
				happens(200*time.Millisecond, change(ChangeStarted))
				happens(test.decided, change(ChangeDecided))
				happens(test.ended, change(ChangeEnded))
				if got := d.over(f, web, rep).Sub(begin); got < test.want || got > test.want+readPeriod {
					t.Errorf("over after %v, want %v", got, test.want)
				}
			})
		})
	}
}

// TestStartDeadline: nobody undoes a fault of the start while the startup probe may still act.
func TestStartDeadline(t *testing.T) {
	w := Workload{Container: "web", Probes: []Probe{slowStartup()}}
	for fault, want := range map[string]time.Duration{
		"slow-start=2x":    71*time.Second + ownLag + 2*outsideLength + deadlineSlack,
		"slow-start=2x+5s": replaceLimit + deadlineSlack,
	} {
		f, err := ParseFault(fault)
		if got := f.deadline(&w); err != nil || got != want {
			t.Errorf("%s: %v, %v, want %v", fault, got, err, want)
		}
	}
}

// TestShortStart: whoever asks for a length of a fault of the start is told what the startup probe
// would have needed, or what the others would have after it.
func TestShortStart(t *testing.T) {
	for name, test := range map[string]struct {
		fault  string
		passed Offset // since the beginning; 0: never
		lasted Offset // 0: as long as it should
		delay  Offset // of liveness
		exits  int    // by itself
		want   string // how long a probe may take; "" if that was enough
	}{
		"the startup probe had no time":     {"dependency-outage:db@start+20s", 0, 0, 0, 0, "may take 1m11s"},
		"liveness had none after it":        {"dependency-outage:db@start+20s", 15 * second, 0, 0, 0, "may take 25s"},
		"liveness had some after it":        {"dependency-outage:db@start+30s", 15 * second, 0, 0, 0, ""},
		"as long as the startup probe acts": {"dependency-outage:db@start+80s", 0, 0, 0, 0, ""},
		"the delay counts from the start":   {"dependency-outage:db@start+30s", 15 * second, 0, 12 * second, 0, ""},
		"the delay is longer":               {"dependency-outage:db@start+30s", 15 * second, 0, 25 * second, 0, "may take 35s"},
		"the budget had no time":            {"dependency-outage:db@start", 0, 40 * second, 0, 0, "it lasted 40s, and a probe of these numbers may take 1m11s"},
		"the budget had time":               {"dependency-outage:db@start", 0, 90 * second, 0, 0, ""},
		"the startup probe has passed":      {"dependency-outage:db@start", 3 * second, 15 * second, 0, 0, ""},
		"liveness had no time after that":   {"dependency-outage:db@start", 15 * second, 20 * second, 0, 0, "it lasted 20s, and a probe of these numbers may take 25s"},
		"a slow start that is over":         {"slow-start=2x", 15 * second, 16 * second, 0, 0, ""},
		"it exits by itself":                {"dependency-outage:db@start", 0, 12 * second, 0, 2, ""},
	} {
		s := newScene(t, test.fault)
		s.End = s.Begin + cmp.Or(test.lasted, Offset(s.fault.Length))
		s.Replicas[0].Exits = test.exits
		if p := s.workload.liveness(); p != nil {
			p.Delay = test.delay
		}
		s.workload.Probes = append(s.workload.Probes, slowStartup())
		if test.passed > 0 {
			s.Attempts = append(s.Attempts, Attempt{At: s.Begin + test.passed, Pod: "a", Container: "web", Probe: "Startup", Success: true})
		}
		if got := shortRemark([]evidence{s.evidence}); !strings.Contains(got, test.want) || (got == "") != (test.want == "") {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}
