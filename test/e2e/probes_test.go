package e2e

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/probity-run/probity/test/harness"
)

const failed500 = "HTTP probe failed with statuscode: 500"

func appStatus(pod *corev1.Pod) corev1.ContainerStatus { return pod.Status.ContainerStatuses[0] }

// patient is a probe that gives a service time to answer on a busy machine.
func patient(probe string) string {
	return strings.Replace(probe, "periodSeconds: 1", "periodSeconds: 1, timeoutSeconds: 10", 1)
}

func TestLivenessThreeFailures(t *testing.T) { // A01
	t.Parallel()
	r := harness.Start(t, harness.Manifest(`"-answers=/live=200x2,500"`, harness.Listens+patient(harness.Live3)))
	r.WaitPod("a restart", harness.Restarted(1))
	failures := r.Events("Unhealthy Liveness probe failed: " + failed500)
	killing := r.WaitEvent(1, "Normal Killing Container app failed liveness probe, will be restarted")
	if len(failures) != 3 {
		t.Fatalf("%d failures were reported before the restart, want 3", len(failures))
	}
	if got := killing.EventTime.Sub(failures[0].EventTime.Time); got < time.Second {
		t.Errorf("killed %v after the first failure, want 2 periods; on a busy machine the first failure may be noted late", got)
	}
	if got := killing.InvolvedObject.FieldPath; got != "spec.containers{app}" {
		t.Errorf("the Event is about %q", got)
	}
}

func TestReadinessGoesDownAndUp(t *testing.T) { // B07
	t.Parallel()
	r := harness.Start(t, harness.Manifest(`"-control"`, harness.Ready1))
	pod := r.WaitPod("ready", harness.Ready)
	harness.Answer(t, pod, "/ready=503")
	r.WaitPod("not ready", func(p *corev1.Pod) bool { return !harness.Ready(p) && appStatus(p).State.Running != nil })
	harness.Answer(t, pod, "/ready=200")
	pod = r.WaitPod("ready again", harness.Ready)
	if got := appStatus(pod).RestartCount; got != 0 {
		t.Errorf("restartCount = %d, want 0: readiness restarts nothing", got)
	}
}

func TestStartupGatesTheOthers(t *testing.T) { // C01, C02
	t.Parallel()
	log := filepath.Join(t.TempDir(), "log")
	r := harness.Start(t, harness.Manifest(`"-answers=/start=503x3,200", "-log=`+log+`"`, harness.Starts+patient(harness.Live3)+harness.Ready1))
	r.WaitPod("ready", harness.Ready)
	harness.WaitFor(t, "three liveness probes", func() bool { return strings.Count(harness.ReadFile(t, log), "GET /live") >= 3 })
	text := harness.ReadFile(t, log)
	// an attempt in which the machine holds Probity up is made again
	if got := strings.Count(text, "GET /start"); got < 4 {
		t.Errorf("the startup probe ran %d times, want three failures and a success", got)
	}
	lastStart := strings.LastIndex(text, "GET /start")
	if before := text[:lastStart]; strings.Contains(before, "GET /live") || strings.Contains(before, "GET /ready") {
		t.Errorf("probed before the startup probe succeeded:\n%s", text)
	}
}

func TestBodyThatStallsCountsForNothing(t *testing.T) { // D23, E01
	t.Parallel()
	log := filepath.Join(t.TempDir(), "log")
	r := harness.Start(t, harness.Manifest(`"-answers=/live=stall", "-log=`+log+`"`, harness.Listens+harness.Live3))
	r.WaitEvent(2, "Unhealthy Liveness probe errored and resulted in failure state: context deadline exceeded (Client.Timeout or context cancellation while reading body)")
	if got := strings.Count(harness.ReadFile(t, log), "GET /live"); got < 6 {
		t.Errorf("%d requests in two runs, want three each", got)
	}
	if killed := r.Events("Killing"); len(killed) != 0 {
		t.Errorf("killed for errors: %v", harness.Line(killed[0]))
	}
}

func TestDefaultsAndOddButValid(t *testing.T) { // K07, M01, M10
	t.Parallel()
	// F is 3 by default; a timeout longer than the period is accepted, and then probes run back to
	// back (A14).
	r := harness.Start(t, harness.Manifest(`"-answers=/live=hang"`, harness.Listens+"    livenessProbe: {httpGet: {path: /live, port: http}, periodSeconds: 1, timeoutSeconds: 2}\n"))
	killing := r.WaitEvent(1, "Killing Container app failed liveness probe")
	failures := r.Events("Unhealthy Liveness probe failed: Get \"http://127.0.0.1:")
	if len(failures) != 3 {
		t.Fatalf("%d failures before the kill, want 3", len(failures))
	}
	// on a busy machine the first failure may be noted late
	if got := killing.EventTime.Sub(failures[0].EventTime.Time); got < 3*time.Second {
		t.Errorf("killed %v after the first failure, want at least twice the timeout", got)
	}
}

