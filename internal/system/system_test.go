package system

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/store"
)

func TestMain(m *testing.M) {
	if process.IsShepherd(os.Args) {
		os.Exit(process.ShepherdMain())
	}
	if os.Getenv(asServer) != "" {
		serve()
	}
	if os.Getenv(asClient) != "" {
		converse()
	}
	// else each shepherd sleeps for a second at its end under -race
	if err := os.Setenv("GORACE", "atexit_sleep_ms=0"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// folder is a new folder whose path is short enough for a socket.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "system")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// podOf writes a manifest of a Pod that runs a shell command.
func podOf(t *testing.T, path, name, restartPolicy, command string) string {
	t.Helper()
	text := "apiVersion: v1\nkind: Pod\nmetadata: {name: " + name + "}\nspec:\n  restartPolicy: " + restartPolicy +
		"\n  terminationGracePeriodSeconds: 1\n  containers: [{name: app, image: app, command: [sh, -c, '" + command + "']}]\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// started is a running system, which ends with the test.
func started(t *testing.T, ctx context.Context, opts Options) *System {
	t.Helper()
	if opts.StateDir == "" {
		opts.StateDir = folder(t)
	}
	s, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			tell(t, s)
		}
		s.Stop()
		s.Abort()
		<-s.Done()
	})
	return s
}

// tell logs what a system recorded, as its tests see only what it did in the end.
func tell(t *testing.T, s *System) {
	t.Helper()
	events, _ := store.List[*corev1.Event](s.Store(), store.Selector{})
	for _, e := range events {
		t.Logf("%s %s %s/%s: %s", e.LastTimestamp.Format(time.TimeOnly), e.Reason, e.InvolvedObject.Kind, e.InvolvedObject.Name, e.Message)
	}
	pods, _ := store.List[*corev1.Pod](s.Store(), store.Selector{})
	for _, pod := range pods {
		t.Logf("Pod %s: %v, %+v", pod.Name, pod.Annotations, pod.Status.ContainerStatuses)
	}
}

// ended waits for the end of a system.
func ended(t *testing.T, s *System) error {
	t.Helper()
	select {
	case <-s.Done():
	case <-time.After(hangs):
		t.Fatal("the system does not end")
	}
	return s.Wait()
}

// hangs is after how long a test gives up. It is no bound on what it waits for, which may take its
// time on a busy machine.
const hangs = time.Minute

// eventually waits for a condition.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(hangs); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", hangs, what)
		}
	}
}

// runs waits until a Pod's container runs and returns the Pod.
func runs(t *testing.T, s *System, name string) *corev1.Pod {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), hangs)
	defer cancel()
	watch, err := s.Store().Watch(store.WatchOptions{Kinds: []store.Object{&corev1.Pod{}}})
	for err == nil {
		var change store.Change
		if change, err = watch.Next(ctx); err != nil {
			break
		}
		pod := change.Object.(*corev1.Pod)
		if statuses := pod.Status.ContainerStatuses; pod.Name == name && len(statuses) > 0 && statuses[0].State.Running != nil {
			return pod
		}
	}
	t.Fatalf("pod %s does not run: %v", name, err)
	return nil
}

