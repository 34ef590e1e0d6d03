//go:build example

package e2e

import (
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/probitytest"
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
	run := probitytest.Run(t, filepath.Join(calculator, "readiness.yaml")) // ready after three successes
	if restarts := run.Restarts("calculator-readiness"); restarts != 0 {
		t.Errorf("%d restarts", restarts)
	}
}

// TestCalculatorWorker stops the worker, so that its heartbeat becomes too old.
func TestCalculatorWorker(t *testing.T) {
	t.Parallel()
	run := probitytest.Options{NoWait: true}.Run(t, filepath.Join(calculator, "worker.yaml"))
	run.Wait("the worker is started", func() bool {
		pods := run.Pods("calculator-worker")
		return len(pods) > 0 && len(pods[0].Status.ContainerStatuses) > 0 && started(pods[0])
	})
	fault := run.InjectPod(run.Pods("calculator-worker")[0], probitytest.Hang())
	fault.Restarted()
	if e := run.WaitEvent("calculator-worker", "Killing"); !strings.Contains(e.Message, "failed liveness probe, will be restarted") {
		t.Errorf("killed for something else: %s", e.Message)
	}
}

// TestCalculatorFaults breaks one replica of three in every way, while clients ask: a fault of one
// replica must not be seen by more than the requests that it has.
func TestCalculatorFaults(t *testing.T) {
	t.Parallel()
	run := probitytest.Run(t, filepath.Join(calculator, "deployment.yaml"))
	for _, fault := range []probitytest.Fault{probitytest.Refuse(), probitytest.Unready(), probitytest.Kill(), probitytest.Hang()} {
		before := run.Restarts("calculator")
		injection := run.Inject("calculator", fault)
		took := injection.Detected()
		t.Logf("%v: detected after %v", fault, took)
		if took > 15*time.Second {
			t.Errorf("%v is detected after %v", fault, took)
		}
		if fault.String() == "hang" {
			injection.Restarted()
		}
		injection.Undo()
		run.WaitReady()
		if restarts := run.Restarts("calculator") - before; fault.String() == "unready" && restarts != 0 {
			t.Errorf("%d restarts of a replica that was unready", restarts)
		}
		response, err := http.Get(run.URL("calculator") + "/readyz")
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Errorf("after %v: %s", fault, response.Status)
		}
	}
}
