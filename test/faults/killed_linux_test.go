package faults

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/test/harness"
)

// hardToKill is 20 Pods that do everything by which a process may survive: five of each kind.
func hardToKill() string {
	var pods strings.Builder
	for i := range 5 {
		for kind, args := range map[string]string{
			"plain":    `"-term=ignore"`,
			"forked":   `"-term=ignore", "-spawn=child*3 -term=ignore", "-spawn=group -term=ignore"`,
			"daemon":   `"-term=ignore", "-spawn=daemon*2 -term=ignore", "-spawn=session -term=ignore -spawn=daemon"`,
			"stubborn": `"-spawn=daemon -spawn=child", "-spawn=child"`,
		} {
			pods.WriteString(harness.Named(fmt.Sprintf("%s-%d", kind, i), args, harness.Ready1))
		}
	}
	return pods.String()
}

const hardToKillProcesses = 5 * (1 + 5 + 5 + 4)

// startHardToKill runs those Pods until all processes are there, and stops some by SIGSTOP. It
// returns the sockets that listen on the private ports.
func startHardToKill(t *testing.T) (r *harness.Run, sockets []process.Listener) {
	t.Helper()
	r = harness.Start(t, hardToKill())
	pods := r.WaitPods(20, "ready", harness.Ready)
	harness.WaitFor(t, "all processes", func() bool { return len(r.Processes()) == hardToKillProcesses+2 })
	for name, pod := range pods {
		listeners, err := process.Listeners(harness.PrivatePort(t, pod, "app"))
		if err != nil || len(listeners) == 0 {
			t.Fatalf("%s is ready and does not listen: %v", name, err)
		}
		sockets = append(sockets, listeners...)
		if strings.HasPrefix(name, "stubborn") {
			if err := syscall.Kill(harness.PIDOf(t, pod, "app"), syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
		}
	}
	stopped, shepherd := 0, r.Shepherd()
	for _, pid := range r.Processes() { // and about every third of the others, daemons among them
		if pid != r.PID() && pid != shepherd && pid%3 == 0 {
			if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
			stopped++
		}
	}
	t.Logf("%d processes, %d and 5 of them stopped", hardToKillProcesses, stopped)
	return r, sockets
}

// checkNothingLeft kills a process, and waits until no process is left and every port is free. The
// promise is one second; a machine that is busy with something else gets more, and the log says how
// long it took.
func checkNothingLeft(t *testing.T, r *harness.Run, sockets []process.Listener, kill int) {
	t.Helper()
	const bound = harness.Timeout
	meter, began := harness.StartMeter(t), time.Now()
	if err := syscall.Kill(kill, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if !harness.Within(bound, func() bool { return len(r.Processes()) == 0 }) {
		t.Errorf("%v after the kill %d processes are left", bound, len(r.Processes()))
	}
	// A process that ends loses its memory, by which Processes finds it, before its sockets. Trying
	// to listen on the port would tell less: somebody else may have the number by now.
	for _, was := range sockets {
		if !harness.Within(bound, func() bool { return !listens(t, was) }) {
			t.Errorf("%v after the kill port %d is not free", bound, was.Port)
		}
	}
	took, load := time.Since(began), meter.Stop()
	t.Logf("nothing was left after %v; this test was %v", took.Round(time.Millisecond), load)
	if took > time.Second && !load.Busy() {
		t.Errorf("it took %v until nothing was left, want a second at most", took)
	}
}

// listens reports whether a socket is still there.
func listens(t *testing.T, socket process.Listener) bool {
	t.Helper()
	now, err := process.Listeners(socket.Port)
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(now, func(l process.Listener) bool { return l.Inode == socket.Inode })
}

// TestProbityKilled: nothing survives Probity.
func TestProbityKilled(t *testing.T) {
	t.Parallel()
	r, sockets := startHardToKill(t)
	checkNothingLeft(t, r, sockets, r.PID())
}

// TestShepherdKilled: without its shepherd Probity says so, leaves nothing behind, and ends.
func TestShepherdKilled(t *testing.T) {
	t.Parallel()
	r, sockets := startHardToKill(t)
	checkNothingLeft(t, r, sockets, r.Shepherd())
	if code := r.Exit(); code != 1 {
		t.Errorf("exit code = %d, want 1", code)
	}
	if want := "the Pods were killed: the shepherd process has ended: signal: killed"; !strings.Contains(r.Stderr(), want) {
		t.Errorf("Probity said %q, want %q", r.Stderr(), want)
	}
}

// TestBothKilled measures the one case that is not covered (see the package comment of
// internal/process): direct children of the shepherd die, but their own children and daemons may
// survive.
func TestBothKilled(t *testing.T) {
	t.Parallel()
	r := harness.Start(t, harness.Manifest(`"-term=ignore", "-spawn=child -term=ignore", "-spawn=daemon -term=ignore"`, harness.Ready1))
	pod := r.WaitPod("ready", harness.Ready)
	harness.WaitFor(t, "all processes", func() bool { return len(r.Processes()) == 5 })
	killBoth(t, r)
	main := harness.PIDOf(t, pod, "app")
	harness.WaitFor(t, "the end of the main process", func() bool { return !harness.Alive(main) })
	left := r.Processes()
	t.Logf("%d of 3 processes survive when Probity and the shepherd are killed at once", len(left))
	killAll(t, left)
	if len(left) > 2 {
		t.Errorf("%d processes survive, want at most the child and the daemon", len(left))
	}
}

// killAll kills processes, some of which may have ended.
func killAll(t *testing.T, pids []int) {
	t.Helper()
	for _, pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			t.Error(err)
		}
	}
}

// killBoth kills Probity and its shepherd at once, and waits for their end: they are stopped
// before, so that neither can do anything between the two kills.
func killBoth(t *testing.T, r *harness.Run) {
	t.Helper()
	both := []int{r.PID(), r.Shepherd()}
	for _, sig := range []syscall.Signal{syscall.SIGSTOP, syscall.SIGKILL} {
		for _, pid := range both {
			if err := syscall.Kill(pid, sig); err != nil {
				t.Fatal(err)
			}
		}
	}
	harness.WaitFor(t, "the end of Probity and the shepherd", func() bool {
		return !slices.ContainsFunc(r.Processes(), func(pid int) bool { return slices.Contains(both, pid) })
	})
}
