package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/probity-run/probity/internal/cli"
	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/test/service"
)

// TestMain lets the test binary be three programs: the tests, probity (with its shepherd), and the scripted service.
func TestMain(m *testing.M) {
	if process.IsShepherd(os.Args) {
		os.Exit(process.ShepherdMain())
	}
	if err := os.Setenv("GORACE", "atexit_sleep_ms=0"); err != nil { // else each shepherd sleeps for a second at its end under -race
		panic(err)
	}
	switch filepath.Base(os.Args[0]) {
	case "probity":
		os.Exit(cli.Main(context.Background(), cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}, os.Args[1:]))
	case "service":
		os.Exit(service.Main(os.Args[1:]))
	}
	flag.Parse()
	if err := flag.Set("test.parallel", "8"); err != nil { // the tests wait more than they work
		panic(err)
	}
	os.Exit(m.Run())
}

// patience is how long a test waits for something that should come within a second or a few.
const patience = 120 * time.Second

// run is a running probity and what it printed so far.
type run struct {
	t      *testing.T
	cmd    *exec.Cmd
	stderr bytes.Buffer

	mu      sync.Mutex // guards what follows
	changed chan struct{}
	changes []change
	ended   bool
}

// change is one line of -o json.
type change struct {
	kind  watch.EventType
	pod   *corev1.Pod
	event *corev1.Event
}

// bin makes a folder in which the test binary is called probity and service.
func bin(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"probity", "service"} {
		if err := os.Symlink(self, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// start runs a manifest with -o json in a folder of its own. The word SERVICE in it stands for the scripted service.
func start(t *testing.T, manifest string, args ...string) *run {
	t.Helper()
	programs := bin(t)
	file := filepath.Join(t.TempDir(), "pod.yaml")
	manifest = strings.ReplaceAll(manifest, "SERVICE", filepath.Join(programs, "service"))
	if err := os.WriteFile(file, []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	return startFile(t, filepath.Join(programs, "probity"), file, args...)
}

// startFile runs a manifest where it stands.
func startFile(t *testing.T, probity, file string, args ...string) *run {
	t.Helper()
	r := &run{t: t, changed: make(chan struct{})}
	args = append([]string{"run", "--logs", "-o", "json", "--state-dir", t.TempDir(), file}, args...)
	r.cmd = exec.Command(probity, args...)
	r.cmd.Stderr = &r.stderr
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		r.read(bufio.NewReader(out))
	}()
	t.Cleanup(func() {
		r.interrupt()
		r.interrupt()
		<-read
		if r.cmd.ProcessState == nil {
			_ = r.cmd.Wait() // its exit code is the business of tests that ask for it
		}
		if t.Failed() {
			t.Logf("probity said:\n%s", r.stderr.String())
			r.logEvents()
		}
	})
	return r
}

func (r *run) read(out *bufio.Reader) {
	decoder := json.NewDecoder(out)
	for {
		var line struct {
			Type   watch.EventType
			Object json.RawMessage
		}
		err := decoder.Decode(&line)
		r.mu.Lock()
		if err != nil {
			r.ended = true
			close(r.changed)
			r.mu.Unlock()
			return
		}
		r.changes = append(r.changes, parse(line.Type, line.Object))
		close(r.changed)
		r.changed = make(chan struct{})
		r.mu.Unlock()
	}
}

func parse(kind watch.EventType, data []byte) change {
	var meta metav1.TypeMeta
	c := change{kind: kind}
	if err := json.Unmarshal(data, &meta); err != nil {
		panic(err)
	}
	var err error
	switch meta.Kind {
	case "Pod":
		err = json.Unmarshal(data, &c.pod)
	case "Event":
		err = json.Unmarshal(data, &c.event)
	default:
		err = fmt.Errorf("unexpected kind %q", meta.Kind)
	}
	if err != nil {
		panic(err)
	}
	return c
}

// wait waits until the condition holds for what was printed so far.
func (r *run) wait(what string, holds func([]change) bool) {
	r.t.Helper()
	deadline := time.After(patience)
	for {
		r.mu.Lock()
		changes, changed, ended := r.changes, r.changed, r.ended
		r.mu.Unlock()
		if holds(changes) {
			return
		}
		if ended {
			r.t.Fatalf("probity ended before: %s\n%s", what, r.stderr.String())
		}
		select {
		case <-changed:
		case <-deadline:
			r.t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// waitPod waits until the newest state of some Pod fulfils the condition, and returns it.
func (r *run) waitPod(what string, holds func(*corev1.Pod) bool) *corev1.Pod {
	r.t.Helper()
	var found *corev1.Pod
	r.wait(what, func(changes []change) bool {
		newest := map[string]*corev1.Pod{}
		for _, c := range changes {
			if c.pod != nil {
				newest[c.pod.Name] = c.pod
			}
		}
		for _, pod := range newest {
			if holds(pod) {
				found = pod
				return true
			}
		}
		return false
	})
	return found
}

// waitEvent waits for the nth Event (1 is the first) whose "Type Reason Message" contains the text.
func (r *run) waitEvent(n int, text string) *corev1.Event {
	r.t.Helper()
	var found *corev1.Event
	r.wait(fmt.Sprintf("event %d with %q", n, text), func(changes []change) bool {
		events := matching(changes, text)
		if len(events) < n {
			return false
		}
		found = events[n-1]
		return true
	})
	return found
}

// events lists the Events so far that contain the text.
func (r *run) events(text string) []*corev1.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return matching(r.changes, text)
}

func (r *run) snapshot() []change {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.changes
}

func matching(changes []change, text string) []*corev1.Event {
	var events []*corev1.Event
	for _, c := range changes {
		if c.event != nil && c.kind == watch.Added && strings.Contains(line(c.event), text) {
			events = append(events, c.event)
		}
	}
	return events
}

func line(e *corev1.Event) string { return e.Type + " " + e.Reason + " " + e.Message }

func (r *run) logEvents() {
	for _, e := range r.events("") {
		r.t.Logf("%s %s %s", e.EventTime.Format("15:04:05.000"), e.InvolvedObject.FieldPath, line(e))
	}
}

func (r *run) interrupt() {
	if err := r.cmd.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
		r.t.Error(err)
	}
}

// exit waits for the end and returns the exit code.
func (r *run) exit() int {
	r.t.Helper()
	timer := time.AfterFunc(patience, func() { _ = r.cmd.Process.Kill() })
	defer timer.Stop()
	r.wait("the end of the output", func([]change) bool { r.mu.Lock(); defer r.mu.Unlock(); return r.ended })
	err := r.cmd.Wait()
	if err != nil && r.cmd.ProcessState == nil {
		r.t.Fatal(err)
	}
	return r.cmd.ProcessState.ExitCode()
}

func pidOf(t *testing.T, pod *corev1.Pod, container string) int {
	t.Helper()
	var pid int
	if _, err := fmt.Sscan(pod.Annotations["probity.run/pid."+container], &pid); err != nil {
		t.Fatalf("no process id of %s in %v: %v", container, pod.Annotations, err)
	}
	return pid
}

func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }

func ready(pod *corev1.Pod) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}
