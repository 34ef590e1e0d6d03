package diagnosis

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// sidecar adds a container beside the one there is.
func (f *Facts) sidecar(name string) {
	f.Pod.Spec.Containers = append(f.Pod.Spec.Containers, corev1.Container{Name: name})
}

func (f *Facts) waits(reason, message string) {
	f.unready()
	f.Probes = nil
	f.Pod.Status.ContainerStatuses[0].State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}
}

// TestWaiting: Pods that are not ready although nothing has failed, or that cannot be started, and
// Pods that have several containers.
func TestWaiting(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*Facts)
		want   Diagnosis
	}{
		"not asked yet": {func(f *Facts) {
			f.started(5 * time.Second)
			f.unready()
			f.Probes = []Probe{{Container: "app", Type: readiness}, {Container: "app", Type: liveness}}
			f.Pod.Spec.Containers[0].ReadinessProbe.InitialDelaySeconds = 12
		}, Diagnosis{
			State: Starting, Reason: "no readiness attempt yet · GET /readyz", Why: "Runs; GET /readyz was not asked yet (initialDelaySeconds: 12, another 7 s).",
		}},
		"two of three successes": {func(f *Facts) {
			f.started(5 * time.Second)
			f.unready()
			f.Probes[1].Passing, f.Probes[1].Run, f.Probes[1].Threshold = false, 2, 3
		}, Diagnosis{
			State: NotReady, Attention: true, Check: "2/3", Reason: "GET /readyz · 2/3 successes", Why: "GET /readyz answers; 2 of the 3 successes in a row that it takes.",
		}},
		"no verdict": {func(f *Facts) {
			f.started(time.Minute)
			f.unready()
			f.Probes = []Probe{{Container: "app", Type: readiness, At: now, Attempts: 3, Unevaluated: true, Output: "no such port"}}
		}, Diagnosis{
			State: NotReady, Attention: true, Reason: "no such port · GET /readyz · no verdict",
			Why: "no such port · GET /readyz. That is no failure of the program: the attempt could not be judged, and counts for nothing.",
		}},
		"an init container runs": {func(f *Facts) {
			f.waits("PodInitializing", "")
			f.Pod.Spec.InitContainers = []corev1.Container{{Name: "migrate"}}
			f.Pod.Status.InitContainerStatuses = []corev1.ContainerStatus{{Name: "migrate", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(now.Add(-time.Second))}}}}
		}, Diagnosis{State: Starting, Reason: "init container migrate runs", Why: "Init container migrate runs; the next one starts when it has ended."}},
		"a gate": {func(f *Facts) {
			f.started(time.Minute)
			f.unready()
			f.Pod.Spec.ReadinessGates = []corev1.PodReadinessGate{{ConditionType: "example.com/lb"}}
		}, Diagnosis{
			State: NotReady, Attention: true, Reason: "waits for readiness gate example.com/lb", Why: "Its containers are ready; the Pod waits for readiness gate example.com/lb.",
		}},
		"no such ConfigMap": {func(f *Facts) { f.waits("CreateContainerConfigError", `configmap "web" not found`) }, Diagnosis{
			State: NotReady, Attention: true, Check: "no start", Reason: `cannot be started: configmap "web" not found`, Why: `app cannot be started: configmap "web" not found`,
			So: "It is tried again; nothing of the container runs.", Next: "add configmap web to the manifests, or correct the name by which app asks for it.",
		}},
		"could not be started, and waits": {func(f *Facts) {
			f.ended(corev1.ContainerStateTerminated{ExitCode: 128, Reason: "StartError", Message: `exec: "./web": permission denied`}, "")
		}, Diagnosis{
			State: BackOff, Attention: true, Check: "0:34", Reason: `cannot be started: exec: "./web": permission denied · starts again in 0:34`,
			Why: `cannot be started: exec: "./web": permission denied, seven times in a row.`, So: "Starts again in 0:34; after the next crash it waits 1m20s.",
			Next: "correct command (app.yaml:command), or name the program with --command app='./program'.",
		}},
		"one of two containers fails": {func(f *Facts) {
			f.never(refusedText)
			f.sidecar("log")
			f.container(func(c *Container) { c.Looked = false })
		}, Diagnosis{
			State: NotReady, Attention: true, Check: "never", Reason: "app: connection refused · GET :8080/readyz · 36 attempts",
			Why: "app: connection refused · GET :8080/readyz · 36 attempts in 1m12s, never ready.", So: withoutRoute, Next: "let it listen on $PORT (37121); l shows what it wrote.",
		}},
		"one of two containers crashes": {func(f *Facts) {
			f.ended(corev1.ContainerStateTerminated{ExitCode: 137, Reason: "OOMKilled"}, "x")
			f.sidecar("log")
		}, Diagnosis{
			State: BackOff, Attention: true, Check: "0:34", Reason: "app: exit 137 (OOMKilled) after 0.2 s · starts again in 0:34 · “x”",
			Why: "app: exit 137 (OOMKilled) after 0.2 s, seven times in a row. Last words: “x”", So: "Starts again in 0:34; after the next crash it waits 1m20s.",
			Next: "look whether memory ran out (dmesg): somebody else than Probity sent SIGKILL. Then r starts it now; l shows all it wrote.",
		}},
		"not available yet": {func(f *Facts) {
			f.Workload.MinReady = 20 * time.Second
			f.Pod.Status.Conditions[0].LastTransitionTime = metav1.NewTime(now.Add(-8 * time.Second))
		}, Diagnosis{
			State: Ready, Check: "ok", Reason: "counts as available in 0:12 · minReadySeconds", Why: "Readiness answered in 1.0 ms, liveness answered in 1.0 ms. In rotation of service/web.",
			So: "Until then it serves, and a rollout waits for it.",
		}},
		"a command says no": {func(f *Facts) {
			f.Pod.Spec.Containers[0].LivenessProbe.ProbeHandler = corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"check", "a b"}}}
			f.fail(2, 1, 3, "no heartbeat\n").Body = "no heartbeat\n"
			f.fail(1, 4, 1, timeoutText).EverPassed = false
		}, Diagnosis{
			State: NotReady, Attention: true, Check: "1/3", Reason: "“no heartbeat” · exec check a b · 1/3, 2 more and it is restarted",
			Why: "“no heartbeat” · exec check a b · 1/3, 2 more and it is restarted (next attempt in 2 s).",
			So:  "It was never ready (readiness timed out too); 2 of 3 replicas serve.", Next: "run it by hand: check 'a b'.",
		}},
		"another process has its port": {func(f *Facts) {
			f.ended(corev1.ContainerStateTerminated{ExitCode: 1}, "listen tcp :8080: bind: address already in use")
		}, Diagnosis{
			State: BackOff, Attention: true, Check: "0:34", Reason: "exit 1 after 0.2 s · starts again in 0:34 · “listen tcp :8080: bind: address already in use”",
			Why:  "exit 1 after 0.2 s, seven times in a row. Last words: “listen tcp :8080: bind: address already in use”",
			So:   "Starts again in 0:34; after the next crash it waits 1m20s.",
			Next: "end the process that has the port, or let the program listen on the one in PORT. Then r starts it now; l shows all it wrote.",
		}},
		"restarted by hand": {func(f *Facts) {
			f.container(func(c *Container) { c.Stopping, c.KillAt = true, now.Add(12*time.Second) })
		}, Diagnosis{
			State: Ready, Check: "0:12", Reason: "is being restarted · SIGKILL in 0:12", Why: "app is asked to end, and started anew.",
			So: "It is being restarted: the stop signal was sent, SIGKILL in 0:12; 2 of 3 replicas serve.",
		}},
		"a startup probe has failed for good": {func(f *Facts) {
			f.unready()
			p := f.fail(0, 60, 60, statusText+"503")
			p.Over = false
			f.container(func(c *Container) { c.Stopping, c.KillAt = true, now.Add(3*time.Second) })
		}, Diagnosis{
			State: NotReady, Attention: true, Check: "0:03", Reason: "HTTP 503 · GET /startupz · 60/60, it is being restarted", Why: "HTTP 503 · GET /startupz · 60/60, it is being restarted.",
			So:   "It is being restarted: the stop signal was sent, SIGKILL in 0:03; 2 of 3 replicas serve.",
			Next: "if it needs longer, raise startupProbe.failureThreshold (app.yaml:startupProbe.failureThreshold); its log says how far it is (l).",
		}},
		"a probe has killed it": {func(f *Facts) {
			f.ended(corev1.ContainerStateTerminated{ExitCode: 143, Signal: 15}, "listening on 8080")
			f.container(func(c *Container) { c.Killed, c.KilledBy, c.KilledFor = true, liveness, timeoutText })
		}, Diagnosis{
			State: BackOff, Attention: true, Check: "0:34", Reason: "liveness: timeout 1 s · GET /livez · SIGTERM after 0.2 s · starts again in 0:34",
			Why: "liveness: timeout 1 s · GET /livez · SIGTERM after 0.2 s, seven times in a row. Last words: “listening on 8080”",
			So:  "Starts again in 0:34; after the next crash it waits 1m20s.", Next: "read its last lines (l).",
		}},
		"one of two containers is killed first": {func(f *Facts) {
			f.Pod.DeletionTimestamp = new(metav1.NewTime(now.Add(30 * time.Second)))
			f.Containers["a"], f.Containers["b"] = Container{KillAt: now.Add(20 * time.Second)}, Container{KillAt: now.Add(9 * time.Second)}
		}, Diagnosis{
			State: Stopping, Check: "0:09", Reason: "SIGKILL in 0:09", Why: "Stopping: the stop signal was sent, SIGKILL in 0:09.",
			So: "Out of rotation; startup and liveness are not probed while stopping.",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			f := running()
			test.change(f)
			got := Of(*f)
			got.Cause = ""
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
