package simulate

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/probity-run/probity/internal/simulate/script"
	"github.com/probity-run/probity/internal/simulate/simulatetest"
)

// TestFirstProbes is R8: the first probe comes at some moment within a period after the start or
// after the initial delay, another one for each seed, and the sweep finds the bounds.
func TestFirstProbes(t *testing.T) {
	for _, c := range []struct {
		name, probe string
		from, to    time.Duration
	}{
		{"a long period", "periodSeconds: 310", 0, 310 * time.Second},
		{"an initial delay", "periodSeconds: 310, initialDelaySeconds: 15", 15 * time.Second, 325 * time.Second},
		{"a period of a second", "periodSeconds: 1", 0, time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := simulatetest.PodWith("startupProbe: {httpGet: {path: /, port: http}, " + c.probe + "}")
			seen := map[Offset]bool{}
			for seed := range uint64(50) {
				r := simulated(t, text, simulatetest.Script(t), Options{Seed: seed + 1, NoTimeline: true})
				ready := time.Duration(*r.Summary.AllReady)
				if ready <= c.from || ready > c.to+5*time.Millisecond {
					t.Fatalf("seed %d: ready after %v, want within %v to %v", seed+1, ready, c.from, c.to)
				}
				seen[*r.Summary.AllReady] = true
			}
			if len(seen) < 25 {
				t.Errorf("%d different times of 50", len(seen))
			}
			a := swept(t, text, simulatetest.Script(t), Options{})
			least, most := max(c.from.Seconds(), settled)+latency, c.to.Seconds()+latency
			if !near(a.Ready.Least, least) || !near(a.Ready.Most, most) {
				t.Errorf("at any phase ready after %v to %v, want %v to %v", *a.Ready.Least, *a.Ready.Most, least, most)
			}
		})
	}
}

// What an attempt takes, and how long the core leaves a new container alone, in seconds.
const latency, settled = 0.005, 0.25

func near(got *Number, want float64) bool {
	return got != nil && *got > Number(want-0.0001) && *got < Number(want+0.0001)
}

