package release

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const (
	root   = "../.."
	module = "github.com/probity-run/probity"
)

// repository is a copy of this repository as it lies on the disk, with one commit of its own.
type repository struct{ dir string }

func newRepository(t *testing.T) repository {
	t.Helper()
	r := repository{filepath.Join(t.TempDir(), "repository")}
	files := output(t, root, nil, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	for name := range strings.SplitSeq(strings.TrimSuffix(files, "\x00"), "\x00") {
		copyFile(t, filepath.Join(root, name), filepath.Join(r.dir, name))
	}
	r.run(t, "git", "init", "-q", "-b", "main")
	r.commit(t)
	return r
}

// copyFile copies a file with its mode, unless it has been deleted and git does not know yet.
func copyFile(t *testing.T, from, to string) {
	t.Helper()
	info, err := os.Stat(from)
	if os.IsNotExist(err) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, info.Mode()); err != nil {
		t.Fatal(err)
	}
}

func (r repository) commit(t *testing.T) {
	t.Helper()
	r.run(t, "git", "add", "--all")
	r.run(t, "git", "commit", "-q", "--allow-empty", "-m", "a commit to release")
}

// run returns what a command in the repository prints; it has to succeed.
func (r repository) run(t *testing.T, name string, args ...string) string {
	t.Helper()
	return output(t, r.dir, nil, name, args...)
}

// refused returns what the script complains of.
func (r repository) refused(t *testing.T, args ...string) string {
	t.Helper()
	out, err := command(t, r.dir, nil, "release/release", args...).CombinedOutput()
	if err == nil {
		t.Fatalf("release %s was not refused:\n%s", strings.Join(args, " "), out)
	}
	return string(out)
}

func (r repository) tags(t *testing.T) string {
	t.Helper()
	return r.run(t, "git", "for-each-ref", "--sort=creatordate", "--format=%(refname:short)", "refs/tags")
}

// command is a command with an identity for git, and with nothing of the git configuration of this
// machine.
func command(t *testing.T, dir string, env []string, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), name, args...)
	if strings.Contains(name, "/") && !filepath.IsAbs(name) {
		cmd.Path = filepath.Join(dir, name)
	}
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
		"GIT_AUTHOR_NAME=test", "GIT_AUTHOR_EMAIL=test@localhost", "GIT_COMMITTER_NAME=test", "GIT_COMMITTER_EMAIL=test@localhost")
	cmd.Env = append(cmd.Env, env...)
	return cmd
}

// output returns what a command prints to standard output; it has to succeed.
func output(t *testing.T, dir string, env []string, name string, args ...string) string {
	t.Helper()
	cmd := command(t, dir, env, name, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out, stderr.String())
	}
	return string(out)
}
