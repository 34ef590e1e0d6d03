package e2e

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"syscall"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/test/harness"
	"github.com/probity-run/probity/test/ports"
)

func TestInterruptLeavesNothing(t *testing.T) {
	t.Parallel()
	r := harness.Start(t, harness.Manifest(`"-term=exit:0"`, harness.Ready1))
	pod := r.WaitPod("ready", harness.Ready)
	pid := harness.PIDOf(t, pod, "app")
	r.Interrupt()
	if code := r.Exit(); code != 0 {
		t.Errorf("exit code = %d, want 0", code)
	}
	if harness.Alive(pid) {
		t.Errorf("process %d is left", pid)
	}
	if len(r.Events("Normal Killing Stopping container app")) != 1 {
		t.Error("no Event says that the container was stopped")
	}
	deleted := false
	for _, c := range r.Changes() {
		deleted = deleted || c.Pod != nil && c.Type == "DELETED"
	}
	if !deleted {
		t.Error("the last line about the Pod does not say DELETED")
	}
}

func TestSecondInterruptKills(t *testing.T) {
	t.Parallel()
	r := harness.Start(t, strings.Replace(harness.Manifest(`"-term=ignore"`, harness.Ready1), "Seconds: 5", "Seconds: 600", 1))
	pid := harness.PIDOf(t, r.WaitPod("ready", harness.Ready), "app")
	r.Interrupt()
	r.WaitEvent(1, "Killing Stopping container app")
	r.Interrupt() // as timeout(1) does it: the same one
	r.InterruptAgain()
	if code := r.Exit(); code != 1 {
		t.Errorf("exit code = %d, want 1: it was not ended as Kubernetes would", code)
	}
	if harness.Alive(pid) {
		t.Errorf("process %d is left", pid)
	}
}

func TestKilledProbityLeavesNothing(t *testing.T) {
	t.Parallel()
	r := harness.Start(t, harness.Manifest(`"-term=ignore"`, harness.Ready1))
	pid := harness.PIDOf(t, r.WaitPod("ready", harness.Ready), "app")
	r.Signal(syscall.SIGKILL)
	r.Exit()
	harness.WaitFor(t, "the end of the process", func() bool { return !harness.Alive(pid) })
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		command string
		code    int
		phase   corev1.PodPhase
	}{
		"succeeded": {`"true"`, 0, corev1.PodSucceeded},
		"failed":    {`"false"`, 1, corev1.PodFailed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := harness.Start(t, fmt.Sprintf(`{apiVersion: v1, kind: Pod, metadata: {name: job}, spec: {restartPolicy: Never,
				containers: [{name: app, image: example, command: [%s]}]}}`, test.command))
			r.WaitPod("its phase", func(p *corev1.Pod) bool { return p.Status.Phase == test.phase })
			if got := r.Exit(); got != test.code {
				t.Errorf("exit code = %d, want %d", got, test.code)
			}
		})
	}
}

// replicasOf is a Deployment of the scripted service with these arguments.
func replicasOf(replicas int, args string, port int) string {
	return fmt.Sprintf(`
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: %d
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: app
        image: example
        command: [SERVICE, %s]
        ports: [{name: http, containerPort: %d}]
        readinessProbe: {httpGet: {path: /, port: http}, periodSeconds: 1}
`, replicas, args, port)
}

func TestReplicasHavePortsOfTheirOwn(t *testing.T) {
	t.Parallel()
	r := harness.Start(t, replicasOf(3, `-print, "listening on $(PORT)"`, 8080))
	ports := map[string]bool{}
	r.Wait("three ready Pods", func(changes []harness.Change) bool {
		clear(ports)
		for _, c := range changes {
			if c.Pod != nil && harness.Ready(c.Pod) {
				ports[c.Pod.Annotations["probity.run/private-ports.app"]] = true
			}
		}
		return len(ports) == 3
	})
}

func TestProgramThatIgnoresPort(t *testing.T) {
	t.Parallel()
	port := ports.Free(t)
	r := harness.Start(t, strings.ReplaceAll(harness.Manifest(`"-port=8080"`, harness.Ready1), "8080", strconv.Itoa(port)))
	r.WaitPod("ready", harness.Ready)
	event := r.WaitEvent(1, "Normal PortIgnored")
	if !strings.Contains(event.Message, fmt.Sprintf("listens on containerPort %d", port)) {
		t.Errorf("message = %q", event.Message)
	}
	if got := r.Events("PortIgnored"); len(got) != 1 {
		t.Errorf("said %d times", len(got))
	}
}

func TestSecondReplicaOfSuchAProgram(t *testing.T) {
	t.Parallel()
	port := ports.Free(t)
	r := harness.Start(t, replicasOf(2, fmt.Sprintf("-port=%d", port), port))
	event := r.WaitEvent(1, "Warning PortInUse")
	if !strings.Contains(event.Message, "let it listen on the port in PORT, or run one replica") {
		t.Errorf("message = %q", event.Message)
	}
	r.WaitPod("one ready Pod", harness.Ready)
}

// TestStrangerOnThePort proves that an answer from outside the Pod never makes it ready.
func TestStrangerOnThePort(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	port := listener.Addr().(*net.TCPAddr).Port
	r := harness.Start(t, strings.ReplaceAll(harness.Manifest(`"-port=0"`, "    readinessProbe: {tcpSocket: {port: STRANGE}, periodSeconds: 1}\n"), "STRANGE", strconv.Itoa(port)))
	event := r.WaitEvent(2, "Unhealthy Readiness probe failed: port "+strconv.Itoa(port)+" does not belong to this Pod: process ")
	if !strings.Contains(event.Message, strconv.Itoa(syscall.Getpid())) {
		t.Errorf("message = %q, want the stranger's process id %d", event.Message, syscall.Getpid())
	}
	for _, c := range r.Changes() {
		if c.Pod != nil && harness.Ready(c.Pod) {
			t.Fatal("the Pod became ready by a stranger's answer")
		}
	}
}
