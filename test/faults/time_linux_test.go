package faults

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/probity-run/probity/test/harness"
)

// fragile are Pods that the first failure of a probe would restart, with five seconds for each
// attempt: a service that waits for a processor on a busy machine has time to answer.
func fragile(log string) string {
	var pods strings.Builder
	for name, probe := range map[string]string{
		"http": "httpGet: {path: /live, port: http}",
		"slow": "httpGet: {path: /slow, port: http}", // most of the time an attempt is in flight
		"tcp":  "tcpSocket: {port: http}",
		"exec": "exec: {command: [sleep, '0.5']}",
	} {
		probe = "Probe: {" + probe + ", periodSeconds: 1, timeoutSeconds: 5, failureThreshold: 1}\n"
		pods.WriteString(harness.Named(name, `"-answers=/slow=slow:700ms", "-log=`+filepath.Join(log, name)+`"`, harness.Listens+"    liveness"+probe+"    readiness"+probe))
	}
	return pods.String()
}

// TestSuspended stops Probity for seconds, several times, as happens when a machine is suspended or
// has no processor time. The services go on. The time in which Probity did not probe counts as no
// failure, and the probes that it missed are not made later.
func TestSuspended(t *testing.T) {
	t.Parallel()
	log := t.TempDir()
	r := harness.Start(t, fragile(log))
	r.WaitPods(4, "ready", harness.Ready)
	const stops, asleep = 3, 6 * time.Second // longer than a time-out, and several periods
	for range stops {
		before := strings.Count(harness.ReadFile(t, filepath.Join(log, "http")), "GET /live")
		r.Signal(syscall.SIGSTOP)
		time.Sleep(asleep) // this is the fault; nothing is waited for
		r.Signal(syscall.SIGCONT)
		awake := time.Now()
		harness.WaitFor(t, "a check after the sleep", func() bool {
			return strings.Count(harness.ReadFile(t, filepath.Join(log, "http")), "GET /live") >= before+3
		})
		// Two probes with a period of a second: at once, and at most at their ticks.
		got := strings.Count(harness.ReadFile(t, filepath.Join(log, "http")), "GET /live") - before
		if limit := 2*(int(time.Since(awake)/time.Second)+2) + 2; got > limit {
			t.Errorf("%d checks within %v of waking up, want %d at most", got, time.Since(awake), limit)
		}
	}
	checkUnharmed(t, r)
	for _, e := range r.Events(errored) {
		t.Logf("%s: %s", e.InvolvedObject.Name, e.Message)
	}
}

// makeIdle lets all threads of a process, and those that they start, run only when nothing else
// wants to.
func makeIdle(t *testing.T, pid int) {
	t.Helper()
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, thread := range threads {
		id, err := strconv.Atoi(thread.Name())
		if err == nil {
			err = unix.SchedSetAttr(id, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_IDLE}, 0)
		}
		if err != nil && !errors.Is(err, unix.ESRCH) { // it may have ended
			t.Fatalf("cannot make thread %s idle: %v", thread.Name(), err)
		}
	}
}

// TestStarved gives all processors to other processes: Probity runs only when they leave something,
// while its Pods run as before. Answers that Probity reads too late count as no failure.
func TestStarved(t *testing.T) {
	r := harness.Start(t, fragile(t.TempDir()))
	r.WaitPods(4, "ready", harness.Ready)
	makeIdle(t, r.PID())
	const starved = 15 * time.Second // several periods and time-outs
	ctx, cancel := context.WithTimeout(t.Context(), starved)
	defer cancel()
	var busy sync.WaitGroup
	for range 4 * runtime.NumCPU() {
		// killed when the time is over
		busy.Go(func() { _ = exec.CommandContext(ctx, "sh", "-c", "while :; do :; done").Run() })
	}
	busy.Wait()
	probes := len(r.Events(errored))
	t.Logf("%d attempts could not be made in time", probes)
	checkUnharmed(t, r)
	r.WaitPods(4, "ready", harness.Ready)
}
