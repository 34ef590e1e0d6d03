//go:build !race

package simulate

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/probity-run/probity/internal/simulate/script"
	"github.com/probity-run/probity/internal/simulate/simulatetest"
)

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
