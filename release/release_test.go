package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// fixture is a release in folders of its own, of programs that are not compiled.
func fixture(t *testing.T) *release {
	t.Helper()
	b := build{version: "v1.2.3", commit: "f8c703a0", time: time.Date(2026, 11, 29, 0, 43, 13, 0, time.UTC), golang: "go1.26.0"}
	return &release{root: "..", out: t.TempDir(), work: t.TempDir(), build: b}
}

// packFixture packs a script in the place of the program for every platform.
func packFixture(t *testing.T, r *release) {
	t.Helper()
	var roots []rootFiles
	for _, p := range allPlatforms() {
		files := []file{
			{"LICENSE", 0o644, []byte("license")}, {bashCompletion, 0o644, []byte("bash")}, {fishCompletion, 0o644, []byte("fish")},
			{zshCompletion, 0o644, []byte("zsh")}, {"licenses/example.com/a/LICENSE", 0o644, []byte("a")},
			{manFolder + "/probity-run.1", 0o644, []byte("page of run")}, {manFolder + "/probity.1", 0o644, []byte("page")},
			{"probity", 0o755, []byte("#!/bin/sh\necho " + p.String() + "\n")}, {"sbom.cdx.json", 0o644, []byte("{}")},
		}
		archive, err := tarGz(files, "probity-"+r.plainVersion(), r.time)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.write(archiveName(r.plainVersion(), p), 0o644, archive); err != nil {
			t.Fatal(err)
		}
		if p.os == "linux" {
			if err := r.writePackages(program{platform: p, build: r.build}, files); err != nil {
				t.Fatal(err)
			}
			roots = append(roots, rootFiles{p, files})
		}
	}
	if err := errors.Join(r.writeImage(roots), r.writeRecipes(), r.writeSums()); err != nil {
		t.Fatal(err)
	}
}

func TestSameBytes(t *testing.T) {
	one, two := fixture(t), fixture(t)
	packFixture(t, one)
	packFixture(t, two)
	if !slices.Equal(one.made, two.made) || len(one.made) != 14 {
		t.Errorf("one release has\n%v\nthe other\n%v", one.made, two.made)
	}
	sums, err := os.ReadFile(filepath.Join(one.out, sumsName))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range one.made {
		data, err := os.ReadFile(filepath.Join(one.out, m.name))
		sum := sha256.Sum256(data)
		if err != nil || !strings.Contains(string(sums), hex.EncodeToString(sum[:])+"  "+m.name+"\n") {
			t.Errorf("%s has no line with the checksum of %s: %v", sumsName, m.name, err)
		}
		if !strings.Contains(one.instructions(), m.name) {
			t.Errorf("nothing is said of %s", m.name)
		}
	}
}

// TestImage reads the image as a registry would: by what refers to what.
func TestImage(t *testing.T) {
	r := fixture(t)
	packFixture(t, r)
	file, err := os.Open(filepath.Join(r.out, imageName("1.2.3")))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	blobs := untar(t, file)
	if string(blobs["oci-layout"]) == "" {
		t.Error("there is no oci-layout")
	}
	type descriptor struct {
		MediaType, Digest string
		Size              int
		Platform          struct{ OS, Architecture string }
		Annotations       map[string]string
	}
	get := func(d descriptor, into any) []byte {
		data := blobs["blobs/"+strings.Replace(d.Digest, ":", "/", 1)]
		sum := sha256.Sum256(data)
		if len(data) != d.Size || "sha256:"+hex.EncodeToString(sum[:]) != d.Digest {
			t.Errorf("%s is not what its name says", d.Digest)
		}
		if into != nil {
			if err := json.Unmarshal(data, into); err != nil {
				t.Fatal(err)
			}
		}
		return data
	}
	var index, images struct{ Manifests []descriptor }
	if err := json.Unmarshal(blobs["index.json"], &index); err != nil {
		t.Fatal(err)
	}
	if name := index.Manifests[0].Annotations["io.containerd.image.name"]; name != imageRepository+":1.2.3" {
		t.Errorf("the image is called %q", name)
	}
	get(index.Manifests[0], &images)
	var platforms []string
	for _, image := range images.Manifests {
		platforms = append(platforms, image.Platform.OS+"/"+image.Platform.Architecture)
		var manifest struct {
			Config descriptor
			Layers []descriptor
		}
		var config struct {
			OS, Architecture string
			Config           struct {
				User       string
				Entrypoint []string
			}
		}
		get(image, &manifest)
		get(manifest.Config, &config)
		get(manifest.Layers[0], nil)
		if config.OS+"/"+config.Architecture != platforms[len(platforms)-1] || config.Config.User != imageUser || !slices.Equal(config.Config.Entrypoint, []string{"/probity"}) {
			t.Errorf("the image for %s says %+v", platforms[len(platforms)-1], config)
		}
	}
	if !slices.Equal(platforms, []string{"linux/amd64", "linux/arm64"}) {
		t.Errorf("the image is for %v", platforms)
	}
}

