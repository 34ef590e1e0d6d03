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
