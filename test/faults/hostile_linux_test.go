package faults

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/test/harness"
)

// tolerantProbes are probes that do not fail on a busy machine.
const tolerantProbes = harness.Listens + `    readinessProbe: {httpGet: {path: /ready, port: http}, periodSeconds: 1, timeoutSeconds: 10}
    livenessProbe: {httpGet: {path: /live, port: http}, periodSeconds: 1, timeoutSeconds: 10}
`

// TestFlood lets a program print as fast as it can: it is probed as usual, and the memory and the
// disk that it costs are bounded.
func TestFlood(t *testing.T) {
	t.Parallel()
	for name, what := range map[string]string{
		"200 MB of lines":      "lines:200",
		"a line of 100 MB":     "line:100",
		"100 MB that is noise": "binary:100",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log, state := filepath.Join(t.TempDir(), "log"), t.TempDir()
			r := harness.StartWith(t, harness.Options{NoLogs: true, StateDir: state}, harness.Manifest(`"-write=`+what+`", "-log=`+log+`"`, tolerantProbes))
			r.WaitPod("ready", harness.Ready)
			harness.WaitFor(t, "the end of the output", func() bool { return strings.Contains(harness.ReadFile(t, log), "written <nil>") })
			checks := strings.Count(harness.ReadFile(t, log), "GET /live")
			harness.WaitFor(t, "another check", func() bool { return strings.Count(harness.ReadFile(t, log), "GET /live") > checks })
			checkNoFailures(t, r)
			if _, peak, err := harness.Memory(r.PID()); err != nil || peak > memoryBound {
				t.Errorf("Probity took %d MiB, %v, want %d at most", peak>>20, err, memoryBound>>20)
			}
			if size := sizeOf(t, state); size > 51<<20 {
				t.Errorf("the output takes %d MiB on disk, want 5 files of 10 at most", size>>20)
			}
		})
	}
}

// memoryBound is far more than Probity needs, even with the race detector, and far less than it
// would take to hold the output in memory.
const memoryBound = 150 << 20

