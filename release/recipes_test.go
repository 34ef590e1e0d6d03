package main

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestRecipes: each names the archives with their checksums, and its language's checker, where one
// is installed, has nothing to say.
func TestRecipes(t *testing.T) {
	r := fixture(t)
	packFixture(t, r)
	for name, checks := range map[string][]string{
		installName:  {"dash -n", "bash -n", "shellcheck"},
		formulaName:  {"ruby -c"},
		nixName:      {"nix-instantiate --parse"},
		pkgbuildName: {"bash -n"},
		srcinfoName:  nil,
		krewName:     nil, // krew itself judges it in test/krew
	} {
		text, err := os.ReadFile(filepath.Join(r.out, name))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "<<") || !strings.Contains(string(text), "1.2.3") {
			t.Errorf("%s is not filled in:\n%s", name, text)
		}
		for _, m := range r.made {
			sum := hex.EncodeToString(m.sha256[:])
			if name == nixName {
				sum = "sha256-" + base64.StdEncoding.EncodeToString(m.sha256[:])
			}
			if strings.HasSuffix(m.name, ".tar.gz") && strings.Contains(string(text), m.name) && !strings.Contains(string(text), sum) {
				t.Errorf("%s has not the checksum of %s", name, m.name)
			}
		}
		for _, check := range checks {
			words := strings.Fields(check)
			if _, err := exec.LookPath(words[0]); err != nil {
				t.Logf("NOT TESTED: %s, as there is no %s", name, words[0])
				continue
			}
			if out, err := exec.CommandContext(t.Context(), words[0], append(words[1:], filepath.Join(r.out, name))...).CombinedOutput(); err != nil {
				t.Errorf("%s %s: %v\n%s", check, name, err, out)
			}
		}
	}
}

// TestSRCINFO compares what AUR is told of the package with what makepkg makes of it.
func TestSRCINFO(t *testing.T) {
	if _, err := exec.LookPath("makepkg"); err != nil || os.Getuid() != 0 {
		t.Skip("NOT TESTED: it takes makepkg, and root, which can become somebody else")
	}
	r := fixture(t)
	packFixture(t, r)
	dir, err := os.MkdirTemp("", "probity-makepkg-") // nobody can read t.TempDir
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	recipe, err := os.ReadFile(filepath.Join(r.out, pkgbuildName))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(filepath.Join(dir, pkgbuildName), recipe, 0o644), os.Chmod(dir, 0o777)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "env", "HOME="+dir, "PACMAN=true", "makepkg", "--printsrcinfo")
	cmd.Dir = dir
	got, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, got)
	}
	want, err := os.ReadFile(filepath.Join(r.out, srcinfoName))
	if err != nil {
		t.Fatal(err)
	}
	if strings.TrimSpace(string(got)) != strings.TrimSpace(string(want)) {
		t.Errorf("makepkg prints\n%s\n%s has\n%s", got, srcinfoName, want)
	}
}

// uninstallPiped uninstalls without a file, as the how-to has it.
func uninstallPiped(t *testing.T, script, prefix string) (string, error) {
	t.Helper()
	text, err := os.Open(script)
	if err != nil {
		t.Fatal(err)
	}
	defer text.Close() // only read from: nothing to lose
	cmd := exec.CommandContext(t.Context(), "sh", "-s", "--", "--uninstall")
	cmd.Stdin, cmd.Env = text, append(os.Environ(), "PREFIX="+prefix)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestInstallScript installs from a server on loopback, refuses what is not what was released, and
// leaves nothing behind.
func TestInstallScript(t *testing.T) {
	r := fixture(t)
	packFixture(t, r)
	server := httptest.NewServer(http.FileServer(http.Dir(r.out)))
	defer server.Close()
	here := t.TempDir()
	prefix := filepath.Join(here, "a folder", "prefix")
	as := prefix
	install := func(args ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), "sh", append([]string{filepath.Join(r.out, installName)}, args...)...)
		cmd.Dir, cmd.Env = here, append(os.Environ(), "PREFIX="+as, "PROBITY_DOWNLOADS="+server.URL)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	for _, as = range []string{prefix, "a folder/prefix"} { // the second time over the first, and by a relative path
		if out, err := install(); err != nil || !strings.Contains(out, "PATH does not have "+prefix) {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	out, err := exec.CommandContext(t.Context(), filepath.Join(prefix, "bin", "probity")).CombinedOutput()
	if err != nil || string(out) != runtime.GOOS+"/"+runtime.GOARCH+"\n" {
		t.Errorf("the program says %q, %v", out, err)
	}
	for _, name := range []string{"share/man/man1/probity-run.1", "share/doc/probity/licenses/example.com/a/LICENSE", "share/bash-completion/completions/probity"} {
		if _, err := os.Stat(filepath.Join(prefix, name)); err != nil {
			t.Error(err)
		}
	}
	if out, err := uninstallPiped(t, filepath.Join(r.out, installName), prefix); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if _, err := os.Stat(prefix); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something is left: %v", err)
	}

	archive := filepath.Join(r.out, archiveName("1.2.3", platform{runtime.GOOS, runtime.GOARCH}))
	data, err := os.ReadFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(archive, append(data, 0), 0o644); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{"": "is not what was released", "--help": "unknown argument --help", "--uninstall": "probity is not there"} {
		if out, err := install(strings.Fields(args)...); err == nil || !strings.Contains(out, want) {
			t.Errorf("%q: %v\n%s", args, err, out)
		}
	}
	if err := os.Remove(archive); err != nil {
		t.Fatal(err)
	}
	if out, err := install(); err == nil || !strings.Contains(out, "cannot download") {
		t.Errorf("%v\n%s", err, out)
	}
	if _, err := os.Stat(prefix); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something was installed: %v", err)
	}
}
