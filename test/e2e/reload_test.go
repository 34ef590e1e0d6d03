package e2e

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/probity-run/probity/test/harness"
)

// editableRun is a run whose manifest can be changed.
type editableRun struct {
	*harness.Run
	t       *testing.T
	probity string
	file    string
	service string
}

func startEditableRun(t *testing.T, manifest string) *editableRun {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	e := &editableRun{t: t, probity: filepath.Join(dir, "probity"), service: harness.Service(), file: filepath.Join(dir, "app.yaml")}
	if err := os.Symlink(self, e.probity); err != nil {
		t.Fatal(err)
	}
	e.save(manifest)
	e.Run = harness.StartFile(t, harness.Options{}, e.probity, e.file)
	return e
}

// save writes the manifest as editors do: into a new file, which then replaces the old one.
func (e *editableRun) save(manifest string) {
	e.t.Helper()
	draft := e.file + ".draft"
	text := strings.ReplaceAll(manifest, "SERVICE", e.service)
	if err := errors.Join(os.WriteFile(draft, []byte(text), 0o600), os.Rename(draft, e.file)); err != nil {
		e.t.Fatal(err)
	}
}

// apply runs probity apply and returns what it prints and its exit code.
func (e *editableRun) apply(args ...string) (output string, code int) {
	e.t.Helper()
	out, err := exec.CommandContext(e.t.Context(), e.probity, append([]string{"apply", "--state-dir", e.StateDir()}, args...)...).CombinedOutput()
	exit, failed := errors.AsType[*exec.ExitError](err)
	if err != nil && !failed {
		e.t.Fatal(err)
	}
	if failed {
		code = exit.ExitCode()
	}
	return string(out), code
}

// uids are the UIDs of the Pods, by name.
func (e *editableRun) uids() map[string]string {
	uids := map[string]string{}
	for name, pod := range e.Newest() {
		uids[name] = string(pod.UID)
	}
	return uids
}

// TestReload saves changes of the manifest of a run: a Pod that changed is replaced, one that did
// not stays, one that is gone ends; an error changes nothing.
func TestReload(t *testing.T) {
	t.Parallel()
	one, two := harness.Named("one", "", harness.Listens+harness.Ready1), harness.Named("two", "", harness.Listens+harness.Ready1)
	e := startEditableRun(t, one+two)
	e.WaitPods(2, "ready", harness.Ready)
	before := e.uids()

	e.save(strings.Replace(one, "image: example", "imag: example", 1) + two)
	harness.WaitFor(t, "the error", func() bool { return strings.Contains(e.Stderr(), "nothing was changed") })
	if !strings.Contains(e.Stderr(), `app.yaml:9:5`) {
		t.Errorf("the error has no position:\n%s", e.Stderr())
	}

	e.save(one + strings.Replace(two, "args: []", `args: ["-print=changed"]`, 1))
	e.WaitPod("another Pod two, ready", func(pod *corev1.Pod) bool {
		return pod.Name == "two" && string(pod.UID) != before["two"] && harness.Ready(pod)
	})
	if now := e.uids(); now["one"] != before["one"] {
		t.Error("Pod one was not changed and was replaced")
	}

	e.save(one)
	e.Wait("the end of both Pods two", func(changes []harness.Change) bool {
		ended := 0
		for _, c := range changes {
			if c.Pod != nil && c.Type == watch.Deleted && c.Pod.Name == "two" {
				ended++
			}
		}
		return ended == 2
	})
	if now := e.uids(); now["one"] != before["one"] {
		t.Error("Pod one was not changed and was replaced")
	}
}

// TestApply changes a run by probity apply, and by SIGHUP.
func TestApply(t *testing.T) {
	t.Parallel()
	one := harness.Named("one", "", harness.Listens+harness.Ready1)
	e := startEditableRun(t, one)
	e.WaitPods(1, "ready", harness.Ready)

	if out, code := e.apply(e.file); out != "pod/one unchanged\n" || code != 0 {
		t.Errorf("apply of the same = %q, exit %d", out, code)
	}
	more := filepath.Join(filepath.Dir(e.file), "more.yaml")
	e.file = more
	e.save(harness.Named("three", "", harness.Listens+harness.Ready1))
	if out, code := e.apply(more); out != "pod/three created\n" || code != 0 {
		t.Errorf("apply of another file = %q, exit %d", out, code)
	}
	e.WaitPods(2, "ready", harness.Ready)
	e.save("kind: Pod\n")
	if out, code := e.apply(more); code != 2 || !strings.Contains(out, "nothing was changed") {
		t.Errorf("apply of an error = %q, exit %d, want 2", out, code)
	}
	if out, code := e.apply(filepath.Join(filepath.Dir(more), "absent.yaml")); code != 2 {
		t.Errorf("apply of an absent file = %q, exit %d, want 2", out, code)
	}

	e.file = filepath.Join(filepath.Dir(more), "app.yaml")
	before := e.uids()
	e.Signal(syscall.SIGHUP)
	if out, code := e.apply(e.file); code != 0 {
		t.Errorf("apply after SIGHUP = %q, exit %d", out, code)
	}
	if now := e.uids(); now["one"] != before["one"] || now["three"] != before["three"] {
		t.Errorf("SIGHUP with unchanged files replaced a Pod: %v, then %v", before, now)
	}
}

// TestApplyWithoutRun: without a run there is nothing to apply to.
func TestApplyWithoutRun(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	probity := filepath.Join(t.TempDir(), "probity")
	if err := os.Symlink(self, probity); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), probity, "apply", "app.yaml")
	cmd.Env = append(os.Environ(), "XDG_STATE_HOME="+t.TempDir())
	out, err := cmd.CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 2 || !strings.Contains(string(out), "no probity run is there") {
		t.Errorf("apply without a run: %v: %s", err, out)
	}
}