// sizeOf adds up the files of a folder. One may be renamed meanwhile, as logs are when they are
// full.
func sizeOf(t *testing.T, folder string) (size int64) {
	t.Helper()
	err := filepath.Walk(folder, func(_ string, info os.FileInfo, err error) error {
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err == nil && info.Mode().IsRegular() {
			size += info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return size
}

// TestForkAndExit: processes that a program leaves behind are gone when its end is reported.
func TestForkAndExit(t *testing.T) {
	t.Parallel()
	forks := strings.Replace(harness.Named("forks", `"-port=0", "-spawn=child*25 -term=ignore", "-spawn=daemon*25 -term=ignore", "-life=1ms:0"`, ""),
		"spec:\n", "spec:\n  restartPolicy: Never\n", 1)
	r := harness.Start(t, forks+harness.Manifest("", harness.Ready1))
	r.WaitPod("succeeded", func(p *corev1.Pod) bool { return p.Name == "forks" && p.Status.Phase == corev1.PodSucceeded })
	left := r.Processes()
	web := r.WaitPod("ready", func(p *corev1.Pod) bool { return p.Name == "web" && harness.Ready(p) }) // it may have begun before or after that
	known := []int{r.PID(), r.Shepherd(), harness.PIDOf(t, web, "app")}
	if left = slices.DeleteFunc(left, func(pid int) bool { return slices.Contains(known, pid) }); len(left) > 0 {
		t.Errorf("processes %v are left when the Pod has Succeeded", left)
	}
}

// TestProbeLeavesAChild: a child of an exec probe's command that keeps the output open does not
// delay the result, and does not stay.
func TestProbeLeavesAChild(t *testing.T) {
	t.Parallel()
	meter := harness.StartMeter(t)
	r := harness.Start(t, harness.Manifest(`"-port=0"`,
		"    readinessProbe: {exec: {command: [sh, -c, 'sleep 300 & setsid sleep 300 & echo fine']}, periodSeconds: 1, timeoutSeconds: 10, successThreshold: 3}\n"))
	pod := r.WaitPod("ready", harness.Ready)
	// Three runs, each within a period: none took the time-out.
	took, load := time.Since(pod.Status.ContainerStatuses[0].State.Running.StartedAt.Time), meter.Stop()
	if took > 10*time.Second && !load.Busy() {
		t.Errorf("ready after %v, want 4s or so", took)
	}
	harness.WaitFor(t, "the end of what the probes left", func() bool { return len(r.Processes()) <= 3 })
	checkNoFailures(t, r)
}

// TestOddPrograms: programs that close their streams, change their group or become another program
// are probed and stopped like any other.
func TestOddPrograms(t *testing.T) {
	t.Parallel()
	for name, args := range map[string]string{
		"closes its streams": `"-close", "-term=exit:0", "-log=LOG"`,
		"changes its group":  `"-spawn=group", "-join", "-term=exit:0", "-log=LOG"`,
		"becomes another":    `"-exec=-term=exit:0 -log=LOG"`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log := filepath.Join(t.TempDir(), "log")
			r := harness.Start(t, strings.Replace(harness.Manifest(strings.ReplaceAll(args, "LOG", log), tolerantProbes), "Seconds: 5", "Seconds: 600", 1))
			pod := r.WaitPod("ready", harness.Ready)
			if pid := harness.PIDOf(t, pod, "app"); !harness.Alive(pid) {
				t.Errorf("process %d of the status does not exist", pid)
			}
			r.Interrupt() // with a grace of ten minutes: only SIGTERM can end it in time
			if code := r.Exit(); code != 0 {
				t.Errorf("exit code = %d, want 0", code)
			}
			if !strings.Contains(harness.ReadFile(t, log), "SIGTERM") {
				t.Error("the program got no SIGTERM")
			}
		})
	}
}

// TestReaderThatNeverReads: nobody reads Probity's standard output and standard error. The Pods are
// probed and restarted as usual, and Ctrl-C ends the run.
func TestReaderThatNeverReads(t *testing.T) {
	t.Parallel()
	log := filepath.Join(t.TempDir(), "log")
	var pods strings.Builder
	for i := range 5 {
		pods.WriteString(harness.Named("crash-"+strconv.Itoa(i), `"-port=0", "-life=50ms:1", "-write=lines:1"`, ""))
	}
	pods.WriteString(harness.Manifest(`"-answers=/live=200x2,500", "-log=`+log+`"`, harness.Listens+harness.Live1))
	out, outFull := unread(t)
	errOut, errFull := unread(t)
	r := harness.StartWith(t, harness.Options{Stdout: out, Stderr: errOut, Args: []string{"--max-restart-period", "1s"}}, pods.String())
	harness.WaitFor(t, "three restarts by liveness", func() bool { return strings.Count(harness.ReadFile(t, log), "start ") > 3 })
	if !outFull() || !errFull() {
		t.Error("the pipes are not full: this test shows nothing")
	}
	began := time.Now()
	r.Interrupt()
	if code := r.Exit(); code != 0 {
		t.Errorf("exit code = %d, want 0", code)
	}
	if took := time.Since(began); took > time.Minute { // a container that is not killed at once has five seconds
		t.Errorf("the end took %v", took)
	}
}

// unread is the writing end of a small pipe that nobody reads. full reports whether it is full.
func unread(t *testing.T) (w *os.File, full func() bool) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	if _, err := unix.FcntlInt(w.Fd(), unix.F_SETPIPE_SZ, 4<<10); err != nil {
		t.Fatal(err)
	}
	return w, func() bool {
		poll := []unix.PollFd{{Fd: int32(w.Fd()), Events: unix.POLLOUT}}
		n, err := unix.Poll(poll, 0)
		return n == 0 && err == nil
	}
}
