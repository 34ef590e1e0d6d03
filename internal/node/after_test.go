package node

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/manifest"
)

func TestLacks(t *testing.T) {
	pod := func(change func(*corev1.PodStatus)) []*corev1.Pod {
		p := examplePodOf()
		change(&p.Status)
		return []*corev1.Pod{p}
	}
	running := pod(func(s *corev1.PodStatus) {
		s.ContainerStatuses = []corev1.ContainerStatus{{State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}}
	})
	ready := pod(func(s *corev1.PodStatus) {
		s.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	})
	failed := pod(func(s *corev1.PodStatus) { s.Phase = corev1.PodFailed })
	succeeded := pod(func(s *corev1.PodStatus) { s.Phase = corev1.PodSucceeded })
	for name, c := range map[string]struct {
		condition manifest.Condition
		pods      []*corev1.Pod
		want      string
		vain      bool
	}{
		"started: none yet":       {manifest.Started, nil, "db was not started", false},
		"started: it runs":        {manifest.Started, running, "", false},
		"healthy: it only runs":   {manifest.Healthy, running, "db is not ready", false},
		"healthy: it is ready":    {manifest.Healthy, ready, "", false},
		"healthy: it has failed":  {manifest.Healthy, failed, "db is not ready", true},
		"completed: it runs":      {manifest.Completed, running, "db has not completed", false},
		"completed: it succeeded": {manifest.Completed, succeeded, "", false},
		"completed: it failed":    {manifest.Completed, failed, "db has failed", true},
	} {
		t.Run(name, func(t *testing.T) {
			got, vain := lacks(manifest.After{Name: "db", Condition: c.condition}, c.pods)
			if got != c.want || vain != c.vain {
				t.Errorf("it lacks %q, in vain %v; want %q, %v", got, vain, c.want, c.vain)
			}
		})
	}
}

// A Pod begins when what it waits for is there, and says what that is.
func TestAfter(t *testing.T) {
	db := func() *corev1.Pod { return examplePodOf(withReadiness("/db"), func(p *corev1.Pod) { p.Name = "db" }) }
	playNode(t, func(t *testing.T, n *testNode) {
		n.engine.answer("/db", failing)
		n.create(db())
		n.create(examplePodOf(annotated(manifest.AnnotationAfter, "db=healthy,elsewhere=healthy")))
		n.at(30 * time.Second)
		want := []string{"Normal Waiting Waits: db is not ready (probity.run/after)"}
		if diff := cmp.Diff(want, n.events("Waiting", "WaitsInVain")); diff != "" {
			t.Errorf("Events (-want +got):\n%s", diff)
		}
		if s := n.pod().Status.ContainerStatuses; len(s) > 0 {
			t.Errorf("it was started: %v", s)
		}
		n.engine.answer("/db", healthy)
		n.untilReady(true)
		n.delete(-1)
	})
}

// One that is deleted while it waits goes, and one whose object is removed is forgotten.
func TestDeletedWhileWaiting(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		n.create(examplePodOf(withReadiness("/never"), func(p *corev1.Pod) { p.Name = "db" }))
		n.create(examplePodOf(annotated(manifest.AnnotationAfter, "db=completed")))
		n.delete(-1)
		if pod := n.pod(); pod != nil {
			t.Errorf("the Pod is still there: %v", pod.Status)
		}
		n.create(examplePodOf(annotated(manifest.AnnotationAfter, "db=completed")))
		n.delete(0)
		if len(n.node.waiting) > 0 {
			t.Errorf("%d Pods are waited for", len(n.node.waiting))
		}
	})
}
