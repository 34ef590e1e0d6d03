package simulate

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/probity-run/probity/internal/simulate/script"
	"github.com/probity-run/probity/internal/simulate/simulatetest"
)

func simulated(t testing.TB, text string, sc *script.Script, opts Options) *Result {
	t.Helper()
	r, err := Run(simulatetest.Objects(t, text), sc, opts)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestSkippingIsExact compares the whole timeline with and without skipping.
func TestSkippingIsExact(t *testing.T) {
	yaml := `
programs:
  web: {startup: {uniform: {from: 1s, to: 9s}}, latency: {lognormal: {median: 20ms, p99: 900ms}}, failures: 0.003, shutdown: 2s}
`
	random, err := script.Decode("script.yaml", []byte(yaml))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		manifest string
		script   *script.Script
		horizon  time.Duration
	}{
		"quiet":           {simulatetest.DefaultProbes, simulatetest.Script(t), 3 * time.Hour},
		"stalls":          {simulatetest.DefaultProbes, simulatetest.Script(t, "gc-stall=8s/10m"), 24 * time.Hour},
		"by chance":       {simulatetest.PodWith("livenessProbe: {httpGet: {path: /, port: 8080}}\nreadinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 3, failureThreshold: 1}"), random, 24 * time.Hour},
		"replicas":        {simulatetest.Deployment, simulatetest.Script(t, "gc-stall=8s/10m", "hang@2h", "crash@3h", "dependency-outage@4h+2m", "flap=1m/40m"), 6 * time.Hour},
		"rollout":         {simulatetest.Deployment, simulatetest.Script(t, "rollout@30m", "slow-start=20s", "kubelet-restart@1h", "errors@90m+1m"), 2 * time.Hour},
		"tcp and grpc":    {simulatetest.PodWith("livenessProbe: {tcpSocket: {port: 8080}}\nreadinessProbe: {grpc: {port: 8080}}"), simulatetest.Script(t, "refuse@10m+40s", "hang@30m+5m"), time.Hour},
		"timeout > P":     {simulatetest.PodWith("livenessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1, timeoutSeconds: 5}"), simulatetest.Script(t, "gc-stall=8s/10m", "slow=2s/10m"), 2 * time.Hour},
		"slow":            {simulatetest.DefaultProbes, simulatetest.Script(t, "slow=300ms/20m", "gc-stall=8s/1h", "slow=200ms"), 12 * time.Hour},
		"too slow":        {simulatetest.DefaultProbes, simulatetest.Script(t, "slow=3s/10h", "gc-stall=8s/1h"), 12 * time.Hour},
		"exits":           {simulatetest.DefaultProbes, simulatetest.Script(t, "crash-loop=7m"), 6 * time.Hour},
		"exec and worker": {simulatetest.PodWith("livenessProbe: {exec: {command: [probity, probe, heartbeat, beat]}, periodSeconds: 30}"), simulatetest.Script(t, "hang@20m+70s", "gc-stall=1m/1h"), 12 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(3) {
				skipped := simulated(t, c.manifest, c.script, Options{Horizon: c.horizon, Seed: seed + 1})
				every := simulated(t, c.manifest, c.script, Options{Horizon: c.horizon, Seed: seed + 1, noSkip: true})
				ignore := cmp.Options{cmpopts.IgnoreUnexported(Entry{}, Occurrence{}, Restart{})}
				if diff := cmp.Diff(every.Timeline.Entries(), skipped.Timeline.Entries(), ignore); diff != "" {
					t.Fatalf("seed %d: timelines differ (-every probe +skipping):\n%.3000s", seed+1, diff)
				}
				if diff := cmp.Diff(every.Summary, skipped.Summary, ignore); diff != "" {
					t.Fatalf("seed %d: summaries differ (-every probe +skipping):\n%s", seed+1, diff)
				}
			}
		})
	}
}

