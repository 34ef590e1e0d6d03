package node

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/store"
)

// realPod is a Pod with real processes, which a test uses as kubectl does.
type realPod struct {
	t     *testing.T
	node  *Node
	store *store.Store
	uid   types.UID
	watch *store.Watch
}

// runReal runs a Pod whose only container, app, runs a shell script, until the test ends.
func runReal(t *testing.T, script string, change ...func(*corev1.Pod)) *realPod {
	t.Helper()
	s := store.New(store.Options{Kinds: append(store.Kubernetes(), Kinds()...)})
	shepherd, err := process.NewShepherd(process.ShepherdOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := shepherd.Close(); err != nil {
			t.Error(err)
		}
	})
	sockets, err := os.MkdirTemp("", "drill") // short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(sockets) })
	n := New(Options{Store: s, Starter: shepherd, Dir: t.TempDir(), DrillDir: sockets, Environ: []string{"PATH=/usr/local/bin:/usr/bin:/bin"}})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("Run = %v", err)
		}
	})
	watch, err := s.Watch(store.WatchOptions{Kinds: []store.Object{&corev1.Pod{}}})
	if err != nil {
		t.Fatal(err)
	}
	pod := examplePodOf(change...)
	pod.Spec.Containers[0].Command = []string{"sh", "-c", script}
	created, err := store.Create(s, pod)
	if err != nil {
		t.Fatal(err)
	}
	p := &realPod{t, n, s, created.UID, watch}
	p.wait("running", func(c store.Change) bool {
		status := c.Object.(*corev1.Pod).Status.ContainerStatuses
		return len(status) > 0 && status[0].State.Running != nil
	})
	return p
}

// wait waits for a change of the Pod.
func (p *realPod) wait(what string, holds func(store.Change) bool) {
	p.t.Helper()
	limit, cancel := context.WithTimeout(p.t.Context(), time.Minute) // long, for a busy machine
	defer cancel()
	for {
		change, err := p.watch.Next(limit)
		if err != nil {
			p.t.Fatalf("waiting until the Pod is %s: %v", what, err)
		}
		if holds(change) {
			return
		}
	}
}

// kill deletes the Pod at once, and waits until nothing of it is left.
func (p *realPod) kill() {
	p.t.Helper()
	r := p.node.runner(p.uid)
	if err := store.Delete[*corev1.Pod](p.store, "default", "web", store.DeleteOptions{Grace: new(int64(0))}); err != nil {
		p.t.Fatal(err)
	}
	p.wait("gone", func(c store.Change) bool { return c.Type == store.Deleted })
	select {
	case <-r.gone:
	case <-time.After(time.Minute):
		p.t.Fatal("something is left of the Pod after a minute")
	}
}

// TestExec: a command has what the container's program has, and what becomes of it is told apart
// from what becomes of its start.
func TestExec(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "notes"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	p := runReal(t, "exec sleep 1000", func(p *corev1.Pod) {
		p.Spec.Containers[0].WorkingDir = dir
		p.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "MARK", Value: "here"}}
	})
	for name, test := range map[string]struct {
		command  []string
		code     int
		out, err string // err is a part of it
	}{
		"environment and folder": {[]string{"sh", "-c", "echo $MARK $(pwd)"}, 0, "here " + dir + "\n", ""},
		"code and errors":        {[]string{"sh", "-c", "echo bad >&2; exit 3"}, 3, "", "bad\n"},
		"signal":                 {[]string{"sh", "-c", "kill -TERM $$"}, 143, "", ""},
		"input":                  {[]string{"cat"}, 0, "typed", ""},
		"arguments as they are":  {[]string{"echo", "$(MARK)", "$MARK", "a b"}, 0, "$(MARK) $MARK a b\n", ""},
		"no such program":        {[]string{"no-such-program"}, 127, "", `cannot start "no-such-program"`},
		"no program":             {[]string{"./notes"}, 126, "", `cannot start "./notes"`},
	} {
		t.Run(name, func(t *testing.T) {
			var out, errs bytes.Buffer
			code, err := p.node.Exec(t.Context(), p.uid, "app", test.command, process.Streams{
				Stdin: io.NopCloser(strings.NewReader("typed")), Stdout: &out, Stderr: &errs,
			})
			if err != nil || code != test.code || out.String() != test.out || !strings.HasPrefix(errs.String(), test.err) {
				t.Errorf("Exec = %d, %v, output %q, errors %q, want %d, %q, %q", code, err, &out, &errs, test.code, test.out, test.err)
			}
		})
	}
	for name, at := range map[string]struct {
		pod       types.UID
		container string
	}{"another container": {p.uid, "other"}, "another Pod": {"other", "app"}} {
		code, err := p.node.Exec(t.Context(), at.pod, at.container, []string{"true"}, process.Streams{})
		if _, ok := errors.AsType[*NotRunningError](err); !ok {
			t.Errorf("%s: Exec = %d, %v, want that it does not run", name, code, err)
		}
	}
}

// said is what a command has written, the first line of which can be waited for.
type said struct {
	first chan string // has room for one
	mu    sync.Mutex
	text  strings.Builder // guarded by mu
	done  bool            // guarded by mu; the first line was passed on
}

