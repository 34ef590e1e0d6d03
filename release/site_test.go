package main

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// sources are a repository whose site consists of its pages.
var sources = map[string]string{
	"go.mod":           "module example.com/probity\n\ngo 1.26.0\n",
	"go.work":          "go 1.26.0\n\nuse (\n\t.\n\t./docs/site\n)\n",
	"docs/site/go.mod": "module example.com/probity/docs/site\n\ngo 1.26.0\n",
	"docs/site/main.go": `package main

import "os"

func main() {
	if err := os.CopyFS(os.Args[1], os.DirFS("docs/pages")); err != nil {
		panic(err)
	}
}
`,
	"docs/pages/b.md":   "b\n",
	"docs/pages/a/a.md": "a\n",
	".gitignore":        "ignored.md\n",
}

// sourcesOf is a repository with a commit, and the commit.
func sourcesOf(t *testing.T) (root, commit string) {
	t.Helper()
	root = t.TempDir()
	for name, text := range sources {
		put(t, filepath.Join(root, name), text)
	}
	for _, args := range [][]string{{"init", "-q"}, {"add", "-A"}, {"-c", "user.name=test", "-c", "user.email=test@localhost", "commit", "-q", "-m", "pages"}, {"rev-parse", "HEAD"}} {
		out, err := exec.CommandContext(t.Context(), "git", append([]string{"-C", root}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		commit = strings.TrimSpace(string(out))
	}
	return root, commit
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
}

// TestSite: the site is that of the commit, whatever else lies in the checkout or has been changed
// there meanwhile, whatever git does with line ends here, and whatever system the environment is
// for. Its archive is in order, and of the time of the commit.
func TestSite(t *testing.T) {
	t.Setenv("GOOS", "plan9")
	t.Setenv("GOWORK", "off")
	r := fixture(t)
	r.root, r.commit = sourcesOf(t)
	for name, value := range map[string]string{"COUNT": "1", "KEY_0": "core.autocrlf", "VALUE_0": "true"} {
		t.Setenv("GIT_CONFIG_"+name, value)
	}
	put(t, filepath.Join(r.root, "docs/pages/ignored.md"), "mine")
	put(t, filepath.Join(r.root, "docs/pages/b.md"), "later")
	if err := r.writeSite(t.Context()); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(filepath.Join(r.out, "probity-1.2.3-site.tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() // only read from: nothing to lose
	plain, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for in := tar.NewReader(plain); ; {
		header, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		text, readErr := io.ReadAll(in)
		if err := errors.Join(err, readErr); err != nil {
			t.Fatal(err)
		}
		got = append(got, header.Name+": "+string(text))
		if !header.ModTime.Equal(r.time) || header.Mode != 0o644 || header.Uid != 0 || header.Uname != "" {
			t.Errorf("%s is of %v, %o, %d, %q", header.Name, header.ModTime, header.Mode, header.Uid, header.Uname)
		}
	}
	if want := []string{"probity-1.2.3-site/a/a.md: a\n", "probity-1.2.3-site/b.md: b\n"}; !slices.Equal(got, want) {
		t.Errorf("the archive has %q, want %q", got, want)
	}
}