// TestSameSeedSameAnswer plays twice.
func TestSameSeedSameAnswer(t *testing.T) {
	entries := func(seed uint64) []Entry {
		return simulated(t, simulatetest.Deployment, simulatetest.Script(t, "gc-stall=30s/20m"), Options{Horizon: 12 * time.Hour, Seed: seed}).Timeline.Entries()
	}
	ignore := cmpopts.IgnoreUnexported(Entry{})
	seven := entries(7)
	if diff := cmp.Diff(seven, entries(7), ignore); diff != "" {
		t.Errorf("the same seed gives another answer:\n%s", diff)
	}
	if cmp.Equal(seven, entries(8), ignore) {
		t.Error("another seed gives the same answer")
	}
}

// TestManyDoesNotDependOnWorkers plays with one worker and with several.
func TestManyDoesNotDependOnWorkers(t *testing.T) {
	outcome := func(workers int) *Many {
		m, err := RunMany(simulatetest.Objects(t, simulatetest.DefaultProbes), simulatetest.Script(t, "gc-stall=20s/1h"), ManyOptions{Runs: 40, Horizon: script.Day, Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	if diff := cmp.Diff(outcome(1), outcome(7)); diff != "" {
		t.Errorf("(-1 worker +7 workers):\n%s", diff)
	}
}

// TestKubeletRestart is R167, R169, R170: nothing restarts, Ready stays, counters are lost and the
// ticks get another phase.
func TestKubeletRestart(t *testing.T) {
	probes := "livenessProbe: {httpGet: {path: /, port: http}, failureThreshold: 3}\nreadinessProbe: {httpGet: {path: /, port: http}}"
	quiet := simulated(t, simulatetest.PodWith(probes), simulatetest.Script(t, "kubelet-restart@65s"), Options{Horizon: 5 * time.Minute, EarlyProbes: true})
	if quiet.Summary.Restarts != 0 || quiet.Summary.Routes[0].Unavailable != 0 {
		t.Errorf("%d restarts, %v unavailable, want none", quiet.Summary.Restarts, quiet.Summary.Routes[0].Unavailable)
	}
	r := simulated(t, simulatetest.PodWith(probes), simulatetest.Script(t, "hang@60s+24s", "kubelet-restart@75s"), Options{Horizon: 5 * time.Minute, EarlyProbes: true})
	if n := len(r.Summary.Verdicts); n != 0 {
		t.Errorf("%d restarts by probes although the counter was lost after two failures", n)
	}
	without := simulated(t, simulatetest.PodWith(probes), simulatetest.Script(t, "hang@60s+24s"), Options{Horizon: 5 * time.Minute, EarlyProbes: true})
	if n := len(without.Summary.Verdicts); n != 1 {
		t.Errorf("%d restarts by probes without the kubelet's restart, want 1: the case shows nothing", n)
	}
}

// TestRollout is R208: with 25 %/25 % of 3, one new Pod more at a time and never one Ready less.
func TestRollout(t *testing.T) {
	r := simulated(t, simulatetest.Deployment, simulatetest.Script(t, "rollout@60s", "slow-start=10s"), Options{Horizon: 5 * time.Minute})
	if u := r.Summary.Routes[0].Unavailable; u != 0 {
		t.Errorf("unavailable for %v, want never", u)
	}
	want := []string{
		"0 to 3 of web-rev1", "0 to 1 of web-rev2", "3 to 2 of web-rev1", "1 to 2 of web-rev2", "2 to 1 of web-rev1", "2 to 3 of web-rev2", "1 to 0 of web-rev1",
	}
	var got []string
	for _, e := range r.Timeline.Entries() {
		var direction, set string
		var from, to int
		if e.Kind == EntryRollout {
			if _, err := fmt.Sscanf(e.Text, "Scaled %s replica set %s from %d to %d", &direction, &set, &from, &to); err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprintf("%d to %d of %s", from, to, set))
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
