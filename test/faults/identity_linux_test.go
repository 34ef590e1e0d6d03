package faults

import (
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/test/harness"
	"github.com/probity-run/probity/test/ports"
)

// probesOf are a readiness and a liveness probe of a port that is not declared, so that Probity
// does not map it to a private one.
func probesOf(port int) string {
	return strings.ReplaceAll(`    readinessProbe: {tcpSocket: {port: PORT}, periodSeconds: 1, failureThreshold: 1}
    livenessProbe: {httpGet: {path: /, port: PORT}, periodSeconds: 1, failureThreshold: 2}
`, "PORT", strconv.Itoa(port))
}

// listensAt is a startup probe: the others wait until something listens on the port.
func listensAt(port int) string {
	return fmt.Sprintf("    startupProbe: {tcpSocket: {port: %d}, periodSeconds: 1, failureThreshold: 120}\n", port)
}

// TestStrangerKeepsNothingAlive: a process outside the Pod (a stranger) listens on the port and
// gives good answers. They neither make the Pod ready nor keep it from being restarted.
func TestStrangerKeepsNothingAlive(t *testing.T) {
	t.Parallel()
	port := ports.Free(t)
	listener, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", port))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	r := harness.Start(t, harness.Manifest(`"-port=0"`, probesOf(port)))
	r.WaitPod("a restart", harness.Restarted(1))
	checkStranger(t, r, port, os.Getpid())
}

// checkStranger fails unless Events of both probes name the process, and the Pod was never ready.
func checkStranger(t *testing.T, r *harness.Run, port, pid int) {
	t.Helper()
	for _, probe := range []string{"Readiness", "Liveness"} {
		r.WaitEvent(1, fmt.Sprintf("%s probe failed: port %d does not belong to this Pod: process %d (", probe, port, pid))
	}
	for _, c := range r.Changes() {
		if c.Pod != nil && harness.Ready(c.Pod) {
			t.Fatal("the Pod was ready by a stranger's answer")
		}
	}
}

// TestStrangerTakesOver: the Pod's own listener ends, the Pod goes on, and a stranger takes the
// port. The Pod becomes not ready and is restarted, although there is an answer all the time.
func TestStrangerTakesOver(t *testing.T) {
	t.Parallel()
	port := ports.Free(t)
	r := harness.Start(t, harness.Manifest(fmt.Sprintf(`"-port=0", "-spawn=child -port=%d"`, port), listensAt(port)+probesOf(port)))
	pod := r.WaitPod("ready", harness.Ready)
	main := harness.PIDOf(t, pod, "app")
	known := []int{main, r.PID(), r.Shepherd()}
	killAll(t, slices.DeleteFunc(r.Processes(), func(pid int) bool { return slices.Contains(known, pid) })) // the listener is the Pod's other process
	var listener net.Listener
	harness.WaitFor(t, "the port", func() (free bool) {
		var err error
		listener, err = net.Listen("tcp", fmt.Sprint("127.0.0.1:", port))
		return err == nil
	})
	defer listener.Close()
	r.WaitPod("not ready", func(p *corev1.Pod) bool { return !harness.Ready(p) })
	r.WaitEvent(1, fmt.Sprintf("Liveness probe failed: port %d does not belong to this Pod: process %d (", port, os.Getpid()))
	r.WaitEvent(1, "Killing Container app failed liveness probe, will be restarted")
}

// TestOrphanOfAKilledRun: Probity and the shepherd are killed at once, which is the one case in
// which a daemon can survive. The next run does not take its answers for those of the new Pod.
func TestOrphanOfAKilledRun(t *testing.T) {
	t.Parallel()
	port := ports.Free(t)
	arguments := fmt.Sprintf(`"-port=0", "-spawn=daemon -port=%d"`, port)
	first := harness.Start(t, harness.Manifest(arguments, listensAt(port)+probesOf(port)))
	main := harness.PIDOf(t, first.WaitPod("ready", harness.Ready), "app")
	killBoth(t, first)
	harness.WaitFor(t, "the end of the main process", func() bool { return !harness.Alive(main) })
	orphans := first.Processes()
	if len(orphans) != 1 {
		t.Fatalf("%d orphans, want one", len(orphans))
	}
	second := harness.Start(t, harness.Manifest(strings.Replace(arguments, "-spawn=daemon", "-print=", 1), probesOf(port)))
	second.WaitPod("a restart", harness.Restarted(1))
	checkStranger(t, second, port, orphans[0])
	killAll(t, orphans)
}
