package faults

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/lifecycle"
)

// jumped is an instant as time.Now would return it after the wall clock was changed by d: the
// monotonic reading, by which instants are compared, stays the same.
func jumped(t time.Time, d time.Duration) time.Time {
	// The layout of time.Time with a monotonic reading: one flag, 33 bits of wall seconds, 30 bits
	// of nanoseconds.
	wall := (*uint64)(unsafe.Pointer(&t))
	*wall += uint64(d/time.Second) << 30
	return t
}

// TestWallClockJumps plays the same Pod twice, with crashes, failing probes and back-off: once with
// a steady wall clock, once with one that is set forwards and backwards by hours all the time. Both
// times the same has to be done at the same time.
func TestWallClockJumps(t *testing.T) {
	begin := time.Now()
	if later := jumped(begin, 3*time.Hour); later.Sub(begin) != 0 || later.Unix()-begin.Unix() != 3*3600 {
		t.Fatalf("the layout of time.Time has changed: %v and %v", begin, later)
	}
	for seed := range uint64(20) {
		steady := playPod(begin, seed, func(int) time.Duration { return 0 })
		jumpy := playPod(begin, seed, func(step int) time.Duration { return time.Duration(step%7-3) * 5 * time.Hour })
		if diff := cmp.Diff(steady, jumpy); diff != "" {
			t.Fatalf("seed %d: what is done differs (-steady +jumpy):\n%s", seed, diff)
		}
		if len(steady) < 500 {
			t.Errorf("seed %d: only %d steps, so this shows nothing", seed, len(steady))
		}
	}
}

// playPod returns what a Pod does in a thousand steps, each with the time since its beginning.
func playPod(begin time.Time, seed uint64, wall func(step int) time.Duration) []string {
	chance := rand.New(rand.NewPCG(seed, 0))
	probe := &corev1.Probe{PeriodSeconds: 5, TimeoutSeconds: 1, SuccessThreshold: 1, FailureThreshold: 2, InitialDelaySeconds: 3}
	pod := lifecycle.NewPod(&corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "default", UID: "u"},
		Spec: corev1.PodSpec{RestartPolicy: corev1.RestartPolicyAlways, TerminationGracePeriodSeconds: new(int64(7)),
			Containers: []corev1.Container{{Name: "app", Image: "example", LivenessProbe: probe, ReadinessProbe: probe}}},
	}, lifecycle.Options{})
	var done []string
	var next []lifecycle.Event // that follow from the effects so far
	var instance string
	at := time.Duration(0)
	for step := range 1000 {
		now := jumped(begin.Add(at), wall(step))
		event := lifecycle.Event(lifecycle.Tick{})
		if len(next) > 0 {
			event, next = next[0], next[1:]
		} else if instance != "" && chance.IntN(25) == 0 {
			event = lifecycle.Exited{Container: "app", Instance: instance, ExitCode: 1, At: now}
		}
		if e, ok := event.(lifecycle.Started); ok {
			e.At = now
			event = e
		}
		if e, ok := event.(lifecycle.Exited); ok {
			e.At = now
			event, instance = e, ""
		}
		for _, effect := range pod.On(event, now) {
			done = append(done, fmt.Sprintf("%v %T", at, effect))
			switch e := effect.(type) {
			case lifecycle.StartContainer:
				instance = e.Instance
				next = append(next, lifecycle.Started{Container: "app", Instance: e.Instance})
			case lifecycle.RunProbe:
				outcome := lifecycle.OutcomeSuccess
				if chance.IntN(4) == 0 {
					outcome = lifecycle.OutcomeFailure
				}
				next = append(next, lifecycle.ProbeDone{Container: "app", Instance: e.Instance, Type: e.Type, Outcome: outcome})
			case lifecycle.KillContainer: // it ignores SIGTERM
				next = append(next, lifecycle.Exited{Container: "app", Instance: e.Instance, ExitCode: 137})
			}
		}
		at += time.Duration(chance.IntN(20)) * time.Millisecond
		if deadline := pod.Deadline(); len(next) == 0 && !deadline.IsZero() {
			at = max(at, deadline.Sub(begin))
			done = append(done, fmt.Sprintf("%v deadline", at))
		}
	}
	return done
}