func newSaid() *said { return &said{first: make(chan string, 1)} }

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text.Write(p)
	if line, _, ok := strings.Cut(s.text.String(), "\n"); ok && !s.done {
		s.done = true
		s.first <- line
	}
	return len(p), nil
}

// TestExecEnds: a command ends when nobody uses it any more, and when its container ends, even if
// it does not read what is typed and what it writes is not taken.
func TestExecEnds(t *testing.T) {
	const script = "echo $$; trap '' HUP TERM; while :; do sleep 1000; done"
	for name, end := range map[string]func(p *realPod, leave func()){
		"its user leaves":     func(_ *realPod, leave func()) { leave() },
		"its container ends":  func(p *realPod, _ func()) { p.kill() },
		"the node is to stop": func(p *realPod, _ func()) { p.node.Abort() },
	} {
		for kind, terminal := range map[string]bool{"": false, ", at a terminal": true} {
			t.Run(name+kind, func(t *testing.T) {
				p := runReal(t, "exec sleep 1000")
				ctx, leave := context.WithCancel(t.Context())
				defer leave()
				out := newSaid()
				typed, _ := io.Pipe() // nothing is typed, and nothing ends it
				var code int
				var err error
				ended := make(chan struct{})
				go func() {
					defer close(ended)
					code, err = p.node.Exec(ctx, p.uid, "app", []string{"sh", "-c", script}, process.Streams{Stdin: typed, Stdout: out, Terminal: terminal})
				}()
				pid, parseErr := strconv.Atoi(strings.TrimSpace(<-out.first))
				if parseErr != nil {
					t.Fatal(parseErr)
				}
				end(p, leave)
				<-ended
				if err != nil || code != 137 {
					t.Errorf("Exec = %d, %v, want 137", code, err)
				}
				if err := syscall.Kill(-pid, 0); !errors.Is(err, syscall.ESRCH) {
					t.Errorf("of group %d something is left: %v", pid, err)
				}
			})
		}
	}
}

// TestExecOfStuckUser: a Pod does not wait for the user of a command who takes nothing.
func TestExecOfStuckUser(t *testing.T) {
	p := runReal(t, "exec sleep 1000")
	taken, stuck := io.Pipe()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = p.node.Exec(t.Context(), p.uid, "app", []string{"sh", "-c", "exec yes"}, process.Streams{Stdout: stuck})
	}()
	if _, err := taken.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	p.kill()
	taken.Close()
	<-ended
}

// TestAttach: what is printed from now on arrives without a gap, each line where it belongs, and
// the end of the container ends it.
func TestAttach(t *testing.T) {
	end := filepath.Join(t.TempDir(), "end")
	p := runReal(t, `echo before; n=0; until [ -e "$END" ]; do n=$((n+1)); echo $n; sleep 0.01; done; echo bad >&2; printf rest`, func(p *corev1.Pod) {
		p.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "END", Value: end}}
		p.Spec.RestartPolicy = corev1.RestartPolicyNever
	})
	pod, err := store.Get[*corev1.Pod](p.store, "default", "web")
	if err != nil {
		t.Fatal(err)
	}
	for printed := 0; printed == 0; { // so that something comes before
		last, err := lastLines(p.node.OpenLog(pod, "app", 0), 1)
		if err != nil {
			t.Fatal(err)
		}
		printed = len(last)
	}
	out, errs := newSaid(), newSaid()
	ended := make(chan error, 1)
	go func() { ended <- p.node.Attach(t.Context(), p.uid, "app", out, errs) }()
	first, err := strconv.Atoi(<-out.first)
	if err != nil {
		t.Fatalf("what came before is there: %v", err)
	}
	if err := os.WriteFile(end, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	lines := strings.Split(out.text.String(), "\n")
	for i, line := range lines[:len(lines)-1] {
		if line != strconv.Itoa(first+i) {
			t.Fatalf("line %d is %q, want %d", i, line, first+i)
		}
	}
	if got := lines[len(lines)-1]; got != "rest" {
		t.Errorf("at the end there is %q, want %q", got, "rest")
	}
	if got := errs.text.String(); got != "bad\n" {
		t.Errorf("errors %q", got)
	}
	err = p.node.Attach(t.Context(), p.uid, "app", out, errs)
	if _, ok := errors.AsType[*NotRunningError](err); !ok {
		t.Errorf("Attach to a container that has ended = %v", err)
	}
}

// TestAwaitStart: what became of a start is told although the Pod has ended since.
func TestAwaitStart(t *testing.T) {
	gone := make(chan struct{})
	close(gone)
	for range 50 { // of two that are ready, select takes either
		e := &execution{container: "app", started: make(chan error, 1)}
		e.started <- nil
		if err := e.awaitStart(gone); err != nil {
			t.Fatalf("awaitStart = %v, but it has started", err)
		}
	}
	e := &execution{container: "app", started: make(chan error, 1)}
	if _, ok := errors.AsType[*NotRunningError](e.awaitStart(gone)); !ok {
		t.Error("it has started without a Pod")
	}
}
