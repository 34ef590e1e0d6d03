// Package probeflooding finds probes that come so often that they are a load.
package probeflooding

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/probity-run/probity/internal/advisor"
)

// Probes of one replica and of all of them, a second, from which they count as a flood.
const (
	perReplica = 1.0
	perFleet   = 25.0
)

// Rule is probe-flooding.
func Rule() advisor.Rule {
	return advisor.Rule{
		ID:       "probe-flooding",
		Severity: advisor.Waste,
		Doc: advisor.Doc{
			Title: "Probes come every second, on many replicas.",
			Consequence: advisor.Prose(`
				Each attempt is a new connection that is handled, logged and counted like any other. What the probes cost is taken from the requests, and
				most of all when the service is short of everything.`),
			Remedy: advisor.Prose(`
				Keep the stall that liveness tolerates and ask less often: a larger periodSeconds with a smaller failureThreshold. A short period is worth
				its price only for the startupProbe, which ends.`),
			Before:       "livenessProbe: {periodSeconds: 1, failureThreshold: 30}",
			After:        "livenessProbe: {periodSeconds: 10, failureThreshold: 4}",
			KubeletRules: []string{"R7", "R59"},
			SeeAlso:      []string{"1/P"},
		},
		Check: check,
	}
}

func check(w *advisor.Workload) []advisor.Finding {
	rate := 0.0
	var worst *advisor.Probe
	for _, p := range w.Probes() {
		if p.Field == advisor.StartupProbe {
			continue // it ends
		}
		rate += p.Rate()
		if worst == nil || p.Rate() >= worst.Rate() {
			worst = p
		}
	}
	fleet := rate * float64(w.Replicas)
	if rate < perReplica || fleet < perFleet {
		return nil
	}
	f := worst.Finding("periodSeconds",
		"%s probes a second for each replica make %s a second for %d: new connections all, and most expensive when the service is "+
			"overloaded",
		number(rate), number(fleet), w.Replicas)
	f.Patch = slower(w)
	return []advisor.Finding{f}
}

// slower is the patch that asks less often and tolerates the same stalls.
func slower(w *advisor.Workload) *advisor.Patch {
	patch := &advisor.Patch{}
	var said []string
	for _, p := range w.Probes() {
		slow := p.Numbers
		slow.Period = map[advisor.ProbeField]int{advisor.ReadinessProbe: 5, advisor.LivenessProbe: 10}[p.Field]
		if p.Period >= slow.Period || p.Timeout > slow.Period { // a startupProbe may be quick
			continue
		}
		period, threshold := p.Set("periodSeconds", slow.Period), p.Set("failureThreshold", slow.ThresholdForStall(p.ToleratedStall()))
		patch.Edits = append(patch.Edits, append(period.Edits, threshold.Edits...)...)
		said = append(said, fmt.Sprintf("%s and %s (tolerates %d s as before)", period.Summary, threshold.Summary, p.ToleratedStall()))
	}
	if patch.Summary = strings.Join(said, "; "); patch.Summary == "" {
		return nil
	}
	return patch
}

func number(x float64) string { return strconv.FormatFloat(x, 'g', 3, 64) }
