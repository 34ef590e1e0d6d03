package e2e

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"syscall"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestInterruptLeavesNothing(t *testing.T) {
	t.Parallel()
	r := start(t, manifest(`"-term=exit:0"`, ready1))
	pod := r.waitPod("ready", ready)
	pid := pidOf(t, pod, "app")
	r.interrupt()
	if code := r.exit(); code != 0 {
		t.Errorf("exit code = %d, want 0", code)
	}
	if alive(pid) {
		t.Errorf("process %d is left", pid)
	}
	if len(r.events("Normal Killing Stopping container app")) != 1 {
		t.Error("no Event says that the container was stopped")
	}
	deleted := false
	for _, c := range r.snapshot() {
		deleted = deleted || c.pod != nil && c.kind == "DELETED"
	}
	if !deleted {
		t.Error("the last line about the Pod does not say DELETED")
	}
}

func TestSecondInterruptKills(t *testing.T) {
	t.Parallel()
	r := start(t, strings.Replace(manifest(`"-term=ignore"`, ready1), "Seconds: 5", "Seconds: 600", 1))
	pid := pidOf(t, r.waitPod("ready", ready), "app")
	r.interrupt()
	r.waitEvent(1, "Killing Stopping container app")
	r.interrupt()
	if code := r.exit(); code != 0 {
		t.Errorf("exit code = %d, want 0", code)
	}
	if alive(pid) {
		t.Errorf("process %d is left", pid)
	}
}

func TestKilledProbityLeavesNothing(t *testing.T) {
	t.Parallel()
	r := start(t, manifest(`"-term=ignore"`, ready1))
	pid := pidOf(t, r.waitPod("ready", ready), "app")
	if err := r.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	r.exit()
	waitFor(t, "the end of the process", func() bool { return !alive(pid) })
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
			r := start(t, fmt.Sprintf(`{apiVersion: v1, kind: Pod, metadata: {name: job}, spec: {restartPolicy: Never,
				containers: [{name: app, image: example, command: [%s]}]}}`, test.command))
			r.waitPod("its phase", func(p *corev1.Pod) bool { return p.Status.Phase == test.phase })
			if got := r.exit(); got != test.code {
				t.Errorf("exit code = %d, want %d", got, test.code)
			}
		})
	}
}

func TestReplicasHavePortsOfTheirOwn(t *testing.T) {
	t.Parallel()
	r := start(t, `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: app
        image: example
        command: [SERVICE, -print, "listening on $(PORT)"]
        ports: [{name: http, containerPort: 8080}]
        readinessProbe: {httpGet: {path: /, port: http}, periodSeconds: 1}
`)
	ports := map[string]bool{}
	r.wait("three ready Pods", func(changes []change) bool {
		clear(ports)
		for _, c := range changes {
			if c.pod != nil && ready(c.pod) {
				ports[c.pod.Annotations["probity.run/private-ports.app"]] = true
			}
		}
		return len(ports) == 3
	})
}

func TestProgramThatIgnoresPort(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	r := start(t, strings.ReplaceAll(manifest(`"-port=8080"`, ready1), "8080", strconv.Itoa(port)))
	r.waitPod("ready", ready)
	event := r.waitEvent(1, "Normal PortIgnored")
	if !strings.Contains(event.Message, fmt.Sprintf("listens on containerPort %d", port)) {
		t.Errorf("message = %q", event.Message)
	}
	if got := r.events("PortIgnored"); len(got) != 1 {
		t.Errorf("said %d times", len(got))
	}
}

func TestSecondReplicaOfSuchAProgram(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	r := start(t, strings.NewReplacer("PORTNUMBER", strconv.Itoa(port)).Replace(`
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: app
        image: example
        command: [SERVICE, -port=PORTNUMBER]
        ports: [{name: http, containerPort: PORTNUMBER}]
        readinessProbe: {httpGet: {path: /, port: http}, periodSeconds: 1}
`))
	event := r.waitEvent(1, "Warning PortInUse")
	if !strings.Contains(event.Message, "let it read PORT, or run one replica") {
		t.Errorf("message = %q", event.Message)
	}
	r.waitPod("one ready Pod", ready)
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
	r := start(t, strings.ReplaceAll(manifest(`"-port=0"`, "    readinessProbe: {tcpSocket: {port: STRANGE}, periodSeconds: 1}\n"), "STRANGE", strconv.Itoa(port)))
	event := r.waitEvent(2, "Unhealthy Readiness probe failed: port "+strconv.Itoa(port)+" does not belong to this Pod: process ")
	if !strings.Contains(event.Message, strconv.Itoa(syscall.Getpid())) {
		t.Errorf("message = %q, want the stranger's process id %d", event.Message, syscall.Getpid())
	}
	for _, c := range r.snapshot() {
		if c.pod != nil && ready(c.pod) {
			t.Fatal("the Pod became ready by a stranger's answer")
		}
	}
}
