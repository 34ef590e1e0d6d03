package system

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/store"
)

// goalPod is a Pod of one container.
func goalPod(name string, change func(*corev1.Pod)) *corev1.Pod {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name},
		Spec:       corev1.PodSpec{RestartPolicy: corev1.RestartPolicyAlways, Containers: []corev1.Container{{Name: "app"}}},
		Status:     corev1.PodStatus{Phase: corev1.PodRunning, ContainerStatuses: []corev1.ContainerStatus{{Name: "app", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}}},
	}
	change(pod)
	return pod
}

func isReadyPod(pod *corev1.Pod) {
	pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
}

func ownedPod(pod *corev1.Pod) {
	pod.OwnerReferences = []metav1.OwnerReference{{Kind: "ReplicaSet", Controller: new(true)}}
}

func endedPod(policy corev1.RestartPolicy, phase corev1.PodPhase, code int32, reason string) func(*corev1.Pod) {
	return func(pod *corev1.Pod) {
		pod.Spec.RestartPolicy, pod.Status.Phase = policy, phase
		pod.Status.ContainerStatuses[0].State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code, Reason: reason}}
	}
}

func crashing(pod *corev1.Pod) {
	pod.Status.ContainerStatuses[0].State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}}
}

// TestGoals: what is missing for each goal, and whether it can still come.
func TestGoals(t *testing.T) {
	deployment := func(available int32, conditions ...appsv1.DeploymentCondition) *appsv1.Deployment {
		return &appsv1.Deployment{
			ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web"}, Spec: appsv1.DeploymentSpec{Replicas: new(int32(2))},
			Status: appsv1.DeploymentStatus{Replicas: 2, UpdatedReplicas: 2, AvailableReplicas: available, Conditions: conditions},
		}
	}
	stuck := appsv1.DeploymentCondition{Type: appsv1.DeploymentProgressing, Status: corev1.ConditionFalse, Message: "timed out"}
	probed := func(pod *corev1.Pod) { pod.Spec.Containers[0].ReadinessProbe = &corev1.Probe{} }
	both := func(changes ...func(*corev1.Pod)) func(*corev1.Pod) {
		return func(pod *corev1.Pod) {
			for _, change := range changes {
				change(pod)
			}
		}
	}
	deleted := func(pod *corev1.Pod) { pod.DeletionTimestamp = new(metav1.Now()) }
	never := func(pod *corev1.Pod) { pod.Spec.RestartPolicy = corev1.RestartPolicyNever }
	nothing := func(*corev1.Pod) {}
	for name, test := range map[string]struct {
		goal      Goal
		pod       func(*corev1.Pod)
		workloads []store.Object
		missing   []string
		final     bool
	}{
		"ready":                         {GoalReady, isReadyPod, nil, nil, false},
		"not ready":                     {GoalReady, nothing, nil, []string{"pod/a (not ready)"}, false},
		"pending":                       {GoalReady, func(p *corev1.Pod) { p.Status = corev1.PodStatus{} }, nil, []string{"pod/a (Pending)"}, false},
		"a crash loop may end":          {GoalReady, crashing, nil, []string{"pod/a (CrashLoopBackOff)"}, false},
		"failed for good":               {GoalReady, endedPod("Never", corev1.PodFailed, 3, "Error"), nil, []string{"pod/a (exit code 3)"}, true},
		"failed, and to be replaced":    {GoalReady, both(ownedPod, endedPod("Always", corev1.PodFailed, 3, "Error")), nil, nil, false},
		"succeeded":                     {GoalReady, endedPod("Never", corev1.PodSucceeded, 0, "Completed"), nil, nil, false},
		"its work is not done":          {GoalReady, both(never, isReadyPod), nil, []string{"pod/a (has not ended)"}, false},
		"never restarted, but ready":    {GoalReady, both(never, probed, isReadyPod), nil, nil, false},
		"it cannot be started":          {GoalReady, endedPod("Always", corev1.PodRunning, 128, "StartError"), nil, []string{"pod/a (exit code 128)"}, true},
		"a replica cannot be started":   {GoalReady, both(ownedPod, endedPod("Always", corev1.PodRunning, 128, "StartError")), nil, []string{"pod/a (exit code 128)"}, true},
		"a Pod that goes is not missed": {GoalReady, deleted, nil, nil, false},
		"a workload":                    {GoalReady, isReadyPod, []store.Object{deployment(1)}, []string{"shop/deployment/web (1/2)"}, false},
		"a workload that is complete":   {GoalReady, both(ownedPod, nothing), []store.Object{deployment(2)}, nil, false},
		"a rollout that is stuck":       {GoalReady, isReadyPod, []store.Object{deployment(1, stuck)}, []string{"shop/deployment/web (timed out)"}, true},
		"complete":                      {GoalComplete, endedPod("OnFailure", corev1.PodSucceeded, 0, "Completed"), []store.Object{deployment(0)}, nil, false},
		"not complete":                  {GoalComplete, both(never, isReadyPod), nil, []string{"pod/a (has not ended)"}, false},
		"complete never":                {GoalComplete, endedPod("Never", corev1.PodFailed, 3, "Error"), nil, []string{"pod/a (exit code 3)"}, true},
		"nothing that ends by itself":   {GoalComplete, crashing, nil, []string{"no Pod is left that ends by itself"}, false},
		"its Pod is being deleted":      {GoalComplete, both(never, deleted), nil, []string{"pod/a (being deleted)"}, false},
		"it had Succeeded before":       {GoalComplete, both(endedPod("Never", corev1.PodSucceeded, 0, "Completed"), deleted), nil, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			pods := []*corev1.Pod{goalPod("a", test.pod)}
			got := readiness(pods, nil, test.workloads)
			if test.goal == GoalComplete {
				got = completion(pods, nil)
			}
			if diff := cmp.Diff(test.missing, got.missing); diff != "" || got.final != test.final {
				t.Errorf("final %v, want %v; missing (-want +got)\n%s", got.final, test.final, diff)
			}
		})
	}
}

