package ci

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// hook is one of .pre-commit-hooks.yaml.
type hook struct {
	ID, Language, Entry string
	Args                []string
	PassFilenames       *bool `yaml:"pass_filenames"`
}

// TestPreCommit: pre-commit itself takes the hooks from this repository, and holds up a commit that
// has a finding.
func TestPreCommit(t *testing.T) {
	if _, err := exec.LookPath("pre-commit"); err != nil {
		t.Skip("pre-commit is not installed")
	}
	for _, id := range []string{"probity-check-system", "probity-check"} {
		t.Run(id, func(t *testing.T) {
			g, source := newCheckout(t), snapshot(t)
			if id == "probity-check-system" {
				g.env = append(g.env, "PATH="+built+string(os.PathListSeparator)+os.Getenv("PATH"))
			}
			g.write(t, ".pre-commit-config.yaml", "repos:\n- repo: "+source.dir+"\n  rev: "+strings.TrimSpace(source.must(t, "git", "rev-parse", "HEAD"))+"\n  hooks: [{id: "+id+"}]\n")
			g.must(t, "pre-commit", "install")
			g.write(t, "deploy/app.yaml", wasteful)
			g.must(t, "git", "add", ".")
			if out, err := g.run(t, "git", "commit", "-q", "-m", "one"); err != nil || !strings.Contains(out, "Passed") {
				t.Fatalf("%v\n%s", err, out)
			}
			g.write(t, "deploy/app.yaml", fragile)
			g.must(t, "git", "add", ".")
			out, err := g.run(t, "git", "commit", "-q", "-m", "two")
			if err == nil || !strings.Contains(out, "deploy/app.yaml:8:") || !strings.Contains(out, "Failed") || !strings.Contains(out, "exit code: 1") {
				t.Fatalf("%v\n%s", err, out)
			}
			if subject := g.must(t, "git", "log", "-1", "--format=%s"); subject != "one\n" {
				t.Errorf("the last commit is %q", subject)
			}
			g.must(t, "git", "reset", "-q", "--hard")
			g.write(t, "README.md", "x\n")
			g.must(t, "git", "add", ".")
			if out, err := g.run(t, "git", "commit", "-q", "-m", "three"); err != nil || !strings.Contains(out, "Skipped") {
				t.Errorf("no manifest has changed: %v\n%s", err, out)
			}
		})
	}
}

// TestHooks: the how-to names a hook that there is, and hooks check folders.
func TestHooks(t *testing.T) {
	data, err := os.ReadFile("../../.pre-commit-hooks.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var hooks []hook
	if err := yaml.Unmarshal(data, &hooks); err != nil {
		t.Fatal(err)
	}
	shown := block(t, "yaml", "hooks:")
	found := false
	for _, h := range hooks {
		found = found || strings.Contains(shown, "- id: "+h.ID+"\n")
		if h.Entry != "probity check" || h.PassFilenames == nil || *h.PassFilenames || len(h.Args) != 1 {
			t.Errorf("the hook %+v", h)
		}
	}
	if !found {
		t.Errorf("no hook is of the how-to:\n%s", shown)
	}
}

// checkout is a repository of git, with an environment of its own.
type checkout struct {
	dir string
	env []string
}

func newCheckout(t *testing.T) *checkout {
	t.Helper()
	home := t.TempDir()
	g := &checkout{dir: t.TempDir(), env: append(os.Environ(),
		"HOME="+home, "PRE_COMMIT_HOME="+filepath.Join(home, "pre-commit"),
		"GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com",
		// what is there need be neither fetched nor built anew
		"GOFLAGS=-trimpath", "GOWORK=", "CGO_ENABLED=0", "GOMODCACHE="+goEnv(t, "GOMODCACHE"), "GOCACHE="+goEnv(t, "GOCACHE"), "GOPROXY="+goEnv(t, "GOPROXY"))}
	g.must(t, "git", "init", "-q")
	return g
}

func goEnv(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

func (g *checkout) run(t *testing.T, program string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir, cmd.Env = g.dir, g.env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (g *checkout) must(t *testing.T, program string, args ...string) string {
	t.Helper()
	out, err := g.run(t, program, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out)
	}
	return out
}

func (g *checkout) write(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join(g.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// snapshot is a repository with one commit: the files of this one, as they are now.
func snapshot(t *testing.T) *checkout {
	t.Helper()
	g := newCheckout(t)
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "bash", "-o", "pipefail", "-c", `git -C "$0" ls-files -z --cached --others --exclude-standard | tar -C "$0" --null --ignore-failed-read -T - -c | tar -x`, root)
	cmd.Dir = g.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	g.must(t, "git", "add", "--all")
	g.must(t, "git", "commit", "-q", "-m", "this commit")
	return g
}
