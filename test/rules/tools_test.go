//go:build tools && !race

package rules

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// tags are all build tags of tests, so that what only they use is not taken for dead.
const tags = "differential,drill,exact,example,kubelet,microservices,postgres,prometheus,soak,sweep,tmux,traffic,watchers"

// TestTools runs what finds more than a compiler: each tool has to have nothing to say. It takes
// minutes, so it has a tag of its own: go test -tags tools -run TestTools ./test/rules
func TestTools(t *testing.T) {
	for _, name := range modules(t) {
		dir := filepath.Join(root, name)
		t.Run(name+"/tidy", func(t *testing.T) { tidy(t, dir) })
		for _, words := range []string{
			"vet ./...",
			"fix -diff ./...",
			"tool staticcheck ./...",
			"tool unparam -tests=false ./...",
		} {
			t.Run(name+"/"+strings.TrimSuffix(words, " ./..."), func(t *testing.T) { silent(t, dir, strings.Fields(words)) })
		}
	}
	t.Run("deadcode", func(t *testing.T) { // it is slow: once for all modules
		args := []string{"tool", "deadcode", "-test", "-tags", tags}
		for _, name := range modules(t) {
			args = append(args, "./"+filepath.ToSlash(name)+"/...")
		}
		silent(t, root, args)
	})
}

// silent runs the go command, which has to succeed and to print nothing.
func silent(t *testing.T, dir string, args []string) {
	t.Helper()
	if out, err := command(t, dir, args...); err != nil || out != "" {
		t.Errorf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// tidy compares go.mod and go.sum with what go mod tidy makes of them. The version of ours that a
// module requires need not be released yet, so it is taken from this repository, as go.work does;
// go.sum has no sums of it.
func tidy(t *testing.T, dir string) {
	copied := t.TempDir()
	for _, name := range []string{"go.mod", "go.sum"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(copied, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	health, err := filepath.Abs(filepath.Join(root, "health"))
	if err != nil {
		t.Fatal(err)
	}
	modfile := filepath.Join(copied, "go.mod")
	const ours = module + "/health"
	mustRun(t, dir, "mod", "edit", "-replace", ours+"="+health, modfile)
	mustRun(t, dir, "mod", "tidy", "-modfile", modfile)
	mustRun(t, dir, "mod", "edit", "-dropreplace", ours, modfile)
	for _, name := range []string{"go.mod", "go.sum"} {
		want, err := os.ReadFile(filepath.Join(copied, name))
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		golden(t, filepath.Join(dir, name), string(want))
	}
}

// modules lists the modules of the workspace by their folders, relative to the repository's.
func modules(t *testing.T) []string {
	t.Helper()
	top, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	var dirs []string
	for dir := range strings.FieldsSeq(run(t, "go", "list", "-m", "-f", "{{.Dir}}")) {
		relative, err := filepath.Rel(top, dir)
		if err != nil {
			t.Fatal(err)
		}
		dirs = append(dirs, relative)
	}
	return dirs
}

// mustRun runs the go command in one module, outside of the workspace.
func mustRun(t *testing.T, dir string, args ...string) {
	t.Helper()
	t.Setenv("GOWORK", "off")
	if out, err := command(t, dir, args...); err != nil {
		t.Fatalf("go -C %s %s: %v\n%s", dir, strings.Join(args, " "), err, out)
	}
}

// command runs the go command in a folder and returns all that it prints, without news of
// downloads.
func command(t *testing.T, dir string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	var said strings.Builder
	for line := range strings.Lines(string(out)) {
		if !strings.HasPrefix(line, "go: downloading ") {
			said.WriteString(line)
		}
	}
	return said.String(), err
}
