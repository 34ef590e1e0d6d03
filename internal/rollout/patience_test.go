package rollout_test

import (
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/rollout"
)

// TestPatience: no verdict but the good one where waiting is right.
func TestPatience(t *testing.T) {
	for name, change := range map[string]func(w *world, pod *corev1.Pod) (up int){
		"it exits twice, then it is up": func(w *world, pod *corev1.Pod) int {
			crash(w, 1, pod, 1, 2)
			w.at(17, func() { w.restart(pod) })
			w.at(20, func() { w.ready(pod, true) })
			return 30 // a restart: it has to hold
		},
		"it exits three times, then it is up before the patience ends": func(w *world, pod *corev1.Pod) int {
			crash(w, 1, pod, 1, 2, 17)
			w.at(28, func() { w.restart(pod) })
			w.at(30, func() { w.ready(pod, true) })
			return 40
		},
		"the image is there after 20 s": func(w *world, pod *corev1.Pod) int {
			for _, s := range []int{1, 14} {
				w.at(s, func() {
					w.event(pod.UID, "web", "Failed", `Failed to pull image "probity.test/web:1": `+pullAbsent)
					wait(pod, "ErrImagePull", pullAbsent)
				})
				w.at(s+1, func() {
					wait(pod, "ImagePullBackOff", `Back-off pulling image "probity.test/web:1": ErrImagePull: `+pullAbsent)
				})
			}
			w.at(42, func() { w.start(pod) }) // the third attempt is not made sooner
			w.at(44, func() { w.ready(pod, true) })
			return 44
		},
		"the image is there after 20 s, and it takes long to pull it": func(w *world, pod *corev1.Pod) int {
			for _, s := range []int{1, 14} {
				w.at(s, func() {
					w.event(pod.UID, "web", "Pulling", `Pulling image "probity.test/web:1"`)
					w.event(pod.UID, "web", "Failed", `Failed to pull image "probity.test/web:1": `+pullAbsent)
					wait(pod, "ErrImagePull", pullAbsent)
				})
			}
			w.at(27, func() { w.event(pod.UID, "web", "Pulling", `Pulling image "probity.test/web:1"`) })
			w.at(90, func() { w.start(pod) }) // until then the status says that it is absent
			w.at(92, func() { w.ready(pod, true) })
			return 92
		},
		"the Secret is there after 20 s": func(w *world, pod *corev1.Pod) int {
			w.every(11, 1, 23, func() {
				wait(pod, "CreateContainerConfigError", `secret "settings" not found`)
				w.event(pod.UID, "web", "Failed", `Error: secret "settings" not found`)
			})
			w.at(34, func() { w.start(pod) })
			w.at(36, func() { w.ready(pod, true) })
			return 36
		},
		"the volume is there after 20 s": func(w *world, pod *corev1.Pod) int {
			for _, s := range []int{0, 1, 2, 4, 8, 16} {
				w.at(s, func() {
					w.event(pod.UID, "", "FailedMount", `MountVolume.SetUp failed for volume "v" : configmap "settings" not found`)
				})
			}
			w.at(33, func() { w.start(pod) })
			w.at(34, func() { w.ready(pod, true) })
			return 34
		},
		"readiness answers 404 for 60 s, then 200": func(w *world, pod *corev1.Pod) int {
			w.at(1, func() { w.start(pod) })
			w.every(1, 2, 61, func() {
				w.event(pod.UID, "web", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 404")
			})
			w.at(62, func() { w.ready(pod, true) })
			return 62
		},
		"a node is added after 40 s": func(w *world, pod *corev1.Pod) int {
			unscheduled(w, pod, "Unschedulable", "0/1 nodes are available: 1 Insufficient cpu.")
			w.at(40, func() {
				w.condition(pod, corev1.PodScheduled, corev1.ConditionTrue, "", "")
				pod.Spec.NodeName = "node-3"
			})
			w.at(42, func() { w.start(pod) })
			w.at(43, func() { w.ready(pod, true) })
			return 43
		},
		"old Pods fail while they end": func(w *world, pod *corev1.Pod) int {
			w.facts.ReplicaSets = append(w.facts.ReplicaSets, w.replicaSet("web-old", 6))
			w.facts.ReplicaSets[1].Spec.Template.Spec.Containers[0].Image = "probity.test/web:0"
			old := w.podOf("web-old", "web-old-aaaaa")
			crash(w, 3, old, 1, 2, 17, 44)
			w.at(3, func() { w.event(old.UID, "web", "Killing", "Container web failed liveness probe, will be restarted") })
			w.every(4, 1, 44, func() {
				w.event(old.UID, "", "FailedMount", `MountVolume.SetUp failed for volume "v" : configmap "settings" not found`)
			})
			w.at(47, func() { old.DeletionTimestamp = new(metav1.NewTime(w.now.Add(30 * time.Second))) })
			w.at(48, func() { w.start(pod) })
			w.at(50, func() { w.ready(pod, true) })
			return 50
		},
		"a new Pod fails while it ends": func(w *world, pod *corev1.Pod) int {
			crash(w, 3, pod, 1, 2, 17)
			w.at(20, func() { pod.DeletionTimestamp = new(metav1.NewTime(w.now.Add(30 * time.Second))) })
			w.at(40, func() { w.ready(w.pod("web-new-bbbbb"), true) })
			return 40
		},
		"the node is away for 40 s": func(w *world, pod *corev1.Pod) int {
			node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node-2"}, Status: corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionUnknown}}}}
			w.facts.Nodes = []*corev1.Node{nil, node}
			w.at(40, func() { node.Status.Conditions[0].Status = corev1.ConditionTrue; w.start(pod) })
			w.at(41, func() { w.ready(pod, true) })
			return 41
		},
		"the quota has room after 20 s": func(w *world, pod *corev1.Pod) int {
			w.deployment.Spec.Replicas = new(int32(2))
			w.ready(pod, true)
			w.set.Status.Conditions = []appsv1.ReplicaSetCondition{{Type: appsv1.ReplicaSetReplicaFailure, Status: corev1.ConditionTrue, Reason: "FailedCreate",
				Message: `pods "web-new-abcde" is forbidden: exceeded quota: small, requested: pods=1`}}
			w.at(20, func() { w.set.Status.Conditions = nil; w.ready(w.pod("web-new-bbbbb"), true) })
			return 20
		},
	} {
		w := newWorld(app())
		want := change(w, w.pod("web-new-x2x4z"))
		at, r := w.play(300)
		if at != want || r.Verdict.Outcome != rollout.IsUp {
			t.Errorf("%s: after %d s %+v, want up after %d s", name, at, r.Verdict, want)
		}
	}
}

// TestPullFails: an image is absent if an attempt fails that ends after the patience.
func TestPullFails(t *testing.T) {
	w := newWorld(app())
	pod := w.pod("web-new-x2x4z")
	for _, s := range []int{1, 14, 90} {
		w.at(s, func() {
			w.event(pod.UID, "web", "Failed", `Failed to pull image "probity.test/web:1": `+pullAbsent)
			wait(pod, "ErrImagePull", pullAbsent)
		})
	}
	w.at(27, func() { w.event(pod.UID, "web", "Pulling", `Pulling image "probity.test/web:1"`) })
	if at, r := w.play(300); at != 90 || r.Verdict.Kind != rollout.Image {
		t.Errorf("after %d s %+v, want that there is no image, after 90 s", at, r.Verdict)
	}
}

// TestWellPod: what a Pod did before it was ready for a minute does not count any more.
func TestWellPod(t *testing.T) {
	w := newWorld(app())
	w.deployment.Spec.Replicas = new(int32(2)) // the other one is what the rollout waits for
	pod := w.pod("web-new-x2x4z")
	w.pod("web-new-slow")
	crash(w, 3, pod, 1, 2)
	w.at(17, func() { w.restart(pod); w.ready(pod, true) })
	w.at(90, func() { w.end(pod, 3, 73) })
	w.at(91, func() { w.restart(pod) })
	w.at(92, func() { w.end(pod, 3, 1) })
	w.at(110, func() { w.restart(pod); w.end(pod, 3, 0) })
	if at, r := w.play(300); at != 120 || r.Verdict.Kind != rollout.Crash || r.Verdict.Count != 3 {
		t.Errorf("after %d s %+v, want a crash after 120 s, three times", at, r.Verdict)
	}
}

// TestDegrees: one exit is suspect, several are doomed, and each is seen at once.
func TestDegrees(t *testing.T) {
	for second, want := range map[int]string{1: "suspect", 16: "suspect", 17: "doomed"} {
		w := newWorld(app())
		crash(w, 3, w.pod("web-new-x2x4z"), 1, 2, 17)
		_, r := w.play(second)
		if len(r.Causes) != 1 || r.Causes[0].Degree.String() != want {
			t.Errorf("after %d s: %+v, want %s", second, r.Causes, want)
		}
	}
}

// TestOldPod: restarts from before the deployment do not count.
func TestOldPod(t *testing.T) {
	w := newWorld(app())
	pod := w.pod("web-new-x2x4z")
	pod.CreationTimestamp = metav1.NewTime(begun.Add(-time.Hour))
	w.end(pod, 3, 1)
	w.restart(pod)
	first(pod).RestartCount = 14
	w.at(5, func() { w.end(pod, 3, 5) })
	w.at(100, func() { w.restart(pod); w.ready(pod, true) })
	if at, r := w.play(300); r.Verdict == nil || r.Verdict.Outcome != rollout.IsUp {
		t.Errorf("after %d s %+v, want up", at, r.Verdict)
	}
}

// TestBackOffOfOldPod: the length of a back-off tells how often it ended in a row, though all of it
// was before the deployment.
func TestBackOffOfOldPod(t *testing.T) {
	w := newWorld(app())
	pod := w.pod("web-new-x2x4z")
	pod.CreationTimestamp = metav1.NewTime(begun.Add(-time.Hour))
	w.end(pod, 3, 1)
	first(pod).RestartCount = 14
	wait(pod, "CrashLoopBackOff", "back-off 5m0s restarting failed container=web pod=web_d(1)")
	if at, r := w.play(300); at != 30 || r.Verdict.Kind != rollout.Crash {
		t.Errorf("after %d s %+v, want a crash after the patience", at, r.Verdict)
	}
}

// TestGeneration: what the status says of an older template is no verdict.
func TestGeneration(t *testing.T) {
	w := newWorld(app())
	pod := w.pod("web-new-x2x4z")
	w.ready(pod, true)
	w.facts.Generation = 2
	w.deployment.Status.Conditions = []appsv1.DeploymentCondition{{Type: appsv1.DeploymentProgressing, Status: corev1.ConditionFalse, Reason: "ProgressDeadlineExceeded"}}
	if at, r := w.play(100); at >= 0 {
		t.Errorf("after %d s %+v, want none: the cluster has not seen what was applied", at, r.Verdict)
	}
	w.deployment.Generation, w.deployment.Status.Conditions = 2, nil
	if r := w.explain(); r.Verdict != nil || len(r.Pods) != 1 {
		t.Errorf("%+v, want the Pod of the template that was applied, and no verdict yet", r)
	}
	w.deployment.Status.ObservedGeneration = 2
	if r := w.explain(); r.Verdict == nil || !r.Up {
		t.Errorf("%+v, want up", r.Verdict)
	}
}

// TestOtherContainer: what a probe did to one container is not why another one ends.
func TestOtherContainer(t *testing.T) {
	side := corev1.Container{Name: "side", LivenessProbe: get("/livez", 9090)}
	w := newWorld(side, app())
	pod := w.pod("web-new-x2x4z")
	crash(w, 3, pod, 1, 2, 17) // the first container
	w.every(1, 1, 17, func() { w.event(pod.UID, "web", "Killing", "Container web failed liveness probe, will be restarted") })
	if at, r := w.play(100); at != 31 || r.Verdict.Kind != rollout.Crash || r.Verdict.Container != "side" {
		t.Errorf("after %d s %+v, want a crash of side after 31 s", at, r.Verdict)
	}
}
