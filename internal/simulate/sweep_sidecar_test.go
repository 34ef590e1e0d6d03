//go:build !race

package simulate

import (
	"math"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/simulate/script"
	"github.com/probity-run/probity/internal/simulate/simulatetest"
)

// TestLotteryBehindASidecar is the same behind the startup probe of a sidecar: the container starts
// at a tick of that, and so not at any moment between the ticks of its own probe.
func TestLotteryBehindASidecar(t *testing.T) {
	pod := func(sidecar, more, liveness string) string {
		return "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  initContainers:\n  - {name: proxy, image: p, restartPolicy: Always, startupProbe: {" +
			"httpGet: {port: 1}, failureThreshold: 99, " + sidecar + "}}\n" + more + "  containers:\n  - {name: web, image: w, livenessProbe: {httpGet: {port: 2}, " + liveness + "}}\n"
	}
	hanging := func(sc *script.Script) {
		sc.Programs["web"] = script.Program{Startup: script.Fixed(25 * time.Second), Before: script.Reply{Kind: script.ReplyHang}, Latency: script.Fixed(time.Millisecond)}
	}
	for name, c := range map[string]struct {
		text   string
		faults []string
		change func(*script.Script)
		odds   Number
	}{
		"one period, in time":            {pod("periodSeconds: 10", "", "periodSeconds: 10"), []string{"slow-start=29s:web"}, nil, 0},
		"one period, too late":           {pod("periodSeconds: 10", "", "periodSeconds: 10"), []string{"slow-start=30s:web"}, nil, 1},
		"half of the ticks":              {pod("periodSeconds: 5", "", "periodSeconds: 10"), []string{"slow-start=27s:web"}, nil, 0.5},
		"periods without a divisor":      {pod("periodSeconds: 7", "", "periodSeconds: 10"), []string{"slow-start=22500ms:web"}, nil, 0.2},
		"an initial delay":               {pod("periodSeconds: 10", "", "periodSeconds: 10, initialDelaySeconds: 13"), []string{"slow-start=38s:web"}, nil, 0},
		"too long for it":                {pod("periodSeconds: 10", "", "periodSeconds: 10, initialDelaySeconds: 13"), []string{"slow-start=40s:web"}, nil, 1},
		"a longer period of the sidecar": {pod("periodSeconds: 30", "", "periodSeconds: 10"), []string{"slow-start=29s:web"}, nil, 0},
		"a slow sidecar":                 {pod("periodSeconds: 10", "", "periodSeconds: 10"), []string{"slow-start=29s"}, nil, 0},
		"an init container behind it": {pod("periodSeconds: 10", "  - {name: init, image: i}\n", "periodSeconds: 10"), []string{"slow-start=27s:web"}, func(sc *script.Script) {
			sc.Programs["init"] = script.Program{Exit: &script.Exit{After: script.Fixed(4 * time.Second)}}
		}, 1},
		"connections that hang": {pod("periodSeconds: 10", "", "periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 2"), nil, hanging, 1},
		"they hang no longer":   {pod("periodSeconds: 10", "", "periodSeconds: 10, timeoutSeconds: 6, failureThreshold: 2"), nil, hanging, 0},
	} {
		t.Run(name, func(t *testing.T) {
			sc := simulatetest.Script(t, c.faults...)
			if c.change != nil {
				c.change(sc)
			}
			m, err := RunMany(simulatetest.Objects(t, c.text), sc, ManyOptions{Runs: 200, Horizon: 3 * time.Minute})
			if err != nil {
				t.Fatal(err)
			}
			loop := m.Loops[len(m.Loops)-1]
			if math.Abs(float64(loop.Odds-c.odds)) > 1e-9 {
				t.Errorf("odds %v, want %v: %s", loop.Odds, c.odds, loop.Why)
			}
			first := 0.0 // share of first starts that are cut short
			spec := &simulatetest.Objects(t, c.text)[0].Resource.(*corev1.Pod).Spec
			for i := range 200 {
				phase := part((float64(i)+0.5)/200, spec)
				r := simulated(t, c.text, sc, Options{NoTimeline: true, Horizon: 3 * time.Minute, phase: &phase})
				if slices.ContainsFunc(r.Summary.Verdicts, func(v Restart) bool { return v.Container == "web" }) {
					first += 1.0 / 200
				}
			}
			if off := math.Abs(first - float64(c.odds)); off > 0.011 {
				t.Errorf("in %.2f of all simulations the start is cut short, want %v: %s", first, c.odds, loop.Why)
			}
			if got := map[bool]LoopVerdict{true: LoopSafe}[c.odds == 0]; got != "" && loop.Verdict != got {
				t.Errorf("the verdict is %s", loop.Verdict)
			}
		})
	}
}