func TestConditions(t *testing.T) { // N01, N03, N09
	t.Parallel()
	r := harness.Start(t, harness.Manifest(`"-answers=/ready=503x2,200"`, harness.Ready1))
	pod := r.WaitPod("running and not ready", func(p *corev1.Pod) bool {
		return len(p.Status.ContainerStatuses) > 0 && appStatus(p).State.Running != nil && !harness.Ready(p)
	})
	for _, want := range []corev1.PodConditionType{"PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"} {
		if !slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool { return c.Type == want }) {
			t.Errorf("condition %s is missing", want)
		}
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady && (c.Reason != "ContainersNotReady" || c.Message != "containers with unready status: [app]") {
			t.Errorf("Ready = %+v", c)
		}
	}
	first := r.Changes()[0]
	if first.Pod == nil || first.Type != watch.Added || first.Pod.APIVersion != "v1" || first.Pod.UID == "" {
		t.Errorf("the first line is %+v, want the Pod as ADDED", first)
	}
	r.WaitPod("ready", harness.Ready)
}

func TestPreStopAndOrder(t *testing.T) { // I15, I13, N11
	t.Parallel()
	log := filepath.Join(t.TempDir(), "log")
	r := harness.Start(t, harness.Manifest(`"-answers=/live=500", "-term=exit:0", "-log=`+log+`"`, harness.Listens+patient(harness.Live1)+
		"    lifecycle: {preStop: {exec: {command: [sh, -c, 'echo prestop >> "+log+"; sleep 1']}}}\n"))
	killing := r.WaitEvent(1, "Killing Container app failed liveness probe")
	pod := r.WaitPod("a restart", harness.Restarted(1))
	lines := strings.Fields(harness.ReadFile(t, log))
	if before := slices.Index(lines, "prestop"); before < 0 || before > slices.Index(lines, "SIGTERM") {
		t.Errorf("preStop did not run before SIGTERM:\n%s", harness.ReadFile(t, log))
	}
	if got := appStatus(pod).LastTerminationState.Terminated; got == nil || got.ExitCode != 0 || got.Reason != "Completed" {
		t.Errorf("lastState = %+v, want Completed with 0", got)
	}
	second := r.WaitEvent(2, "Normal Started Container started")
	if got := second.EventTime.Sub(killing.EventTime.Time); got < 900*time.Millisecond {
		t.Errorf("restarted %v after the kill began, want the second that preStop takes", got)
	}
	var reasons []string
	for _, e := range r.Events("Normal") {
		reasons = append(reasons, e.Reason)
	}
	want := []string{"Pulled", "Created", "Started", "Killing", "Pulled", "Created", "Started"}
	if len(reasons) < len(want) || !slices.Equal(reasons[:len(want)], want) {
		t.Errorf("Events = %v, want %v first", reasons, want)
	}
}

func TestTCPProbe(t *testing.T) { // F05
	t.Parallel()
	r := harness.Start(t, harness.Manifest(`"-delay=5s"`, "    readinessProbe: {tcpSocket: {port: http}, periodSeconds: 1}\n"))
	r.WaitEvent(1, "Unhealthy Readiness probe failed: dial tcp 127.")
	r.WaitPod("ready", harness.Ready)
}

func TestExecProbe(t *testing.T) { // G02, G07, G11
	t.Parallel()
	r := harness.Start(t, harness.Manifest("", `    env: [{name: A, value: x}, {name: B, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]
    readinessProbe: {exec: {command: [sh, -c, "echo out; echo err >&2; echo $0; exit 1", "$(A)-$(B)-$(C)"]}, periodSeconds: 1}
    livenessProbe: {exec: {command: [sleep, "10"]}, periodSeconds: 1, failureThreshold: 1}
`))
	r.WaitEvent(1, "Unhealthy Readiness probe failed: out\nx--$(C)\nerr")
	r.WaitEvent(1, `Unhealthy Liveness probe failed: command timed out: "sleep 10" timed out after 1s`)
	r.WaitPod("a restart", harness.Restarted(1))
}

func TestGRPCProbeOfSomethingElse(t *testing.T) { // H09
	t.Parallel()
	r := harness.Start(t, harness.Manifest("", "    readinessProbe: {grpc: {port: 8080}, periodSeconds: 1}\n"))
	event := r.WaitEvent(1, "Unhealthy Readiness probe failed: timeout: failed to connect service")
	if !strings.HasSuffix(event.Message, "within 1s: context deadline exceeded") {
		t.Errorf("message = %q", event.Message)
	}
}