func untar(t *testing.T, archive io.Reader) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for in := tar.NewReader(archive); ; {
		header, err := in.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if files[header.Name], err = io.ReadAll(in); err != nil {
			t.Fatal(err)
		}
	}
}

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

// TestInstallScript installs from a server on loopback, refuses what is not what was released, and
// leaves nothing behind.
func TestInstallScript(t *testing.T) {
	r := fixture(t)
	packFixture(t, r)
	server := httptest.NewServer(http.FileServer(http.Dir(r.out)))
	defer server.Close()
	prefix := filepath.Join(t.TempDir(), "a folder", "prefix")
	install := func(args ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), "sh", append([]string{filepath.Join(r.out, installName)}, args...)...)
		cmd.Env = append(os.Environ(), "PREFIX="+prefix, "PROBITY_DOWNLOADS="+server.URL)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	for range 2 { // the second time over the first
		if out, err := install(); err != nil || !strings.Contains(out, "PATH does not have") {
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
	if out, err := install("--uninstall"); err != nil {
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

func TestPrepareOut(t *testing.T) {
	out := filepath.Join(t.TempDir(), "dist")
	if err := prepareOut(out); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(out, "mine"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := prepareOut(out); err == nil || !strings.Contains(err.Error(), "is not empty") {
		t.Errorf("a folder with something in it: %v", err)
	}
	if err := os.WriteFile(filepath.Join(out, sumsName), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := prepareOut(out); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(out); err != nil || len(entries) != 0 {
		t.Errorf("the folder has %v, %v", entries, err)
	}
}

func TestParsePlatforms(t *testing.T) {
	got, err := parsePlatforms("darwin/arm64,linux/amd64")
	if err != nil || !slices.Equal(got, []platform{{"darwin", "arm64"}, {"linux", "amd64"}}) {
		t.Errorf("it is %v, %v", got, err)
	}
	if got, err := parsePlatforms(""); err != nil || !slices.Equal(got, allPlatforms()) {
		t.Errorf("all are %v, %v", got, err)
	}
	if _, err := parsePlatforms("windows/amd64"); err == nil {
		t.Error("there is a platform windows/amd64")
	}
}

// TestManual makes a page of each command, and mandoc, where there is one, can read them.
func TestManual(t *testing.T) {
	pages, err := manual("../docs/reference", fixture(t).build)
	if err != nil {
		t.Fatal(err)
	}
	if len(pages) < 30 {
		t.Errorf("there are %d pages", len(pages))
	}
	for _, page := range pages {
		for _, want := range []string{".SH NAME", ".SH OPTIONS", ".SH SEE ALSO", "Probity v1.2.3"} {
			if !bytes.Contains(page.data, []byte(want)) {
				t.Errorf("%s has no %s:\n%s", page.name, want, page.data)
			}
		}
		if bytes.Contains(page.data, []byte(".md")) && bytes.Contains(page.data, []byte("](")) {
			t.Errorf("%s has a link of Markdown", page.name)
		}
	}
	if _, err := exec.LookPath("mandoc"); err != nil {
		t.Skip("NOT TESTED: there is no mandoc")
	}
	for _, page := range pages {
		cmd := exec.CommandContext(t.Context(), "mandoc", "-T", "lint", "-W", "error")
		cmd.Stdin = bytes.NewReader(page.data)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", page.name, err, out)
		}
	}
}

// TestLicenses: what is linked into the program for a platform has licenses that are known.
func TestLicenses(t *testing.T) {
	r := fixture(t)
	modules, err := r.linkedModules(t.Context(), program{platform: platform{"darwin", "arm64"}, build: r.build})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range modules {
		t.Log(m.path, m.version, m.spdx, len(m.licenses))
		if len(m.licenses) == 0 || !strings.HasPrefix(m.licenses[0].name, "licenses/"+m.path+"/") || len(m.licenses[0].data) == 0 {
			t.Errorf("%s has the licenses %v", m.path, m.licenses)
		}
	}
	bill, err := billOfMaterials(program{platform: platform{"darwin", "arm64"}, build: r.build}, modules)
	if err != nil || !bytes.Contains(bill, []byte(`"pkg:golang/k8s.io/api@`)) {
		t.Errorf("the bill of materials is\n%s\n%v", bill, err)
	}
}

// TestIdentify: a text that is no license that is known stops a release.
func TestIdentify(t *testing.T) {
	license, err := os.ReadFile("../LICENSE")
	if err != nil {
		t.Fatal(err)
	}
	if got := identify([]file{{data: license}, {data: []byte("all rights reserved")}}); !slices.Equal(got, []string{"Apache-2.0"}) {
		t.Errorf("it is %v", got)
	}
	if _, err := sortModules(map[string]*module{"a": {path: "example.com/a", licenses: []file{{data: []byte("all rights reserved")}}}}); err == nil {
		t.Error("a module with a license that nobody knows is released")
	}
}