func swept(t testing.TB, text string, sc *script.Script, opts Options) *AnyPhase {
	t.Helper()
	a, err := Sweep(simulatetest.Objects(t, text), sc, opts)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestReadinessAfterALongDelay is R14: what is not ready is probed at each sync of the Pod, however
// far the first tick is, and a promise is about the latest sync.
func TestReadinessAfterALongDelay(t *testing.T) {
	text := simulatetest.PodWith("readinessProbe: {httpGet: {path: /, port: http}, periodSeconds: 300, initialDelaySeconds: 30}")
	a := swept(t, text, simulatetest.Script(t), Options{})
	if !near(a.Ready.Least, 30+latency) || !near(a.Ready.Most, 91+latency) {
		t.Errorf("at any phase ready after %v to %v, want 30.005 to 91.005", *a.Ready.Least, *a.Ready.Most)
	}
	soon, late := false, false
	for seed := range uint64(50) {
		ready := time.Duration(*simulated(t, text, simulatetest.Script(t), Options{Seed: seed + 1, NoTimeline: true}).Summary.AllReady)
		soon, late = soon || ready < 75*time.Second && ready > 61*time.Second, late || ready > 75*time.Second
		if ready > 91*time.Second+5*time.Millisecond {
			t.Errorf("seed %d: ready after %v", seed+1, ready)
		}
	}
	if !soon || !late {
		t.Errorf("syncs come soon: %v, late: %v", soon, late)
	}
}

// TestSweepFindsBounds compares with the closed forms, whose bounds are reached at one phase only,
// and looks for outcomes that few phases bring.
func TestSweepFindsBounds(t *testing.T) {
	liveness := simulatetest.PodWith("livenessProbe: {httpGet: {path: /, port: http}}")
	both := simulatetest.PodWith("livenessProbe: {httpGet: {path: /l, port: http}}\nreadinessProbe: {httpGet: {path: /r, port: http}, periodSeconds: 7, failureThreshold: 2}")
	for _, c := range []struct {
		name, text string
		faults     []string
		figure     func(*AnyPhase) Range
		want       [2]float64
	}{
		{"a hang is detected", liveness, []string{"hang@60s"}, func(a *AnyPhase) Range { return a.Detected }, [2]float64{21 - latency, 31 - latency}},
		{"a refusal is detected", liveness, []string{"refuse@60s"}, func(a *AnyPhase) Range { return a.Detected }, [2]float64{20, 30}},
		{"a drain", both, []string{"hang@60s"}, func(a *AnyPhase) Range { return a.Drained }, [2]float64{11, 12}},
		{"just not certain to restart", liveness, []string{"hang@60s+30990ms"}, func(a *AnyPhase) Range { return a.Restarts }, [2]float64{0, 1}},
		{"hardly tolerated", liveness, []string{"hang@60s+21010ms"}, func(a *AnyPhase) Range { return a.Restarts }, [2]float64{0, 1}},
		{"tolerated", liveness, []string{"hang@60s+20990ms"}, func(a *AnyPhase) Range { return a.Restarts }, [2]float64{0, 0}},
		{"certain", liveness, []string{"hang@60s+31010ms"}, func(a *AnyPhase) Range { return a.Restarts }, [2]float64{1, 1}},
		{"a lottery", liveness, []string{"slow-start=20010ms"}, func(a *AnyPhase) Range { return a.Restarts }, [2]float64{0, 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := swept(t, c.text, simulatetest.Script(t, c.faults...), Options{Horizon: 5 * time.Minute})
			r := c.figure(a)
			if r.Least == nil || r.Most == nil || !near(r.Least, c.want[0]) || !near(r.Most, c.want[1]) {
				t.Fatalf("%d phases: %v, want %v", a.Phases, r, c.want)
			}
		})
	}
}

// TestAssertionsHoldAtEveryPhase is about assertions that this run fulfils and others do not.
func TestAssertionsHoldAtEveryPhase(t *testing.T) {
	liveness := simulatetest.PodWith("livenessProbe: {httpGet: {path: /, port: http}}")
	for _, c := range []struct {
		fault, assertion string
		holds            bool
		got              string
	}{
		{"hang@60s", "detected within 31s", true, "28.756s"},
		{"hang@60s", "detected within 30s", false, "30.995s at another phase of the probes (28.756s in what was simulated)"},
		{"hang@60s", "detected > 20s", true, "28.756s"},
		{"hang@60s", "detected > 25s", false, "20.995s at another phase of the probes (28.756s in what was simulated)"},
		{"hang@60s+25s", "restarts == 0", false, "1 at another phase of the probes (0 in what was simulated)"},
		{"hang@60s+25s", "restarts <= 1", true, "0"},
		{"hang@60s+25s", "restarts != 2", true, "0"},
		{"hang@60s+20s", "restarts == 0", true, "0"},
	} {
		a, err := ParseAssertion(c.assertion)
		if err != nil {
			t.Fatal(err)
		}
		sc, opts := simulatetest.Script(t, c.fault), Options{Horizon: 5 * time.Minute}
		r := simulated(t, liveness, sc, opts)
		r.Summary.AnyPhase = swept(t, liveness, sc, opts)
		want := AssertionResult{Assertion: c.assertion, Holds: c.holds, Got: c.got}
		if diff := cmp.Diff(want, r.Summary.Check(a, 100)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.fault, diff)
		}
	}
}

// TestLotteryOfManyRuns is the closed form and the simulation about one and the same: 50 % of first
// starts are cut short, and the next start, which a tick has just preceded, is not.
func TestLotteryOfManyRuns(t *testing.T) {
	liveness := simulatetest.PodWith("livenessProbe: {httpGet: {path: /, port: http}}")
	m := many(t, liveness, ManyOptions{Runs: 300, Horizon: time.Hour}, "slow-start=25s")
	if odds := m.Loops[0].Odds; odds != 0.5 || m.Restarts.Mean < 0.49 || m.Restarts.Mean > 0.51 || m.Restarts.Max != 1 || m.NeverReady != 0 {
		t.Errorf("odds %v, restarts %+v, %d never ready", odds, m.Restarts, m.NeverReady)
	}
}

// TestAssertionsOfManyHoldAtEveryPhase is about two runs, which were lucky.
func TestAssertionsOfManyHoldAtEveryPhase(t *testing.T) {
	text, sc, opts := simulatetest.PodWith("livenessProbe: {httpGet: {path: /, port: http}}"), simulatetest.Script(t, "hang@60s"), ManyOptions{Runs: 2, Horizon: 5 * time.Minute}
	m, err := RunMany(simulatetest.Objects(t, text), sc, opts)
	if err != nil {
		t.Fatal(err)
	}
	if m.AnyPhase, err = SweepMany(simulatetest.Objects(t, text), sc, opts); err != nil {
		t.Fatal(err)
	}
	for assertion, want := range map[string]bool{
		"detected within 31s": true, "detected within 30900ms": false, "p90 detected within 30900ms": true, "restarts == 1": true, "false-restarts == 0": true,
		"ready within 1s": true, "backoffs == 0": false, // not known
	} {
		a, err := ParseAssertion(assertion)
		if err != nil {
			t.Fatal(err)
		}
		if got := m.Check(a); got.Holds != want {
			t.Errorf("%s: %t, got %s", assertion, got.Holds, got.Got)
		}
	}
}