func TestStubbornProcess(t *testing.T) { // I02, I03, N05
	t.Parallel()
	r := harness.Start(t, harness.Manifest(`"-answers=/live=500", "-term=ignore"`, harness.Listens+strings.Replace(patient(harness.Live1), "failureThreshold: 1", "failureThreshold: 1, terminationGracePeriodSeconds: 3", 1)))
	killing := r.WaitEvent(1, "Killing Container app failed liveness probe")
	pod := r.WaitPod("a restart", harness.Restarted(1))
	last := appStatus(pod).LastTerminationState.Terminated
	if last == nil || last.ExitCode != 137 || last.Reason != "Error" {
		t.Fatalf("lastState = %+v, want exit code 137", last)
	}
	started := r.WaitEvent(2, "Normal Started Container started")
	if got := started.EventTime.Sub(killing.EventTime.Time); got < 2900*time.Millisecond || got > 15*time.Second {
		t.Errorf("restarted %v after the kill began, want about 3s", got)
	}
}

func TestCrashLoop(t *testing.T) { // J08, J11, J17 with a short cap
	t.Parallel()
	r := harness.Start(t, harness.Manifest(`"-life=200ms:1"`, ""), "--max-restart-period", "2s")
	event := r.WaitEvent(1, "Warning BackOff Back-off restarting failed container app in pod web_default(")
	pod := r.WaitPod("CrashLoopBackOff", func(p *corev1.Pod) bool {
		w := appStatus(p).State.Waiting
		return w != nil && w.Reason == "CrashLoopBackOff"
	})
	want := fmt.Sprintf("back-off 2s restarting failed container=app pod=web_default(%s)", pod.UID)
	if got := appStatus(pod).State.Waiting.Message; got != want {
		t.Errorf("message = %q, want %q", got, want)
	}
	if pod.Status.Phase != corev1.PodRunning {
		t.Errorf("phase = %s, want Running", pod.Status.Phase)
	}
	third := r.WaitEvent(3, "Normal Started")
	if got := third.EventTime.Sub(event.EventTime.Time); got < 500*time.Millisecond {
		t.Errorf("started %v after the refusal, want about 2s", got)
	}
}

func TestSidecar(t *testing.T) { // S01, S03, S04
	t.Parallel()
	r := harness.Start(t, `
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  terminationGracePeriodSeconds: 5
  initContainers:
  - name: s
    image: example
    restartPolicy: Always
    command: [SERVICE]
    args: ["-answers=/start=503x1,200 /live=200x3,500"]
    ports: [{containerPort: 9000}]
    startupProbe: {httpGet: {path: /start, port: 9000}, periodSeconds: 1}
    livenessProbe: {httpGet: {path: /live, port: 9000}, periodSeconds: 1, failureThreshold: 1}
  - name: prepare
    image: example
    command: ["true"]
  containers:
  - name: app
    image: example
    command: [SERVICE]
    args: ["-port=0"]
`)
	r.WaitPod("ready", harness.Ready)
	event := r.WaitEvent(1, "Normal Killing Init container s failed liveness probe")
	if event.Message != "Init container s failed liveness probe" || event.InvolvedObject.FieldPath != "spec.initContainers{s}" {
		t.Errorf("event = %q about %q", event.Message, event.InvolvedObject.FieldPath)
	}
	startedEvents := r.Events("Normal Started")
	if got := startedEvents[0].InvolvedObject.FieldPath; got != "spec.initContainers{s}" {
		t.Errorf("first started %s, want the sidecar", got)
	}
	r.WaitPod("the sidecar's restart", func(p *corev1.Pod) bool {
		return p.Status.InitContainerStatuses[0].RestartCount >= 1 && harness.Ready(p)
	})
}

func TestStoppedProcessIsRestarted(t *testing.T) {
	t.Parallel()
	r := harness.Start(t, harness.Manifest("", harness.Listens+strings.Replace(harness.Live3, "failureThreshold: 3", "failureThreshold: 2", 1)+harness.Ready1))
	pod := r.WaitPod("ready", harness.Ready)
	pid := harness.PIDOf(t, pod, "app")
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	r.WaitEvent(2, "Unhealthy Liveness probe failed: Get \"http://127.0.0.1:")
	after := r.WaitPod("a restart", harness.Restarted(1))
	if got := harness.PIDOf(t, after, "app"); got == pid || harness.Alive(pid) {
		t.Errorf("process %d still lives; the new one is %d", pid, got)
	}
}
