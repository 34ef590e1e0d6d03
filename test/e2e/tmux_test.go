//go:build tmux

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/probity-run/probity/test/harness"
)

// tmux is a terminal of its own, with a shell in it.
type tmux struct {
	t   *testing.T
	env []string
}

func newTmux(t *testing.T) *tmux {
	t.Helper()
	dir, err := os.MkdirTemp("", "tmux") // t.TempDir is too long for a socket's name
	if err != nil {
		t.Fatal(err)
	}
	w := &tmux{t, append(os.Environ(), "TMUX_TMPDIR="+dir, "LANG=C.UTF-8", "TERM=xterm-256color", "PS1=$ ")}
	w.run("-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", "bash", "--norc")
	t.Cleanup(func() {
		w.run("kill-server")
		os.RemoveAll(dir)
	})
	return w
}

func (w *tmux) run(args ...string) string {
	w.t.Helper()
	cmd := exec.Command("tmux", args...)
	cmd.Env = w.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		w.t.Fatalf("tmux %v: %v\n%s", args, err, out)
	}
	return string(out)
}

func (w *tmux) keys(keys ...string) { w.run(append([]string{"send-keys"}, keys...)...) }

// shows waits until a text is on the screen.
func (w *tmux) shows(text string) {
	w.t.Helper()
	harness.WaitFor(w.t, text+" on the screen", func() bool { return strings.Contains(w.run("capture-pane", "-p"), text) })
}

// probityProgram builds probity, and a manifest of a Pod that is never ready.
func probityProgram(t *testing.T) (program, manifest string) {
	t.Helper()
	dir := t.TempDir()
	program, manifest = filepath.Join(dir, "probity"), filepath.Join(dir, "app.yaml")
	cmd := exec.Command("go", "build", "-o", program, "./cmd/probity")
	cmd.Dir = "../.."
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("cannot build probity: %v\n%s", err, out)
	}
	text := `apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: app
    image: web
    command: [sleep, "1000"]
    ports: [{name: http, containerPort: 8080}]
    readinessProbe: {httpGet: {path: /readyz, port: http}, periodSeconds: 1}
`
	if err := os.WriteFile(manifest, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return program, manifest
}

// TestTmux is a person at a terminal: start, a smaller window, Ctrl-Z and fg, q.
func TestTmux(t *testing.T) {
	program, manifest := probityProgram(t)
	w := newTmux(t)
	w.keys(program+" run --state-dir "+t.TempDir()+"/state "+manifest, "Enter")
	w.shows("let it listen on $PORT")
	w.run("resize-window", "-x", "40", "-y", "15")
	w.shows("⏎ details  ? keys")
	w.shows("connection refused")
	w.run("resize-window", "-x", "120", "-y", "40")
	w.shows("READINESS")
	w.keys("C-z")
	w.shows("stand still until fg")
	w.keys("C-z")
	w.shows("Stopped")
	w.keys("fg", "Enter")
	w.shows("READINESS")
	w.keys("q")
	w.shows("Stop 1 Pod?")
	w.keys("q")
	w.shows("probity: stopped after")
	w.keys("echo code=$?", "Enter")
	w.shows("code=0")
}

// TestTmuxLog is a person who looks for a line that has been rotated into another file, and then
// restarts a program that does not want to end.
func TestTmuxLog(t *testing.T) {
	program, manifest := probityProgram(t)
	text := `apiVersion: v1
kind: Pod
metadata: {name: talker}
spec:
  terminationGracePeriodSeconds: 20
  containers:
  - name: app
    image: talker
    command: [sh, -c, "trap '' TERM; seq -f 'line %g.' 1 250000; echo 'that was all'; while true; do sleep 1; done"]
`
	if err := os.WriteFile(manifest, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	state := t.TempDir() + "/state"
	w := newTmux(t)
	w.keys(program+" run --state-dir "+state+" "+manifest, "Enter")
	w.shows("that was all")
	if rotated, err := filepath.Glob(state + "/pods/*/app/0.log.1"); err != nil || len(rotated) != 1 {
		t.Fatalf("there are rotated files %v: %v", rotated, err)
	}
	w.keys("l")
	w.shows("line 250000.")
	w.keys("/")
	w.keys("-l", "line 777.")
	w.shows("/line 777.")
	w.keys("Enter")
	w.shows("paused")
	w.shows(" line 777.")
	w.shows(" line 778.")
	w.keys("g")
	w.shows(" line 1.")
	w.keys("G")
	w.shows("that was all")
	w.keys("Escape", "q", "r", "r")
	w.shows("is being restarted · SIGKILL in 0:1")
	w.keys("C-c")
	w.shows("Stopping: 1 of 1 Pods left")
	w.keys("K")
	w.shows("probity: stopped after")
}

// TestTmuxStuck: a terminal that is not read any more holds up nothing: a signal ends the run.
func TestTmuxStuck(t *testing.T) {
	program, manifest := probityProgram(t)
	w := newTmux(t)
	server, err := strconv.Atoi(strings.TrimSpace(w.run("display-message", "-p", "#{pid}")))
	if err != nil {
		t.Fatal(err)
	}
	pidFile := filepath.Join(t.TempDir(), "pid")
	w.keys("sh -c 'echo $$ > "+pidFile+"; exec "+program+" run --state-dir "+t.TempDir()+"/state "+manifest+"'", "Enter")
	w.shows("let it listen on $PORT")
	pid, err := strconv.Atoi(strings.TrimSpace(harness.ReadFile(t, pidFile)))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(server, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := syscall.Kill(server, syscall.SIGCONT); err != nil {
			t.Error(err)
		}
	}()
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	harness.WaitFor(t, "the end of the run", func() bool {
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		return err != nil || strings.Contains(string(stat), ") Z ")
	})
}
