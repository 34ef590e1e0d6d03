package lifecycle

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// TestProbesSince is when the first probe comes if the workers are as old as a kubelet's: within a
// period after the start or the initial delay (R3, R7, R8).
func TestProbesSince(t *testing.T) {
	for _, c := range []struct {
		name  string
		probe *corev1.Probe
		age   time.Duration // of the workers, when the container starts
		want  time.Duration
	}{
		{"just made", newProbe(1, period(310)), 0, 310 * time.Second},
		{"a moment old", newProbe(1, period(310)), 2 * time.Second, 308 * time.Second},
		{"half a period old", newProbe(1, period(10)), 25 * time.Second, 5 * time.Second},
		{"R20 the initial delay is over at a tick", newProbe(1, period(10), delayed(15)), 5 * time.Second, 15 * time.Second},
		{"R20 the initial delay is over after a tick", newProbe(1, period(10), delayed(15)), 6 * time.Second, 24 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			spec := app(func(app *corev1.Container) { app.LivenessProbe = c.probe })
			pod := NewPod(&corev1.Pod{Spec: spec}, Options{ProbesSince: start.Add(-c.age)})
			pod.On(Tick{}, start)
			pod.On(Started{Container: "app", Instance: pod.regular[0].instance, At: start}, start)
			if got := pod.Deadline().Sub(start); got != c.want {
				t.Errorf("the first probe comes after %v, want %v", got, c.want)
			}
		})
	}
}
