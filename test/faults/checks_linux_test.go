package faults

import (
	"slices"
	"testing"
	"time"

	"github.com/probity-run/probity/test/harness"
)

// checkNoFailures fails if a probe of a service failed, or Probity killed one. Startup probes may
// fail: they wait for a service to listen. And a probe may fail that asks just when the test kills
// a service, before anybody knows of the end.
func checkNoFailures(t *testing.T, r *harness.Run, kills ...time.Time) {
	t.Helper()
	for _, text := range []string{"Readiness probe failed", "Liveness probe failed", "Killing"} {
		for _, e := range r.Events(text) {
			if text == "Killing" || !soonAfter(e.EventTime.Time, kills) {
				t.Errorf("%s %s", e.InvolvedObject.Name, harness.Line(e))
			}
		}
	}
}

// soonAfter reports whether t is within two seconds after one of the kills.
func soonAfter(t time.Time, kills []time.Time) bool {
	return slices.ContainsFunc(kills, func(killed time.Time) bool {
		after := t.Sub(killed)
		return after >= 0 && after < 2*time.Second
	})
}
