package evidence

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/advisor/advisortest"
	"github.com/probity-run/probity/internal/advisor/rules"
)

// now is when all tests look.
func now() time.Time { return time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC) }

// aPod is a Pod of Deployment web, ten hours old, that was Ready two seconds after its start.
func aPod(number int, change ...func(*corev1.Pod)) *corev1.Pod {
	started := now().Add(-10 * time.Hour)
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "shop", Name: fmt.Sprintf("web-%d", number), UID: types.UID(fmt.Sprintf("u%d", number)), CreationTimestamp: metav1.NewTime(started),
			OwnerReferences: []metav1.OwnerReference{{Kind: "ReplicaSet", Name: "web-1", UID: "set", Controller: new(true)}},
		},
		Status: corev1.PodStatus{
			Phase:      corev1.PodRunning,
			Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(started.Add(2 * time.Second))}},
			ContainerStatuses: []corev1.ContainerStatus{{
				Name: "web", Ready: true, Started: new(true), State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(started)}},
			}},
		},
	}
	for _, f := range change {
		f(p)
	}
	return p
}

// restarted has the container of a Pod restarted so often, the last time a minute ago.
func restarted(n int32, code int32) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		s := &p.Status.ContainerStatuses[0]
		s.RestartCount, s.State.Running.StartedAt = n, metav1.NewTime(now().Add(-time.Minute))
		s.LastTerminationState.Terminated = &corev1.ContainerStateTerminated{Reason: "Error", ExitCode: code}
	}
}

// readyAfter has a Pod become Ready so long after its start.
func readyAfter(d time.Duration) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Status.Conditions[0].LastTransitionTime = metav1.NewTime(p.Status.ContainerStatuses[0].State.Running.StartedAt.Add(d))
	}
}

// away has a Pod not Ready for so long.
func away(d time.Duration) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Status.Conditions[0].Status, p.Status.Conditions[0].LastTransitionTime = corev1.ConditionFalse, metav1.NewTime(now().Add(-d))
		p.Status.ContainerStatuses[0].Ready = false
	}
}

// anEvent is one of the kubelet about the container of a Pod.
func anEvent(pod int, reason, message string, count int32) *corev1.Event {
	return &corev1.Event{
		InvolvedObject: corev1.ObjectReference{Kind: "Pod", UID: types.UID(fmt.Sprintf("u%d", pod)), FieldPath: "spec.containers{web}"},
		Reason:         reason, Message: message, Count: count, LastTimestamp: metav1.NewTime(now().Add(-time.Minute)),
	}
}

const (
	killedByLiveness = "Container web failed liveness probe, will be restarted"
	livenessFailed   = "Liveness probe failed: HTTP probe failed with statuscode: 500"
	readinessFailed  = "Readiness probe failed: dial tcp 10.0.0.1:80: connect: connection refused"
)

// observe takes Pods and then Events.
func observe(o Options, pods []*corev1.Pod, events ...*corev1.Event) *Observations {
	o.Now = now()
	seen := New(o)
	seen.AddOwner(&metav1.ObjectMeta{Namespace: "shop", UID: "set", OwnerReferences: []metav1.OwnerReference{{Kind: "Deployment", Name: "web", Controller: new(true)}}})
	for _, p := range pods {
		seen.AddPod(p)
	}
	for _, e := range events {
		seen.AddEvent(e)
	}
	return seen
}

// judged are the findings of a Deployment web with these fields of its container, merged.
func judged(t *testing.T, seen *Observations, container string) []advisor.Finding {
	t.Helper()
	m, err := advisortest.Parse("web.yaml", []byte(`
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: web, ports: [{containerPort: 80}], `+container+`}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80}]}
`))
	if err != nil {
		t.Fatal(err)
	}
	return seen.Merge(advisor.Check(m, rules.All()), m.Workloads, seen.ByContainer())
}