// TestGoalsOfTakenPods: a Pod of the manifests that was taken away, or that is being replaced,
// keeps a goal from being reached.
func TestGoalsOfTakenPods(t *testing.T) {
	succeeded := endedPod("Never", corev1.PodSucceeded, 0, "Completed")
	deleted := func(pod *corev1.Pod) {
		pod.Spec.RestartPolicy, pod.DeletionTimestamp = corev1.RestartPolicyNever, new(metav1.Now())
	}
	for name, test := range map[string]struct {
		pod   func(*corev1.Pod) // nil: there is none
		waits bool
		want  string // of both goals
	}{
		"done":                   {succeeded, false, ""},
		"was deleted":            {nil, false, "pod/job (was deleted)"},
		"waits for a place":      {nil, true, "pod/job (not started yet)"},
		"is being deleted":       {deleted, false, "pod/job (being deleted)"},
		"is being replaced":      {deleted, true, "pod/job (being replaced)"},
		"to be replaced, though": {succeeded, true, "pod/job (being replaced)"},
	} {
		t.Run(name, func(t *testing.T) {
			asked := []askedPod{{goalPod("job", func(p *corev1.Pod) { p.Spec.RestartPolicy = corev1.RestartPolicyNever }), test.waits}}
			pods := []*corev1.Pod{goalPod("done", succeeded)}
			if test.pod != nil {
				pods = append(pods, goalPod("job", test.pod))
			}
			for goal, got := range map[Goal]goalProgress{GoalComplete: completion(pods, asked), GoalReady: readiness(pods, asked, nil)} {
				if strings.Join(got.missing, ", ") != test.want || got.final {
					t.Errorf("%s: missing %q, final %v; want %q", goal, got.missing, got.final, test.want)
				}
			}
		})
	}
}

// TestReachOfAJobThatIsChanged: complete is reached by the Pod that the manifest asks for last, and
// not by its predecessor's end; one that a person deletes never completes.
func TestReachOfAJobThatIsChanged(t *testing.T) {
	path := filepath.Join(folder(t), "job.yaml")
	done := filepath.Join(filepath.Dir(path), "done")
	podOf(t, path, "job", "Never", "exec sleep 1000")
	s := started(t, t.Context(), Options{Manifests: []string{path}})
	old := runs(t, s, "job")
	reached := make(chan error, 1)
	go func() {
		_, err := s.Reach(t.Context(), GoalComplete)
		reached <- err
	}()
	podOf(t, path, "job", "Never", "until test -e "+done+"; do sleep 0.01; done")
	eventually(t, "another Pod runs", func() bool {
		pod, err := store.Get[*corev1.Pod](s.Store(), "default", "job")
		return err == nil && pod.UID != old.UID && pod.Status.Phase == corev1.PodRunning
	})
	select {
	case err := <-reached:
		t.Fatalf("reached by the Pod that was replaced: %v", err)
	default:
	}
	if err := os.WriteFile(done, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := <-reached; err != nil {
		t.Error(err)
	}
}

// TestReachOfAJobThatIsDeleted: a job that a person took away is not complete.
func TestReachOfAJobThatIsDeleted(t *testing.T) {
	s := started(t, t.Context(), Options{Manifests: []string{podOf(t, filepath.Join(folder(t), "job.yaml"), "job", "Never", "exec sleep 1000")}})
	runs(t, s, "job")
	if err := store.Delete[*corev1.Pod](s.Store(), "default", "job", store.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is gone", func() bool {
		_, err := store.Get[*corev1.Pod](s.Store(), "default", "job")
		return err != nil
	})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := s.Reach(ctx, GoalComplete); err == nil || err.Error() != "not complete: pod/job (was deleted)" {
		t.Errorf("error %v", err)
	}
}

// TestReach: a system that becomes ready, one that does not in time, and one that is stopped.
func TestReach(t *testing.T) {
	const pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  terminationGracePeriodSeconds: 1\n  containers:\n  - name: app\n    image: example\n" +
		"    command: [sleep, '1000']\n    readinessProbe: {periodSeconds: 1, exec: {command: ['%']}}\n"
	for name, test := range map[string]struct {
		probe string
		stop  bool
		want  string // of the error
	}{
		"ready":      {"true", false, ""},
		"never":      {"false", false, "not ready: pod/web (not ready)"},
		"is stopped": {"false", true, errEnded.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(folder(t), "app.yaml")
			if err := os.WriteFile(path, []byte(strings.Replace(pod, "%", test.probe, 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			s := started(t, t.Context(), Options{Manifests: []string{path}})
			runs(t, s, "web") // how long that takes is no matter here
			ctx, cancel := context.WithTimeout(t.Context(), hangs)
			defer cancel()
			if test.want != "" && !test.stop {
				ctx, cancel = context.WithTimeout(ctx, time.Second)
				defer cancel()
			}
			if test.stop {
				time.AfterFunc(200*time.Millisecond, s.Stop)
			}
			version, err := s.Reach(ctx, GoalReady)
			if test.want == "" {
				if err != nil || version == 0 {
					t.Errorf("version %d, %v", version, err)
				}
				return
			}
			if err == nil || err.Error() != test.want {
				t.Errorf("error %v, want %s", err, test.want)
			}
			if goal, ok := errors.AsType[*GoalError](err); ok == test.stop || ok && goal.Final {
				t.Errorf("error %#v", err)
			}
		})
	}
}
