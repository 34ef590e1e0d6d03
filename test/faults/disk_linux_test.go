package faults

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/test/harness"
)

// outputs is the output of the containers of a run, as far as it was kept.
func outputs(t *testing.T, state string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(state, "pods", "*", "app", "*.log*"))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, file := range files {
		all.WriteString(harness.ReadFile(t, file))
	}
	return all.String()
}

// restart kills the container's process, and waits until the Pod is ready after the nth restart. It
// returns when it killed.
func restart(t *testing.T, r *harness.Run, n int32) time.Time {
	t.Helper()
	pod := r.WaitPod("ready", func(p *corev1.Pod) bool { return harness.Restarted(n-1)(p) && harness.Ready(p) })
	killed := time.Now()
	if err := syscall.Kill(harness.PIDOf(t, pod, "app"), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	r.WaitPod("ready after a restart", func(p *corev1.Pod) bool { return harness.Restarted(n)(p) && harness.Ready(p) })
	return killed
}

// TestFullDisk fills the disk of the state folder: output is not kept any more, Probity says so,
// and everything else goes on. When there is room again, output is kept again.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	state := t.TempDir()
	wrap := []string{"unshare", "-m", "--propagation", "private", "sh", "-c", "mount -t tmpfs -o size=256k,mode=700 tmpfs " + state + ` && exec "$@"`, "sh"}
	if out, err := exec.Command(wrap[0], append(wrap[1:], "true")...).CombinedOutput(); err != nil {
		t.Skipf("NOT TESTED: a full disk, as no disk can be mounted here (root can): %v: %s", err, out)
	}
	r := harness.StartWith(t, harness.Options{Wrap: wrap, StateDir: state, NoLogs: true, Args: []string{"--max-restart-period", "1s"}},
		harness.Manifest(`"-print=hello", "-write=lines:1"`, tolerantProbes)) // more than the disk holds
	r.WaitPod("ready", harness.Ready)
	harness.WaitFor(t, "the message about the disk", func() bool { return strings.Contains(r.Stderr(), "no space left on device") })
	kills := []time.Time{restart(t, r, 1)}
	inside := filepath.Join("/proc", fmt.Sprint(r.PID()), "root", state)
	files, err := filepath.Glob(filepath.Join(inside, "pods", "*", "app", "*.log*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("files = %v, %v", files, err)
	}
	for _, file := range files {
		if err := os.Truncate(file, 0); err != nil {
			t.Fatal(err)
		}
	}
	kills = append(kills, restart(t, r, 2))
	harness.WaitFor(t, "output that is kept again", func() bool { return strings.Contains(outputs(t, inside), "stdout F hello") })
	checkNoFailures(t, r, kills...)
}

// TestReadOnlyState: with a state folder that cannot be written Probity does not start, and says
// what to do. If the folder becomes so later, only the output is not kept.
func TestReadOnlyState(t *testing.T) {
	t.Parallel()
	owner := user(t)
	r := harness.StartWith(t, harness.Options{User: owner, NoLogs: true, Args: []string{"--max-restart-period", "1s"}}, harness.Manifest(`"-print=hello"`, tolerantProbes))
	r.WaitPod("ready", harness.Ready)
	folders, err := filepath.Glob(filepath.Join(r.StateDir(), "pods", "*", "app"))
	if err != nil || len(folders) != 1 {
		t.Fatalf("folders = %v, %v", folders, err)
	}
	if err := os.Chmod(folders[0], 0o500); err != nil {
		t.Fatal(err)
	}
	killed := restart(t, r, 1)
	harness.WaitFor(t, "the message about the folder", func() bool { return strings.Contains(r.Stderr(), "permission denied") })
	checkNoFailures(t, r, killed)

	refused := harness.StartWith(t, harness.Options{User: owner, StateDir: filepath.Join(folders[0], "new")}, harness.Manifest("", ""))
	if code := refused.Exit(); code != 2 || !strings.Contains(refused.Stderr(), "--state-dir names another") {
		t.Errorf("exit code = %d, want 2 and a remedy in %q", code, refused.Stderr())
	}
	if err := unix.Access(folders[0], unix.W_OK); owner == 0 && err == nil {
		t.Error("the folder can be written all the same: this test shows nothing")
	}
}
