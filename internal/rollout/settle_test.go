package rollout_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/probity-run/probity/internal/rollout"
)

// killing is a Deployment whose Pod is ready, and is killed by its liveness probe again and again.
func killing() *world {
	c := app()
	c.LivenessProbe = get("/livez", 9999)
	c.LivenessProbe.PeriodSeconds = 5
	w := newWorld(c)
	pod := w.pod("web-new-x2x4z")
	w.at(1, func() { w.start(pod) })
	w.at(2, func() { w.ready(pod, true) })
	for _, life := range []struct{ fails, again int }{{5, 17}, {19, 41}, {45, 80}} { // after a back-off of 2, 12, 25 s
		w.every(5, life.fails, life.fails+10, func() {
			w.event(pod.UID, "web", "Unhealthy", "Liveness probe failed: "+fmt.Sprintf(refused, 9999, "/livez"))
		})
		w.at(life.fails+10, func() {
			w.event(pod.UID, "web", "Killing", "Container web failed liveness probe, will be restarted")
			w.end(pod, 0, 14)
		})
		w.at(life.again, func() { w.restart(pod) })
		w.at(life.again+1, func() { w.ready(pod, true) })
	}
	return w
}

// TestLivenessTold: what a liveness probe finds wrong is told while the Pod is ready, before the
// first kill and between kills, and ends the rollout when it is not.
func TestLivenessTold(t *testing.T) {
	const short = "liveness: GET :9999/livez: connection refused"
	for second, want := range map[int]string{
		4: "", 5: "suspect " + short, 14: "suspect " + short, 16: "suspect " + short + "; killed once", 20: "suspect " + short + "; killed once",
		29: "doomed " + short + "; killed 2 times", 49: "doomed " + short + "; killed 2 times",
	} {
		w := killing()
		at, r := w.play(second)
		var all []string
		for _, c := range r.Causes {
			all = append(all, fmt.Sprintf("%s %s", c.Degree, c.Short))
		}
		got := strings.Join(all, ", ")
		if at >= 0 || got != want {
			t.Errorf("after %d s %q, want %q (a verdict after %d s)", second, got, want, at)
		}
	}
	if at, r := killing().play(100); at != 55 || r.Verdict.Kind != rollout.Liveness || r.Verdict.Count != 3 {
		t.Errorf("after %d s %+v, want that it is killed three times, after 55 s", at, r.Verdict)
	}
}

// TestLivenessOver: a failure that was not followed by others for as long as it takes to be killed
// is no trouble any more.
func TestLivenessOver(t *testing.T) {
	c := app()
	c.LivenessProbe = get("/livez", 8080)
	for second, want := range map[int]int{4: 0, 5: 1, 9: 1, 10: 0} { // three failures in a row would have killed it by then
		w := newWorld(c)
		pod := w.pod("web-new-x2x4z")
		w.at(1, func() { w.start(pod) })
		w.at(2, func() { w.ready(pod, true) })
		w.at(5, func() { w.event(pod.UID, "web", "Unhealthy", "Liveness probe failed: timeout") })
		if at, r := w.play(second); at >= 0 || len(r.Causes) != want {
			t.Errorf("after %d s %+v, want %d (a verdict after %d s)", second, r.Causes, want, at)
		}
	}
}

// TestPhases: a Pod whose container has ended does not run, and is not being scheduled again.
func TestPhases(t *testing.T) {
	for second, want := range []string{"scheduled", "scheduled", "started", "started", "not running", "not running", "started", "started", "up"} {
		w := newWorld(app())
		pod := w.pod("web-new-x2x4z")
		w.at(2, func() { w.start(pod) })
		w.at(4, func() { w.end(pod, 3, 2) })
		w.at(6, func() { w.restart(pod) })
		w.at(8, func() { w.ready(pod, true) })
		if _, r := w.play(second); r.Pods[0].Phase != want {
			t.Errorf("after %d s %q, want %q", second, r.Pods[0].Phase, want)
		}
	}
}