func TestInputErrors(t *testing.T) {
	broken := filepath.Join(folder(t), "pod.yaml")
	if err := os.WriteFile(broken, []byte("kind: Pod\napiVersion: v1\nspec: {kontainers: []}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	used := folder(t)
	started(t, t.Context(), Options{StateDir: used})
	for name, opts := range map[string]Options{
		"a bad manifest":                {Manifests: []string{broken}, StateDir: folder(t)},
		"a missing one":                 {Manifests: []string{broken + "x"}, StateDir: folder(t)},
		"no standard input":             {Manifests: []string{"-"}, StateDir: folder(t)},
		"a state folder that is in use": {StateDir: used},
		"a state folder that cannot be": {StateDir: broken},
		"a program that is not there":   {Manifests: []string{podOf(t, filepath.Join(folder(t), "p.yaml"), "web", "Always", "true")}, Environ: []string{"PATH=/nowhere"}, StateDir: folder(t)},
	} {
		s, err := New(opts)
		if _, ok := errors.AsType[*InputError](err); !ok || s != nil {
			t.Errorf("%s: error %v of type %T, want an InputError", name, err, err)
		}
	}
}

// TestEmptySystem: the zero value is an empty system, which goes on until it is told to stop.
func TestEmptySystem(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", folder(t))
	s, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	pod := podOf(t, filepath.Join(folder(t), "pod.yaml"), "web", "Always", "exec sleep 60")
	lines, err := s.Apply(t.Context(), []string{pod})
	if err != nil || !slices.Equal(lines, []string{"pod/web created"}) {
		t.Fatalf("applied %q, %v", lines, err)
	}
	runs(t, s, "web")
	s.Stop()
	if err := ended(t, s); err != nil {
		t.Error(err)
	}
	if _, err := s.Apply(t.Context(), []string{pod}); err == nil {
		t.Error("a system that has ended applies a manifest")
	}
}

func TestStopWhenFinished(t *testing.T) {
	const failed = `pod "job" failed for good: container app `
	for command, want := range map[string]string{
		"true":                             "",
		"exit 3":                           failed + "exited with code 3 and printed nothing",
		"echo one; echo two words; exit 4": failed + `exited with code 4; its last line: "two words"`,
		"kill -KILL $$$$":                  failed + "was killed by signal 9 (exit code 137) and printed nothing",
	} {
		dir := folder(t)
		s := started(t, t.Context(), Options{
			Manifests: []string{podOf(t, filepath.Join(dir, "pod.yaml"), "job", "Never", command)}, StateDir: filepath.Join(dir, "state"), StopWhenFinished: true,
		})
		err := ended(t, s)
		if want == "" && err != nil || want != "" && (err == nil || err.Error() != want) {
			t.Errorf("%s: error %v, want %q", command, err, want)
		}
	}
}

// TestContext: the end of the context stops the system with grace.
func TestContext(t *testing.T) {
	dir := folder(t)
	ctx, cancel := context.WithCancel(t.Context())
	said := filepath.Join(dir, "said")
	s := started(t, ctx, Options{
		Manifests: []string{podOf(t, filepath.Join(dir, "pod.yaml"), "web", "Always", `trap "echo term > `+said+`; exit" TERM; echo > `+said+`-ready; while :; do sleep 0.05; done`)},
		StateDir:  filepath.Join(dir, "state"),
	})
	runs(t, s, "web")
	eventually(t, "the program's trap", func() bool { _, err := os.Stat(said + "-ready"); return err == nil })
	cancel()
	if err := ended(t, s); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(said); err != nil || string(text) != "term\n" {
		t.Errorf("the program said %q, %v: want it to have had SIGTERM", text, err)
	}
}

// TestReload: what is saved is applied, what is wrong changes nothing, and notices say so.
func TestReload(t *testing.T) {
	dir := folder(t)
	notices := make(chan string, 16)
	path := podOf(t, filepath.Join(dir, "pod.yaml"), "web", "Always", "exec sleep 60")
	s := started(t, t.Context(), Options{Manifests: []string{path}, StateDir: filepath.Join(dir, "state"), Notice: func(line string) { notices <- line }})
	first := runs(t, s, "web")
	notice := func(want string) {
		t.Helper()
		for {
			select {
			case line := <-notices:
				if strings.Contains(line, want) {
					return
				}
			case <-time.After(hangs):
				t.Fatalf("no notice of %q", want)
			}
		}
	}
	if err := os.WriteFile(path, []byte("kind: Pod\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	notice("nothing was changed")
	if now := runs(t, s, "web"); now.UID != first.UID {
		t.Error("a bad manifest replaced the Pod")
	}
	podOf(t, path, "web", "Always", "exec sleep 61")
	notice("pod/web replaced")
	eventually(t, "another Pod", func() bool { return runs(t, s, "web").UID != first.UID })
}

// TestRequestApply: another process reaches the system by its state folder.
func TestRequestApply(t *testing.T) {
	home := folder(t)
	t.Setenv("XDG_STATE_HOME", home)
	dir := folder(t)
	path := podOf(t, filepath.Join(dir, "pod.yaml"), "web", "Always", "exec sleep 60")
	if _, err := Find(t.Context(), []string{path}); err == nil {
		t.Error("a system is found where none runs")
	}
	s, err := New(Options{Manifests: []string{path}})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	runs(t, s, "web")
	<-s.api.ready
	found, err := Find(t.Context(), []string{path})
	if err != nil || !strings.HasPrefix(found, home) {
		t.Fatalf("found %q, %v", found, err)
	}
	if _, lines, err := RequestApply(t.Context(), found, []string{path}); err != nil || !slices.Equal(lines, []string{"pod/web unchanged"}) {
		t.Errorf("applied %q, %v", lines, err)
	}
	if _, _, err := RequestApply(t.Context(), found, []string{path + "x"}); err == nil {
		t.Error("a missing file is applied")
	} else if _, ok := errors.AsType[*InputError](err); !ok {
		t.Errorf("error %v of type %T, want an InputError", err, err)
	}
}

// TestCloseUnstarted: a system that was never started gives back what it took.
func TestCloseUnstarted(t *testing.T) {
	dir := folder(t)
	for range 2 {
		s, err := New(Options{StateDir: dir})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
