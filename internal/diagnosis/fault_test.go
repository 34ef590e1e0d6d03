package diagnosis

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/manifest"
)

// TestFault: a fault is said before what follows from it, and how it ends.
func TestFault(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*Facts)
		want   Diagnosis
	}{
		"of a Pod that is ready": {func(f *Facts) {
			f.Pod.Annotations = map[string]string{manifest.AnnotationFault: "slow=1m30s"}
		}, Diagnosis{
			State: Ready, Check: "ok", Reason: "fault slow=1m30s",
			Why:  "Readiness answered in 1.0 ms, liveness answered in 1.0 ms. In rotation of service/web. Somebody has injected a fault: the annotation probity.run/fault: slow=1m30s says so.",
			Next: "end the fault: kubectl annotate pod web-1 probity.run/fault-",
		}},
		"what a fault leads to": {func(f *Facts) {
			f.Pod.Namespace, f.Pod.Annotations = "shop", map[string]string{manifest.AnnotationFault: "refuse"}
			f.Pod.DeletionTimestamp, f.InFlight = new(metav1.NewTime(now.Add(21*time.Second))), 3
		}, Diagnosis{
			State: Stopping, Check: "0:21", Reason: "fault refuse · 3 requests in flight · SIGKILL in 0:21",
			Why:  "Stopping: the stop signal was sent, 3 requests in flight · SIGKILL in 0:21. Somebody has injected a fault: the annotation probity.run/fault: refuse says so.",
			So:   "Out of rotation; startup and liveness are not probed while stopping.",
			Next: "end the fault: kubectl annotate pod -n shop web-1 probity.run/fault-",
		}},
		"a fault of a Pod that has ended": {func(f *Facts) {
			f.Pod.Annotations = map[string]string{manifest.AnnotationFault: "refuse"}
			f.Pod.Status.Phase = corev1.PodSucceeded
			f.Pod.Status.ContainerStatuses[0].State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{StartedAt: metav1.NewTime(now.Add(-3 * time.Second)), FinishedAt: metav1.NewTime(now)}}
		}, Diagnosis{State: Complete, Why: "Exit 0 after 3 s."}},
	} {
		t.Run(name, func(t *testing.T) {
			f := running()
			test.change(f)
			got := Of(*f)
			if diff := cmp.Diff(test.want.Reason != "", got.Reason != got.Cause); diff != "" {
				t.Errorf("the cause is %q: a fault is none (-want +got):\n%s", got.Cause, diff)
			}
			got.Cause = ""
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	told := running()
	told.Told, told.Pod.Annotations = true, map[string]string{manifest.AnnotationFault: "refuse"}
	if got := Of(*told); got.Reason != "" || got.Next != "" {
		t.Errorf("on a cluster: %+v", got)
	}
}
