package lifecycle

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

const failed500 = "HTTP probe failed with statuscode: 500"

// httpProbe is a probe with a period and a timeout of a second and the given failure threshold.
func httpProbe(failures int32, change ...func(*corev1.Probe)) *corev1.Probe {
	p := &corev1.Probe{PeriodSeconds: 1, TimeoutSeconds: 1, SuccessThreshold: 1, FailureThreshold: failures}
	p.HTTPGet = &corev1.HTTPGetAction{Path: "/"}
	for _, c := range change {
		c(p)
	}
	return p
}

func spec(containers ...corev1.Container) corev1.PodSpec {
	return corev1.PodSpec{RestartPolicy: corev1.RestartPolicyAlways, TerminationGracePeriodSeconds: new(int64(30)), Containers: containers}
}

// okThen answers success n times on each instance, then failure for ever.
func okThen(n int) func(probeRun) answer {
	return func(r probeRun) answer {
		if r.n <= n {
			return answer{}
		}
		return answer{outcome: OutcomeFailure, output: failed500}
	}
}

func TestThreeStrikes(t *testing.T) { // A01
	w := newWorld(t, spec(corev1.Container{Name: "app", LivenessProbe: httpProbe(3)}), Options{})
	w.scripts["app"].probe = func(r probeRun) answer {
		if r.instance > 1 {
			return answer{}
		}
		return okThen(3)(r)
	}
	w.run(10 * time.Second)
	want := []string{
		"0s start app #1",
		"0s Normal Started Container started",
		"3.5s Warning Unhealthy Liveness probe failed: " + failed500,
		"4.5s Warning Unhealthy Liveness probe failed: " + failed500,
		"5.5s Warning Unhealthy Liveness probe failed: " + failed500,
		"5.5s Normal Killing Container app failed liveness probe, will be restarted",
		"5.5s SIGTERM to app",
		"5.5s start app #2",
		"5.5s Normal Started Container started",
	}
	if diff := cmp.Diff(want, w.seen("start", "Unhealthy", "Killing", "SIG")); diff != "" {
		t.Error(diff)
	}
	if got := w.pod.Status(w.now).ContainerStatuses[0].RestartCount; got != 1 {
		t.Errorf("restartCount = %d, want 1", got)
	}
}
