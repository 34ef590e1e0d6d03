package browser

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/history"
)

// play is what a probe is answered from an instant on, relative to noon; 0 is the beginning. A nil
// answer is none: there is no attempt.
type play struct {
	from   time.Duration
	answer func(n int) answer
}

func redirects(int) answer { return answer{history.Warning, 4 * time.Millisecond, 302, ""} }
func refuses(n int) answer {
	return answer{history.Failed, well(n).took, 503, "database: ping: connection refused"}
}
func silent(int) answer  { return answer{outcome: history.TimedOut, took: time.Second} }
func unclear(int) answer { return answer{outcome: history.NoVerdict} }
func loads(n int) answer {
	return answer{history.Failed, well(n).took, 503, fmt.Sprintf("loading weights: %d.%d of 4.0 MiB", n*21/110, n*21/11%10)}
}

// remember writes the past of the actor's Pod.
func (s *stage) remember(pod *corev1.Pod, a actor) {
	past := s.past.Add(pod.UID)
	began := noon.Add(-a.age)
	first := *pod.Status.DeepCopy()
	first.Phase, first.Conditions[0].Status, first.ContainerStatuses[0] = corev1.PodRunning, corev1.ConditionTrue, corev1.ContainerStatus{
		Name: "app", Started: new(true), Ready: true, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Time{Time: began}}},
	}
	switch {
	case a.restarted != 0:
		past.Status(first, began)
		past.Started(history.Instance{Container: "app", Started: began})
		for n := range a.restarts {
			end := noon.Add(a.restarted - time.Duration(a.restarts-1-n)*9*time.Minute)
			past.Ended(history.Instance{Container: "app", Number: n, Started: began, Ended: end, ExitCode: 143, Signal: 15, Cause: "Container app failed liveness probe, will be restarted", Probe: "Liveness",
				LastLines: []string{"WARN pool exhausted: 32 of 32 connections in use"}})
			past.Started(history.Instance{Container: "app", Number: n + 1, Started: end})
			began = end
		}
		down := *first.DeepCopy()
		down.Conditions[0].Status, down.ContainerStatuses[0].Ready = corev1.ConditionFalse, false
		past.Status(down, began.Add(-25*time.Second))
		past.Status(first, began.Add(2*time.Second))
		past.Status(pod.Status, noon.Add(-38*time.Second))
	case a.backOff:
		end := noon.Add(-266 * time.Second)
		past.Ended(history.Instance{Container: "app", Number: a.restarts - 1, Started: end.Add(-34 * time.Second), Ended: end, ExitCode: 143, Signal: 15, Cause: "Container app failed liveness probe, will be restarted", Probe: "Liveness",
			LastLines: []string{"ERROR heartbeat: /run/worker/alive does not exist"}})
		past.Status(pod.Status, end)
	default:
		past.Started(history.Instance{Container: "app", Started: began})
		past.Status(pod.Status, began)
	}
	spec := pod.Spec.Containers[0]
	readiness := a.readiness
	if readiness == nil {
		readiness = a.plays
	}
	if a.startup != nil {
		readiness, a.plays = nil, nil
	}
	s.probed(past, a, "Startup", spec.StartupProbe, a.startup)
	s.probed(past, a, "Readiness", spec.ReadinessProbe, readiness)
	s.probed(past, a, "Liveness", spec.LivenessProbe, a.plays)
}

// probed writes the past of one probe.
func (s *stage) probed(past *history.Pod, a actor, kind string, spec *corev1.Probe, plays []play) {
	if spec == nil || plays == nil {
		return
	}
	probe := ask(past, kind, spec)
	from, to := max(-a.age, -30*time.Minute), time.Duration(0)
	if a.restarted != 0 {
		from = max(from, a.restarted-time.Minute)
		probe.begin(kind, a.restarts-1)
	}
	if a.backOff {
		probe.begin(kind, a.restarts-1)
		from, to = -300*time.Second, -267*time.Second
	}
	period := time.Duration(max(spec.PeriodSeconds, 1)) * time.Second
	for n, at := 0, from+period/2; at < to; n, at = n+1, at+period {
		now := plays[0].answer
		for _, p := range plays[1:] {
			if at >= p.from {
				now = p.answer
			}
		}
		if a.restarted != 0 && at < a.restarted {
			now = map[bool]func(int) answer{true: silent, false: well}[at > a.restarted-20*time.Second]
		} else if a.restarted != 0 && probe.instance < a.restarts {
			probe.begin(kind, a.restarts)
		}
		if now != nil {
			probe.attempt(noon.Add(at), now(n))
		}
	}
}
