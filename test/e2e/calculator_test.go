//go:build example

package e2e

import (
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/test/harness"
)

// These tests run the example as the README does. They need ./probity and
// examples/calculator/calculator to be built, as the README's first command does, and take about
// two minutes, as the manifests carry the timings of real services.

const (
	root       = "../.."
	calculator = root + "/examples/calculator"
)

func example(t *testing.T, name string) *harness.Run {
	t.Helper()
	probity, err := filepath.Abs(filepath.Join(root, "probity"))
	if err != nil {
		t.Fatal(err)
	}
	return harness.StartFile(t, harness.Options{}, probity, filepath.Join(calculator, name))
}

func started(pod *corev1.Pod) bool {
	return len(pod.Status.ContainerStatuses) > 0 && *appStatus(pod).Started
}

// TestCalculator does what the tutorial shows.
func TestCalculator(t *testing.T) {
	r := example(t, "pod.yaml")
	r.WaitPod("started", started)
	pod := r.WaitPod("ready", harness.Ready)
	if took := time.Since(pod.Status.StartTime.Time); took < 10*time.Second || took > 40*time.Second {
		t.Errorf("ready after %v, want the initial delay of 10s and a little", took)
	}

	lock := exec.Command("./calculator", "-lock-database", "22s")
	lock.Dir = calculator
	if err := lock.Start(); err != nil {
		t.Fatal(err)
	}
	r.WaitPod("unready with a locked database", func(p *corev1.Pod) bool { return !harness.Ready(p) && started(p) })
	if err := lock.Wait(); err != nil {
		t.Fatal(err)
	}
	pod = r.WaitPod("ready again", harness.Ready)
	if got := appStatus(pod).RestartCount; got != 0 {
		t.Errorf("restarted %d times for a locked database", got)
	}

	if err := syscall.Kill(harness.PIDOf(t, pod, "calculator"), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	r.WaitEvent(1, "Normal Killing Container calculator failed liveness probe, will be restarted")
	pod = r.WaitPod("ready after a restart", func(p *corev1.Pod) bool { return harness.Restarted(1)(p) && harness.Ready(p) })
	pid := harness.PIDOf(t, pod, "calculator")
	r.Interrupt()
	if code := r.Exit(); code != 0 {
		t.Errorf("exit code = %d, want 0", code)
	}
	if harness.Alive(pid) {
		t.Errorf("process %d is left", pid)
	}
}

func TestCalculatorReadiness(t *testing.T) {
	t.Parallel()
	r := example(t, "readiness.yaml")
	r.WaitPod("ready after three successes", harness.Ready)
}

// TestCalculatorWorker stops the worker by SIGSTOP, so that its heartbeat becomes too old.
func TestCalculatorWorker(t *testing.T) {
	t.Parallel()
	r := example(t, "worker.yaml")
	pod := r.WaitPod("running", func(p *corev1.Pod) bool { return started(p) })
	if err := syscall.Kill(harness.PIDOf(t, pod, pod.Spec.Containers[0].Name), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	r.WaitEvent(1, "failed liveness probe, will be restarted")
	r.WaitPod("a restart", harness.Restarted(1))
}
