package workload

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestProgressDeadline(t *testing.T) { // P04 R213
	f := newFleet(t, 2, "1", "0")
	f.deployment.Spec.ProgressDeadlineSeconds = new(int32(5))
	f.step()
	if c := f.condition(appsv1.DeploymentProgressing); c.Reason != "NewReplicaSetCreated" || c.Message != `Created new replica set "new"` {
		t.Fatalf("%+v", c)
	}
	again := f.status(false)
	if c := f.condition(appsv1.DeploymentProgressing); c.Status != corev1.ConditionTrue || !again.Equal(f.now.Add(5*time.Second)) {
		t.Fatalf("%+v, again at %v", c, again)
	}
	f.now = again.Add(-time.Nanosecond)
	f.status(false)
	if c := f.condition(appsv1.DeploymentProgressing); c.Status != corev1.ConditionTrue {
		t.Errorf("too early: %+v", c)
	}
	f.now = again
	want := appsv1.DeploymentCondition{
		Type: appsv1.DeploymentProgressing, Status: corev1.ConditionFalse, Reason: "ProgressDeadlineExceeded", Message: `ReplicaSet "new" has timed out progressing.`,
		LastUpdateTime: metav1.NewTime(again), LastTransitionTime: metav1.NewTime(again),
	}
	if again := f.status(false); !again.IsZero() {
		t.Errorf("again at %v although it is late already", again)
	}
	if diff := cmp.Diff(want, f.condition(appsv1.DeploymentProgressing)); diff != "" {
		t.Error(diff)
	}
	if f.step() || f.String() != "2/1" {
		t.Errorf("%v: something was rolled back", f)
	}
	for range 3 { // its Pods become ready after all
		f.settle()
		for f.step() {
		}
	}
	if c := f.condition(appsv1.DeploymentProgressing); c.Status != corev1.ConditionTrue || c.Reason != "NewReplicaSetAvailable" || f.String() != "0/2" {
		t.Errorf("%v: %+v", f, c)
	}
	f.New.Ready, f.New.Available = 0, 0 // P09
	f.now = f.now.Add(time.Hour)
	again = f.status(false)
	if c := f.condition(appsv1.DeploymentProgressing); c.Status != corev1.ConditionTrue || !again.IsZero() {
		t.Errorf("a complete rollout: %+v, again at %v", c, again)
	}
	if c := f.condition(appsv1.DeploymentAvailable); c.Status != corev1.ConditionFalse || c.Reason != "MinimumReplicasUnavailable" {
		t.Errorf("%+v", c)
	}
}

func TestPause(t *testing.T) {
	f := newFleet(t, 2, "1", "0")
	f.step()
	f.Paused = true
	f.settle()
	if f.step() {
		t.Errorf("goes on to %v", f)
	}
	if c := f.condition(appsv1.DeploymentProgressing); c.Status != corev1.ConditionUnknown || c.Reason != "DeploymentPaused" || c.Message != "Deployment is paused" {
		t.Errorf("%+v", c)
	}
	f.Paused = false
	f.now = f.now.Add(time.Hour) // the time of the pause does not count
	again := f.status(false)
	if c := f.condition(appsv1.DeploymentProgressing); c.Reason != "DeploymentResumed" || !again.Equal(f.now.Add(10*time.Minute)) {
		t.Errorf("%+v, again at %v", c, again)
	}
	if !f.step() {
		t.Error("does not go on")
	}
}

func TestNoDeadline(t *testing.T) {
	f := newFleet(t, 1, "1", "0")
	f.deployment.Spec.ProgressDeadlineSeconds = new(int32(1<<31 - 1))
	f.step()
	if again := f.status(true); !again.IsZero() || f.condition(appsv1.DeploymentProgressing).Type != "" {
		t.Errorf("again at %v, %+v", again, f.deployment.Status.Conditions)
	}
}

// R213: each of these refreshes the condition, and nothing else does
func TestProgress(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(f *fleet)
		want   bool
	}{
		"more updated":   {func(f *fleet) { f.New.Replicas++ }, true},
		"fewer old":      {func(f *fleet) { f.Old[0].Replicas-- }, true},
		"more ready":     {func(f *fleet) { f.New.Ready++ }, true},
		"more available": {func(f *fleet) { f.New.Available++ }, true},
		"fewer ready":    {func(f *fleet) { f.Old[0].Ready-- }, false},
		"nothing":        {func(f *fleet) {}, false},
	} {
		f := newFleet(t, 3, "1", "0")
		f.step()
		f.status(false)
		f.now = f.now.Add(7 * time.Second)
		tt.change(f)
		f.status(false)
		if got := f.condition(appsv1.DeploymentProgressing).LastUpdateTime.Time.Equal(f.now); got != tt.want {
			t.Errorf("%s: refreshed %v, want %v", name, got, tt.want)
		}
	}
}
