//go:build release

package release

import (
	"archive/tar"
	"compress/gzip"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

const builtVersion = "v0.3.0"

// distribution builds a release of a copy of this repository for the platform of this machine, and
// returns the copy.
func distribution(t *testing.T) repository {
	t.Helper()
	r := newRepository(t)
	r.run(t, "release/release", "prepare", builtVersion)
	r.commit(t)
	r.run(t, "git", "tag", builtVersion)
	r.buildRelease(t)
	return r
}

// buildRelease returns what release/release build says.
func (r repository) buildRelease(t *testing.T, env ...string) string {
	t.Helper()
	return output(t, r.dir, env, "sh", "-c", `umask "${UMASK:-022}" && exec "$@"`, "sh", "release/release", "build", "-platforms", "linux/"+runtime.GOARCH)
}

// otherUser is the environment of somebody who has another zone, language and umask, and has
// written other settings for the go command.
func otherUser(t *testing.T) []string {
	t.Helper()
	written := filepath.Join(t.TempDir(), "env")
	if _, err := os.Stat(goEnv(t, "GOENV")); err == nil { // it may say from where modules come
		copyFile(t, goEnv(t, "GOENV"), written)
	}
	env := []string{"GOENV=" + written, "GOFLAGS=", "TZ=Asia/Kathmandu", "LC_ALL=tr_TR.UTF-8", "UMASK=077"}
	output(t, t.TempDir(), env, "go", "env", "-w", "GOFLAGS=-tags=another -buildvcs=false")
	return env
}

// archive is the path of the archive for this machine.
func (r repository) archive() string {
	return filepath.Join(r.dir, "dist", "probity_"+strings.TrimPrefix(builtVersion, "v")+"_linux_"+runtime.GOARCH+".tar.gz")
}

func TestBuild(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the release is built for Linux here")
	}
	r := distribution(t)
	unpacked := unpackGz(t, r.archive(), "probity-"+strings.TrimPrefix(builtVersion, "v")+"/")
	program := filepath.Join(unpacked, "probity")

	t.Run("version", func(t *testing.T) {
		head := strings.Fields(r.run(t, "git", "log", "-1", "--format=%H %cs"))
		want := "probity  " + builtVersion + "\ncommit   " + head[0] + "\ndate     " + head[1]
		if got := output(t, unpacked, nil, program, "version"); !strings.HasPrefix(got, want) {
			t.Errorf("it prints\n%swant\n%s", got, want)
		}
	})
	t.Run("modules", func(t *testing.T) { checkModules(t, unpacked) })
	t.Run("shells and pages", func(t *testing.T) {
		for _, name := range []string{"LICENSE", "completions/probity.bash", "completions/_probity", "completions/probity.fish", "man/man1/probity.1", "man/man1/probity-run.1"} {
			if info, err := os.Stat(filepath.Join(unpacked, name)); err != nil || info.Size() < 500 {
				t.Errorf("the archive has no %s: %v, %v", name, info, err)
			}
		}
	})
	t.Run("site", func(t *testing.T) { checkSite(t, r) })
	t.Run("the same bytes", func(t *testing.T) {
		other := repository{filepath.Join(t.TempDir(), "elsewhere", "clone")}
		output(t, r.dir, nil, "git", "clone", "-q", r.dir, other.dir)
		if said := other.buildRelease(t, otherUser(t)...); !strings.Contains(said, "gh release create "+builtVersion) {
			t.Errorf("it says\n%s", said)
		}
		names := output(t, r.dir, nil, "ls", "dist")
		if got := output(t, other.dir, nil, "ls", "dist"); got != names || len(strings.Fields(names)) != 6 {
			t.Fatalf("one release has\n%sthe other\n%s", names, got)
		}
		for name := range strings.FieldsSeq(names) {
			output(t, r.dir, nil, "cmp", filepath.Join("dist", name), filepath.Join(other.dir, "dist", name))
		}
		output(t, filepath.Join(r.dir, "dist"), nil, "sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS")
	})
	t.Run("a changed checkout", func(t *testing.T) {
		r.append(t, "README.md", "\n")
		defer r.run(t, "git", "checkout", "-q", "README.md")
		if got := r.refused(t, "build", "-platforms", "linux/"+runtime.GOARCH); !strings.Contains(got, "the checkout has changes") {
			t.Errorf("it is refused with\n%s", got)
		}
	})
	t.Run("image", func(t *testing.T) { checkImage(t, r) })
	t.Run("RPM", func(t *testing.T) { checkRPM(t, r) })
	t.Run("Debian", func(t *testing.T) { checkDebian(t, r) })
}

