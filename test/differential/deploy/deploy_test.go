//go:build kubelet && linux

package deploy

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/probity-run/probity/internal/rollout"
)

// namespace makes one, and empties it when the test ends, so that its Pods are in nobody's way.
func namespace(t *testing.T, name string) string {
	t.Helper()
	if err := site.Apply(t.Context(), name, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := site.Clear(context.WithoutCancel(t.Context()), name); err != nil {
			t.Error(err)
		}
	})
	return name
}

// write makes a file of a manifest, and returns its path.
func write(t *testing.T, name, manifest string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// deploy runs probity deploy, and returns its exit code and all that it says, in the order in which
// it does.
func deploy(t *testing.T, args ...string) (code int, says string) {
	t.Helper()
	var out bytes.Buffer
	cmd := command(t, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	return exitCode(t, cmd.Run()), out.String()
}

// command is probity deploy in the folder of the file, which is the first argument.
func command(t *testing.T, args ...string) *exec.Cmd {
	folder, file := filepath.Split(args[0])
	cmd := exec.CommandContext(t.Context(), site.probity, append([]string{"deploy", "--kubeconfig", site.Kubeconfig(), file}, args[1:]...)...)
	cmd.Dir = folder
	return cmd
}

func exitCode(t *testing.T, err error) int {
	t.Helper()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode()
	}
	if err != nil {
		t.Error(err)
	}
	return 0
}

// wants runs probity deploy, and expects an exit code and texts, in this order.
func wants(t *testing.T, code int, texts []string, args ...string) {
	t.Helper()
	got, says := deploy(t, args...)
	if got != code {
		t.Errorf("deploy %s ends with %d, want %d:\n%s", strings.Join(args, " "), got, code, says)
	}
	rest := says
	for _, text := range texts {
		_, after, ok := strings.Cut(rest, text)
		if !ok {
			t.Errorf("deploy %s does not say %q, or not in this order:\n%s", strings.Join(args, " "), text, says)
			return
		}
		rest = after
	}
}

// line is what probity deploy -o json writes, as far as tests look at it, and when it was read.
type line struct {
	Kind, Text string
	Cause      rollout.Kind
	Degree     string
	Exit       int
	at         time.Time
}

// deployJSON runs probity deploy -o json, and returns its exit code and its lines.
func deployJSON(t *testing.T, args ...string) (code int, lines []line) {
	t.Helper()
	cmd := command(t, append(args, "-o", "json")...)
	var trouble bytes.Buffer
	cmd.Stderr = &trouble
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Error(err)
		return 0, nil
	}
	for scanner := bufio.NewScanner(out); scanner.Scan(); {
		l := line{at: time.Now()}
		if err := json.Unmarshal(scanner.Bytes(), &l); err != nil {
			t.Errorf("cannot read %s: %v", scanner.Bytes(), err)
		}
		lines = append(lines, l)
	}
	code = exitCode(t, cmd.Wait())
	if trouble.Len() > 0 {
		t.Logf("deploy %s: %s", strings.Join(args, " "), trouble.Bytes())
	}
	return code, lines
}

// find is the first line of a kind and, unless that is empty, of a cause.
func find(lines []line, kind string, cause rollout.Kind) (line, bool) {
	for _, l := range lines {
		if l.Kind == kind && (cause == "" || l.Cause == cause) {
			return l, true
		}
	}
	return line{}, false
}
