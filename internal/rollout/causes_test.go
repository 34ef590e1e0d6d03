package rollout_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/rollout"
	"github.com/probity-run/probity/internal/rollout/render"
)

var update = flag.Bool("update", false, "write testdata/verdicts.txt instead of comparing it")

const (
	pullRefused = `Failed to pull image "localhost:5999/missing:1": failed to pull and unpack image "localhost:5999/missing:1": failed to resolve reference ` +
		`"localhost:5999/missing:1": failed to do request: Head "https://localhost:5999/v2/missing/manifests/1": dial tcp 127.0.0.1:5999: connect: connection refused`
	pullAbsent = `rpc error: code = NotFound desc = failed to pull and unpack image "example.com/x:1": failed to resolve reference "example.com/x:1": example.com/x:1: not found`
	refused    = `Get "http://10.244.0.13:%d%s": dial tcp 10.244.0.13:%[1]d: connect: connection refused`
)

// row is a case of the table: what happens, and when the verdict is to come; -1 means not at all.
type row struct {
	name string
	make func() *world
	at   int
}

// crash lets a container end at seconds, after it ran for one; it runs again after pauses as the
// kubelet's.
func crash(w *world, code int32, pod *corev1.Pod, at ...int) {
	for i, second := range at {
		w.at(second, func() {
			if i > 0 {
				w.restart(pod)
			}
			w.end(pod, code, 0)
		})
	}
}

// killedBy lets a probe kill a container each so many seconds.
func killedBy(w *world, pod *corev1.Pod, probe, output string, period, until int) {
	w.at(0, func() { w.start(pod) })
	name := strings.ToUpper(probe[:1]) + probe[1:]
	for s := period; s <= until; s += period {
		for n := range 3 {
			w.at(s-2+n, func() { w.event(pod.UID, "web", "Unhealthy", name+" probe failed: "+output) })
		}
		w.at(s, func() {
			w.event(pod.UID, "web", "Killing", "Container web failed "+probe+" probe, will be restarted")
			w.end(pod, 0, period)
			w.restart(pod)
		})
	}
}

func unscheduled(w *world, pod *corev1.Pod, reason, message string) {
	pod.Spec.NodeName = ""
	w.condition(pod, corev1.PodScheduled, corev1.ConditionFalse, reason, message)
}