// checkModules compares the modules that the program says it consists of with the licenses and the
// bill of materials beside it.
func checkModules(t *testing.T, unpacked string) {
	info, err := buildinfo.ReadFile(filepath.Join(unpacked, "probity"))
	if err != nil {
		t.Fatal(err)
	}
	var bill struct {
		BomFormat  string
		Components []struct{ Name, Version, Purl string }
	}
	data, err := os.ReadFile(filepath.Join(unpacked, "sbom.cdx.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &bill); err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, c := range bill.Components {
		listed[c.Purl] = c.Purl == "pkg:golang/"+c.Name+"@"+c.Version
	}
	want := []string{"std@" + info.GoVersion}
	for _, dependency := range info.Deps {
		want = append(want, dependency.Path+"@"+dependency.Version)
	}
	if len(want) < 20 || len(bill.Components) != len(want) {
		t.Errorf("the program has %d modules, the bill of materials %d", len(want), len(bill.Components))
	}
	for _, m := range want {
		if !listed["pkg:golang/"+m] {
			t.Errorf("the bill of materials has no %s", m)
		}
		path, _, _ := strings.Cut(m, "@")
		texts, err := filepath.Glob(filepath.Join(unpacked, "licenses", path, "*"))
		if err != nil || len(texts) == 0 {
			t.Errorf("the archive has no license of %s: %v", m, err)
		}
	}
}

// checkSite looks for what a host has to have of the documentation and the playground.
func checkSite(t *testing.T, r repository) {
	name := "probity-" + strings.TrimPrefix(builtVersion, "v") + "-site"
	unpacked := unpackGz(t, filepath.Join(r.dir, "dist", name+".tar.gz"), name+"/")
	for _, name := range []string{"index.html", "docs/how-to/install.html", "search-index.js", "playground/index.html", "playground/probity.wasm.gz", "playground/probity.wasm.js", "playground/licenses.txt"} {
		if info, err := os.Stat(filepath.Join(unpacked, name)); err != nil || info.Size() < 500 {
			t.Errorf("the site has no %s: %v, %v", name, info, err)
		}
	}
}

// checkImage unpacks the image as COPY --from does, and lets the program in it answer the exec
// probes of a Pod.
func checkImage(t *testing.T, r repository) {
	layout := unpack(t, open(t, filepath.Join(r.dir, "dist", "probity_"+strings.TrimPrefix(builtVersion, "v")+"_oci.tar")), "")
	type descriptor struct {
		Digest   string
		Platform struct{ OS, Architecture string }
	}
	var index, images struct{ Manifests []descriptor }
	var manifest struct {
		Config descriptor
		Layers []descriptor
	}
	var config struct{ Config struct{ User string } }
	blob := func(d descriptor) string { return filepath.Join("blobs", strings.Replace(d.Digest, ":", "/", 1)) }
	read(t, layout, "index.json", &index)
	read(t, layout, blob(index.Manifests[0]), &images)
	read(t, layout, blob(images.Manifests[0]), &manifest)
	read(t, layout, blob(manifest.Config), &config)
	if config.Config.User != "65532:65532" {
		t.Errorf("the image runs as %q", config.Config.User)
	}
	helper := filepath.Join(unpackGz(t, filepath.Join(layout, blob(manifest.Layers[0])), ""), "probity")
	dir := t.TempDir()
	pod := `apiVersion: v1
kind: Pod
metadata: {name: worker}
spec:
  containers:
    - name: worker
      image: worker
      command: [sh, -c, "while touch beat; do sleep 0.2; done"]
      readinessProbe: {exec: {command: [HELPER, probe, heartbeat, beat, --max-age, 60s]}, periodSeconds: 1}
      livenessProbe: {exec: {command: [HELPER, probe, exec, --, test, -e, beat]}, initialDelaySeconds: 2}
`
	if err := os.WriteFile(filepath.Join(dir, "pod.yaml"), []byte(strings.ReplaceAll(pod, "HELPER", helper)), 0o644); err != nil {
		t.Fatal(err)
	}
	output(t, dir, nil, helper, "run", "--state-dir", filepath.Join(dir, "state"), "pod.yaml", "--", helper, "version")
}

// read decodes a file of JSON.
func read(t *testing.T, dir, name string, into any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

func open(t *testing.T, path string) io.Reader {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() }) // it was read only
	return file
}

// unpackGz unpacks a compressed archive, of which all names begin with a folder.
func unpackGz(t *testing.T, path, folder string) string {
	t.Helper()
	plain, err := gzip.NewReader(open(t, path))
	if err != nil {
		t.Fatal(err)
	}
	return unpack(t, plain, folder)
}

// unpack unpacks an archive of files into a folder that the test removes.
func unpack(t *testing.T, archive io.Reader, folder string) string {
	t.Helper()
	dir := t.TempDir()
	for in := tar.NewReader(archive); ; {
		header, err := in.Next()
		if errors.Is(err, io.EOF) {
			return dir
		}
		if err != nil {
			t.Fatal(err)
		}
		name, inside := strings.CutPrefix(header.Name, folder)
		if !inside || !filepath.IsLocal(name) {
			t.Fatalf("the archive has %s", header.Name)
		}
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, header.FileInfo().Mode()); err != nil {
			t.Fatal(err)
		}
	}
}
