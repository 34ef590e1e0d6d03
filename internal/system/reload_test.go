package system

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/store"
)

// notices collects what a system says.
type notices chan string

func (n notices) say(line string) { n <- line }

// want waits for a notice and returns those before it.
func (n notices) want(t *testing.T, want string) (before []string) {
	t.Helper()
	for {
		select {
		case line := <-n:
			if strings.Contains(line, want) {
				return before
			}
			before = append(before, line)
		case <-time.After(hangs):
			t.Fatalf("no notice of %q, but of %q", want, before)
		}
	}
}

func save(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestHungManifest: a file that never comes keeps neither the system from going on, nor from
// ending.
func TestHungManifest(t *testing.T) {
	dir := folder(t)
	path := podOf(t, filepath.Join(dir, "pod.yaml"), "web", "Always", "exec sleep 60")
	s := started(t, t.Context(), Options{Manifests: []string{path}, StateDir: filepath.Join(dir, "state")})
	runs(t, s, "web")
	reading, answer := make(chan struct{}, 1), make(chan struct{})
	defer close(answer)
	s.loader.turn <- struct{}{} // nobody reads meanwhile
	s.loader.read = func(manifest.Options, ...string) (*manifest.Set, error) {
		reading <- struct{}{}
		<-answer
		return nil, errors.New("the server came back")
	}
	<-s.loader.turn
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-reading
		cancel()
	}()
	if _, err := s.Apply(ctx, []string{path}); !errors.Is(err, context.Canceled) {
		t.Errorf("a client that does not wait any more: %v", err)
	}
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.Apply(short, []string{path}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the next one: %v", err)
	}
	s.Stop()
	if err := ended(t, s); err != nil {
		t.Error(err)
	}
}

// TestPipeInPlaceOfManifest: a named pipe that nobody writes to is refused like any bad manifest.
func TestPipeInPlaceOfManifest(t *testing.T) {
	dir := folder(t)
	said := make(notices, 16)
	path := podOf(t, filepath.Join(dir, "pod.yaml"), "web", "Always", "exec sleep 60")
	s := started(t, t.Context(), Options{Manifests: []string{path}, StateDir: filepath.Join(dir, "state"), Notice: said.say})
	runs(t, s, "web")
	if err := errors.Join(syscall.Mkfifo(path+".new", 0o600), os.Rename(path+".new", path)); err != nil {
		t.Fatal(err)
	}
	said.want(t, "it is not a regular file")
	if _, err := s.Apply(t.Context(), []string{path}); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("applied: %v", err)
	}
	podOf(t, path+".next", "web", "Always", "exec sleep 61")
	if err := os.Rename(path+".next", path); err != nil {
		t.Fatal(err)
	}
	said.want(t, "pod/web replaced")
}