func rows() []row {
	pod := func(change func(w *world, pod *corev1.Pod), containers ...corev1.Container) func() *world {
		return func() *world {
			if len(containers) == 0 {
				containers = []corev1.Container{app()}
			}
			w := newWorld(containers...)
			change(w, w.pod("web-new-x2x4z"))
			return w
		}
	}
	return []row{
		{"refused by quota", func() *world {
			w := newWorld(app())
			w.deployment.Spec.Replicas = new(int32(2))
			w.ready(w.pod("web-new-x2x4z"), true)
			w.at(1, func() {
				w.set.Status.Conditions = []appsv1.ReplicaSetCondition{{Type: appsv1.ReplicaSetReplicaFailure, Status: corev1.ConditionTrue, Reason: "FailedCreate", LastTransitionTime: metav1.NewTime(w.now),
					Message: `pods "web-new-abcde" is forbidden: exceeded quota: small, requested: pods=1, used: pods=1, limited: pods=1`}}
			})
			return w
		}, 31},
		{"refused by admission", func() *world {
			w := newWorld(app())
			w.at(1, func() {
				w.set.Status.Conditions = []appsv1.ReplicaSetCondition{{Type: appsv1.ReplicaSetReplicaFailure, Status: corev1.ConditionTrue, Reason: "FailedCreate", LastTransitionTime: metav1.NewTime(w.now),
					Message: `pods "web-new-abcde" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false`}}
			})
			return w
		}, 1},
		{"paused", func() *world {
			w := newWorld(app())
			w.deployment.Spec.Paused = true
			return w
		}, 0},
		{"unschedulable", pod(func(w *world, pod *corev1.Pod) {
			pod.Spec.Containers[0].Resources.Requests = corev1.ResourceList{"cpu": resource.MustParse("64")}
			w.facts.Nodes = []*corev1.Node{{ObjectMeta: metav1.ObjectMeta{Name: "node-1"}, Status: corev1.NodeStatus{Allocatable: corev1.ResourceList{"cpu": resource.MustParse("2")}}}}
			unscheduled(w, pod, "Unschedulable",
				"0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.")
			w.exceeds = 600 * time.Second
		}), 600},
		{"unschedulable, as others have the room", pod(func(w *world, pod *corev1.Pod) {
			pod.Spec.Containers[0].Resources.Requests = corev1.ResourceList{"memory": resource.MustParse("1Gi")}
			w.facts.Nodes = []*corev1.Node{{ObjectMeta: metav1.ObjectMeta{Name: "node-1"}, Status: corev1.NodeStatus{Allocatable: corev1.ResourceList{"memory": resource.MustParse("4Gi")}}}}
			unscheduled(w, pod, "Unschedulable", "0/1 nodes are available: 1 Insufficient memory. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.")
			w.exceeds = 600 * time.Second
		}), 600},
		{"scheduling gate", pod(func(w *world, pod *corev1.Pod) {
			pod.Spec.SchedulingGates = []corev1.PodSchedulingGate{{Name: "example.com/wait"}}
			unscheduled(w, pod, "SchedulingGated", "Scheduling is blocked due to non-empty scheduling gates")
			w.exceeds = 600 * time.Second
		}), 600},
		{"volume", pod(func(w *world, pod *corev1.Pod) {
			w.facts.Has = func(kind, name string) bool { return false }
			for _, s := range []int{0, 1, 2, 4, 8, 16, 32, 64} {
				w.at(s, func() {
					w.event(pod.UID, "", "FailedMount", `MountVolume.SetUp failed for volume "v" : configmap "settings" not found`)
				})
			}
		}), 32},
		{"sandbox", pod(func(w *world, pod *corev1.Pod) {
			w.every(12, 1, 100, func() {
				w.event(pod.UID, "", "FailedCreatePodSandBox", "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox: no networks found in /etc/cni/net.d")
			})
		}), 37},
		{"image name", pod(func(w *world, pod *corev1.Pod) {
			pod.Spec.Containers[0].Image = "UPPER//case"
			w.at(1, func() {
				wait(pod, "InvalidImageName", `Failed to apply default image tag "UPPER//case": couldn't parse image name "UPPER//case": invalid reference format`)
			})
		}), 1},
		{"image absent, pull policy Never", pod(func(w *world, pod *corev1.Pod) {
			w.at(1, func() {
				wait(pod, "ErrImageNeverPull", `Container image "probity.test/web:1" is not present with pull policy of Never`)
			})
		}), 1},
		{"image not found", pod(func(w *world, pod *corev1.Pod) {
			for _, s := range []int{1, 14, 40, 82} {
				w.at(s, func() {
					w.event(pod.UID, "web", "Failed", `Failed to pull image "probity.test/web:1": `+pullAbsent)
					wait(pod, "ErrImagePull", pullAbsent)
				})
				w.at(s+1, func() {
					wait(pod, "ImagePullBackOff", `Back-off pulling image "probity.test/web:1": ErrImagePull: `+pullAbsent)
				})
			}
		}), 40},
		{"registry does not answer", pod(func(w *world, pod *corev1.Pod) {
			pod.Spec.Containers[0].Image = "localhost:5999/missing:1"
			w.at(1, func() { wait(pod, "ErrImagePull", pullRefused) })
			w.exceeds = 600 * time.Second
		}), 600},
		{"configuration", pod(func(w *world, pod *corev1.Pod) {
			w.facts.Has = func(kind, name string) bool { return false }
			w.every(12, 1, 100, func() {
				wait(pod, "CreateContainerConfigError", `configmap "settings" not found`)
				w.event(pod.UID, "web", "Failed", `Error: configmap "settings" not found`)
			})
		}), 37},
		{"command", pod(func(w *world, pod *corev1.Pod) {
			for i, s := range []int{1, 2, 17, 44} {
				w.at(s, func() {
					if i > 0 {
						w.restart(pod)
					}
					w.end(pod, 128, 0)
					st := first(pod)
					st.LastTerminationState.Terminated.Reason = "StartError"
					st.LastTerminationState.Terminated.Message = `failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "/absent": stat /absent: no such file or directory: unknown`
				})
			}
		}), 31},
		{"init container", func() *world {
			w := newWorld(app())
			w.deployment.Spec.Template.Spec.InitContainers = []corev1.Container{{Name: "migrate"}}
			w.set.Spec.Template.Spec.InitContainers = []corev1.Container{{Name: "migrate"}}
			pod := w.pod("web-new-x2x4z")
			crash(w, 3, pod, 1, 2, 17, 44)
			w.facts.Logs = map[rollout.Instance][]string{{Pod: pod.UID, Container: "migrate", Number: 2}: {"calculator: loading settings", "calculator: DATABASE_URL is not set"}}
			return w
		}, 31},
		{"crash", pod(func(w *world, pod *corev1.Pod) {
			crash(w, 3, pod, 1, 2, 17, 44)
			w.facts.Logs = map[rollout.Instance][]string{{Pod: pod.UID, Container: "web", Number: 2}: {"calculator: loading settings", "calculator: DATABASE_URL is not set\x1b[31m"}}
		}), 31},
		{"startup budget", func() *world {
			c := app()
			c.StartupProbe = get("/startupz", 8080)
			w := newWorld(c)
			killedBy(w, w.pod("web-new-x2x4z"), "startup", fmt.Sprintf(refused, 8080, "/startupz"), 4, 60)
			return w
		}, 34},
		{"liveness, wrong port", func() *world {
			c := app()
			c.LivenessProbe = get("/livez", 9999)
			w := newWorld(c)
			pod := w.pod("web-new-x2x4z")
			killedBy(w, pod, "liveness", fmt.Sprintf(refused, 9999, "/livez"), 4, 60)
			w.facts.Findings = []advisor.Finding{{Rule: "probe-port-undeclared", Severity: advisor.Waste, Object: manifest.Ref{Kind: "Deployment", Namespace: "d", Name: "web"}, Container: "web",
				Field: "spec.template.spec.containers[0].livenessProbe.httpGet.port", Region: advisor.Region{File: "app.yaml", Line: 17}, Scenario: "--fault hang@60s+12s"}}
			return w
		}, 34},
		{"readiness, wrong path", pod(func(w *world, pod *corev1.Pod) {
			w.deployment.Spec.ProgressDeadlineSeconds = new(int32(80))
			pod.Spec.Containers[0].ReadinessProbe = get("/nope", 8080)
			w.at(1, func() { w.start(pod) })
			w.every(1, 2, 26, func() {
				w.event(pod.UID, "web", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 404")
			})
			w.exceeds = 81 * time.Second
			w.facts.Logs = map[rollout.Instance][]string{{Pod: pod.UID, Container: "web"}: {"calculator: listening on :8080"}}
		}), 81},
		{"readiness gate", pod(func(w *world, pod *corev1.Pod) {
			pod.Spec.ReadinessGates = []corev1.PodReadinessGate{{ConditionType: "example.com/lb"}}
			w.at(1, func() {
				w.start(pod)
				first(pod).Ready = true
				w.condition(pod, corev1.ContainersReady, corev1.ConditionTrue, "", "")
				w.condition(pod, corev1.PodReady, corev1.ConditionFalse, "ReadinessGatesNotReady", "corresponding condition of pod readiness gate")
			})
			w.exceeds = 600 * time.Second
		}), 600},
		{"node lost", pod(func(w *world, pod *corev1.Pod) {
			w.facts.Nodes = []*corev1.Node{{ObjectMeta: metav1.ObjectMeta{Name: "node-2"}, Status: corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady,
				Status: corev1.ConditionUnknown, LastHeartbeatTime: metav1.NewTime(begun), Reason: "NodeStatusUnknown", Message: "Kubelet stopped posting node status."}}}}}
			w.exceeds = 600 * time.Second
		}), 600},
		{"job", func() *world {
			w := newWorld(app())
			job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: "d", Name: "migrate", UID: "job"}, Spec: batchv1.JobSpec{BackoffLimit: new(int32(1)), Template: w.deployment.Spec.Template}}
			w.facts.Workload = job
			for i, name := range []string{"migrate-a", "migrate-b"} {
				pod := w.podOf("job", name)
				w.at(1+4*i, func() {
					pod.Status.Phase = corev1.PodFailed
					w.end(pod, 3, 1)
					first(pod).State = corev1.ContainerState{Terminated: first(pod).LastTerminationState.Terminated}
				})
			}
			w.at(6, func() {
				job.Status.Failed = 2
				job.Status.Conditions = []batchv1.JobCondition{{Type: batchv1.JobFailureTarget, Status: corev1.ConditionTrue, Reason: "BackoffLimitExceeded", LastTransitionTime: metav1.NewTime(w.now),
					Message: "Job has reached the specified backoff limit"}}
			})
			return w
		}, 6},
		{"stuck StatefulSet", func() *world {
			w := newWorld(app())
			set := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Namespace: "d", Name: "s", UID: "set", Generation: 3}, Spec: appsv1.StatefulSetSpec{Replicas: new(int32(1)),
				PodManagementPolicy: appsv1.OrderedReadyPodManagement, Template: w.deployment.Spec.Template},
				Status: appsv1.StatefulSetStatus{ObservedGeneration: 3, Replicas: 1, CurrentRevision: "s-2", UpdateRevision: "s-2"}}
			w.facts.Workload, w.facts.Generation = set, 3
			pod := w.podOf("set", "s-0")
			pod.Labels = map[string]string{"controller-revision-hash": "s-1"}
			wait(pod, "CrashLoopBackOff", "back-off 10s restarting failed container=web pod=s-0_d(1)")
			return w
		}, 30},
		{"no progress and nothing seen", pod(func(w *world, pod *corev1.Pod) { w.exceeds = 600 * time.Second }), 600},
		{"a time-out while nothing is wrong", pod(func(w *world, pod *corev1.Pod) {
			w.deployment.Spec.ProgressDeadlineSeconds = new(int32(1<<31 - 1))
			w.at(60, func() { w.event(pod.UID, "web", "Pulling", `Pulling image "probity.test/web:1"`) })
		}), 900},
		{"up, and nobody behind a Service", pod(func(w *world, pod *corev1.Pod) {
			w.at(1, func() { w.start(pod) })
			w.at(3, func() { w.ready(pod, true) })
			w.facts.Services = []*corev1.Service{{ObjectMeta: metav1.ObjectMeta{Namespace: "d", Name: "web"}, Spec: corev1.ServiceSpec{Selector: map[string]string{"app": "web"}}}}
		}), 6},
		{"up, but nothing asked it", pod(func(w *world, pod *corev1.Pod) {
			w.at(1, func() { w.start(pod); w.ready(pod, true) })
		}, corev1.Container{Name: "web"}), 11},
	}
}

// TestCauses: each cause of the table ends in its verdict at its time, and in these words.
func TestCauses(t *testing.T) {
	var golden strings.Builder
	for _, row := range rows() {
		w := row.make()
		at, r := w.play(1000)
		if at != row.at {
			t.Errorf("%s: the verdict comes after %d s, want %d s: %+v", row.name, at, row.at, r.Causes)
		}
		fmt.Fprintf(&golden, "%s\n%s\n\n", row.name, strings.Join(render.Verdict(&r), "\n"))
	}
	compare(t, "testdata/verdicts.txt", golden.String())
}

func compare(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}
