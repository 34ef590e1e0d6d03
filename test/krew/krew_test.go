package krew

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"text/template"
)

const manifest = "../../release/recipes/probity.yaml"

// recipe is what a release gives to the template: see the fields of recipe in release/.
type recipe struct {
	Version, Tag, Homepage string
	sha256                 string
}

// URL is the address of the archive of a platform, such as linux_amd64.
func (r recipe) URL(platform string) string {
	return r.Homepage + "/releases/download/" + r.Tag + "/probity_" + r.Version + "_" + platform + ".tar.gz"
}

// SHA256 is the checksum of that archive. Here all platforms have the same one.
func (r recipe) SHA256(string) string { return r.sha256 }

// filled writes the manifest of a release whose archives have a checksum.
func filled(t *testing.T, sum string, change func(text string) string) (path string) {
	t.Helper()
	source, err := os.ReadFile(manifest)
	if err != nil {
		t.Fatal(err)
	}
	plugin, err := template.New("plugin").Delims("<<", ">>").Option("missingkey=error").Parse(string(source))
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := plugin.Execute(&text, recipe{"1.2.3", "v1.2.3", "https://github.com/probity-run/probity", sum}); err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "probity.yaml") // krew wants the name of the plugin
	if err := os.WriteFile(path, []byte(change(text.String())), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func asItIs(text string) string { return text }

// built builds a program, of this module or of the repository's.
func built(t *testing.T, dir, pkg string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), filepath.Base(pkg))
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, pkg)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build %s: %v\n%s", pkg, err, out)
	}
	return path
}

// TestManifest: krew's own checker has nothing against the manifest, and finds what is wrong.
func TestManifest(t *testing.T) {
	checker := built(t, ".", "sigs.k8s.io/krew/cmd/validate-krew-manifest")
	sum := strings.Repeat("0123456789abcdef", 4)
	for name, tt := range map[string]struct {
		change func(string) string
		valid  bool
	}{
		"as it is":         {asItIs, true},
		"no version":       {func(s string) string { return strings.Replace(s, "version: v1.2.3", "version: latest", 1) }, false},
		"no checksum":      {func(s string) string { return strings.Replace(s, sum, "", 1) }, false},
		"a wrong field":    {func(s string) string { return strings.Replace(s, "shortDescription:", "summary:", 1) }, false},
		"a platform twice": {func(s string) string { return strings.Replace(s, "os: darwin", "os: linux", 1) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := exec.CommandContext(t.Context(), checker, "-manifest", filled(t, sum, tt.change), "-skip-install").CombinedOutput()
			if (err == nil) != tt.valid {
				t.Errorf("valid: %t, but krew says %v\n%s", tt.valid, err, out)
			}
		})
	}
}

// TestInstall: krew installs the plugin from a release's archive, refuses another one, and leaves
// nothing when it removes it.
func TestInstall(t *testing.T) {
	program := built(t, "../..", "./cmd/probity")
	archive, sum := archived(t, program)
	krew, root := built(t, ".", "sigs.k8s.io/krew/cmd/krew"), t.TempDir()
	// krew wants an index of plugins, although it takes none from there
	if err := os.MkdirAll(filepath.Join(root, "index", "default", ".git"), 0o755); err != nil {
		t.Fatal(err)
	}
	run := func(program string, args ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), program, args...)
		cmd.Dir = t.TempDir()
		cmd.Env = append(os.Environ(), "KREW_ROOT="+root, "KREW_NO_UPGRADE_CHECK=1")
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := run(krew, "install", "--manifest="+filled(t, strings.Repeat("0", 64), asItIs), "--archive="+archive); err == nil {
		t.Errorf("an archive with another checksum was installed:\n%s", out)
	}
	if out, err := run(krew, "install", "--manifest="+filled(t, sum, asItIs), "--archive="+archive); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	plugin := filepath.Join(root, "bin", "kubectl-probity")
	if out, err := run(plugin, "explain", "liveness-threshold-too-low"); err != nil || !strings.Contains(out, "liveness-threshold-too-low") {
		t.Errorf("explain: %v\n%s", err, out)
	}
	if out, err := run(plugin, "check", "--help"); err != nil || !strings.Contains(out, "kubectl probity check") {
		t.Errorf("check --help: %v\n%s", err, out)
	}
	if out, err := run(krew, "uninstall", "probity"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, left := range []string{plugin, filepath.Join(root, "store", "probity")} {
		if _, err := os.Lstat(left); err == nil {
			t.Errorf("%s is left", left)
		}
	}
}

// archived is an archive as a release makes it, of this platform, with what krew takes of it.
func archived(t *testing.T, program string) (path, sum string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("there is no release for Windows")
	}
	var archive bytes.Buffer
	compressed := gzip.NewWriter(&archive)
	files := tar.NewWriter(compressed)
	for name, source := range map[string]string{"probity": program, "LICENSE": "../../LICENSE"} {
		data, err := os.ReadFile(source)
		if err != nil {
			t.Fatal(err)
		}
		if err := files.WriteHeader(&tar.Header{Name: "probity-1.2.3/" + name, Mode: 0o755, Size: int64(len(data))}); err != nil {
			t.Fatal(err)
		}
		if _, err := files.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := files.Close(); err != nil {
		t.Fatal(err)
	}
	if err := compressed.Close(); err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "probity.tar.gz")
	if err := os.WriteFile(path, archive.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(archive.Bytes())
	return path, hex.EncodeToString(digest[:])
}