// TestOtherFilesOfFolder: what is written beside the manifests, and however often, is no change of
// them, and does not hold up one.
func TestOtherFilesOfFolder(t *testing.T) {
	dir, said := folder(t), make(notices, 64)
	output, err := os.Create(filepath.Join(dir, "output.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer output.Close()
	log, err := os.Create(filepath.Join(dir, "app.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	path := podOf(t, filepath.Join(dir, "pod.yaml"), "web", "Always", "exec sleep 60")
	s := started(t, t.Context(), Options{Manifests: []string{dir}, StateDir: folder(t), Notice: said.say, Outputs: []*os.File{output}})
	runs(t, s, "web")
	stop, stopped := make(chan struct{}), make(chan error)
	go func() {
		var err error
		for {
			select {
			case <-stop:
				stopped <- err
				return
			case <-time.After(10 * time.Millisecond):
				_, logErr := log.WriteString("line\n")
				_, outErr := output.WriteString("{\n")
				err = errors.Join(err, logErr, outErr)
			}
		}
	}()
	podOf(t, path, "web", "Always", "exec sleep 61")
	if before := said.want(t, "pod/web replaced"); len(before) > 0 {
		t.Errorf("notices %q", before)
	}
	close(stop)
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

// TestFileInPieces: what has not been written yet is not taken for removed.
func TestFileInPieces(t *testing.T) {
	for range 10 {
		if fileInPieces(t) {
			return
		}
	}
	t.Fatal("the pieces never came in time")
}

// fileInPieces reports false if they were so late, one after the other, that the file had rightly
// been taken for complete.
func fileInPieces(t *testing.T) bool {
	t.Helper()
	dir, said := folder(t), make(notices, 64)
	config := func(name string) string {
		return "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + "}\n"
	}
	pod := "---\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  terminationGracePeriodSeconds: 1\n  containers: [{name: app, image: app, command: [sleep, \"60\"]}]\n"
	last := strings.ReplaceAll(pod, "web", "last")
	path := filepath.Join(dir, "app.yaml")
	save(t, path, config("old")+pod+last)
	s := started(t, t.Context(), Options{Manifests: []string{path}, StateDir: filepath.Join(dir, "state"), Notice: said.say})
	first, inTime := runs(t, s, "last"), true
	for _, pieces := range []string{pod, pod + config("new"), pod + config("new") + last} {
		begun := time.Now()
		save(t, path, pieces)
		time.Sleep(400 * time.Millisecond)
		inTime = inTime && time.Since(begun) < settleTime/2
	}
	if !inTime {
		return false
	}
	said.want(t, "configmap/old pruned")
	now, err := store.Get[*corev1.Pod](s.Store(), "default", "last")
	if err != nil || now.UID != first.UID || now.DeletionTimestamp != nil {
		t.Errorf("the Pod of the last document was made anew: %v", err)
	}
	save(t, path, pod)
	said.want(t, "pod/last pruned")
	return true
}

// TestSameErrorIsSaidOnce: a notice may be written into the very folder that is watched.
func TestSameErrorIsSaidOnce(t *testing.T) {
	said := 0
	s := &System{opts: Options{Manifests: []string{"-"}, Notice: func(string) { said++ }}.withDefaults()}
	problem := s.reload(t.Context(), false, "")
	if again := s.reload(t.Context(), true, problem); said != 1 || again != problem || problem == "" {
		t.Errorf("said %d times %q, then %q", said, problem, again)
	}
}

// TestWatchOfNothing: where files cannot be watched, a run has no watch at all.
func TestWatchOfNothing(t *testing.T) {
	var w *fileWatch
	if err := errors.Join(w.run(t.Context(), nil), w.close()); err != nil {
		t.Error(err)
	}
	if _, err := newFileWatch([]string{filepath.Join(folder(t), "gone")}, nil); err == nil {
		t.Error("a folder that is not there is watched")
	}
	w, err := newFileWatch(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	w.notify.Errors = make(chan error, 1)
	w.notify.Errors <- errors.New("too many")
	if err := w.run(t.Context(), nil); err == nil || errors.Is(err, fsnotify.ErrEventOverflow) {
		t.Errorf("error %v", err)
	}
	if err := w.close(); err != nil {
		t.Error(err)
	}
}

// TestRunWithoutWatch: a system whose files cannot be watched goes on, and is told by others.
func TestRunWithoutWatch(t *testing.T) {
	dir := folder(t)
	path := podOf(t, filepath.Join(dir, "pod.yaml"), "web", "Always", "exec sleep 60")
	s, err := New(Options{Manifests: []string{path}, StateDir: filepath.Join(dir, "state")})
	if err != nil {
		t.Fatal(err)
	}
	said := make(notices, 16)
	s.opts.Notice = said.say
	s.opts.Manifests = []string{path, filepath.Join(dir, "gone")} // as if it could not be watched
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	said.want(t, "run goes on without that")
	runs(t, s, "web")
	<-s.api.ready // it has read the options
	s.opts.Manifests = s.opts.Manifests[:1]
	podOf(t, path, "web", "Always", "exec sleep 61")
	if lines, err := s.Apply(t.Context(), []string{path}); err != nil || len(lines) != 1 {
		t.Errorf("applied %q, %v", lines, err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
