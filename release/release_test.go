package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/probity-run/probity/internal/gobuild"
)

// fixture is a release in folders of its own, of programs that are not compiled.
func fixture(t *testing.T) *release {
	t.Helper()
	b := build{version: "v1.2.3", commit: "f8c703a0", time: time.Date(2026, 11, 29, 0, 43, 13, 0, time.UTC), golang: "go1.26.0"}
	out := t.TempDir()
	return &release{root: "..", out: out, filling: out, work: t.TempDir(), build: b}
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
	site := r.write(siteName(r.plainVersion()), 0o644, []byte("site"))
	if err := errors.Join(site, r.writeImage(roots), r.writeRecipes(), r.writeSums()); err != nil {
		t.Fatal(err)
	}
}

func TestSameBytes(t *testing.T) {
	one, two := fixture(t), fixture(t)
	packFixture(t, one)
	packFixture(t, two)
	if !slices.Equal(one.made, two.made) || len(one.made) != 16 {
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
	}
}

// TestUpload: the release on GitHub gets what SHA256SUMS names, recipes too, which people take from
// there; and SHA256SUMS.
func TestUpload(t *testing.T) {
	r := fixture(t)
	packFixture(t, r)
	sums, err := os.ReadFile(filepath.Join(r.out, sumsName))
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for line := range strings.Lines(string(sums)) {
		want = append(want, strings.Fields(line)[1])
	}
	want = append(want, sumsName)
	var got []string
	_, command, _ := strings.Cut(r.instructions(), "gh release create ")
	command, _, _ = strings.Cut(strings.ReplaceAll(command, "\\\n", ""), "\n")
	for _, name := range strings.Fields(command)[1:] {
		if !strings.HasPrefix(name, "-") {
			got = append(got, filepath.Base(name))
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("uploaded are\n%q\nwant\n%q", got, want)
	}
}

// TestInstructedPaths: what the instructions name is there, for who stands in the repository.
func TestInstructedPaths(t *testing.T) {
	r := fixture(t)
	packFixture(t, r)
	for _, tt := range []struct{ root, out, want string }{
		{"/repository", "/repository/dist", "dist/"},
		{"/repository", "/repository/build/dist", "build/dist/"},
		{"/repository", "/elsewhere/dist", "/elsewhere/dist/"},
	} {
		r.root, r.out = tt.root, tt.out
		for _, want := range []string{"    " + tt.want + sumsName, "oci-archive:" + tt.want, "Homebrew: " + tt.want + formulaName, "what " + tt.want + siteName("1.2.3") + " unpacks to any static host"} {
			if said := r.instructions(); !strings.Contains(said, want) {
				t.Errorf("%s in %s: no %q in\n%s", tt.out, tt.root, want, said)
			}
		}
	}
}

// TestNames: files have names that GitHub leaves as they are, also those of a pre-release.
func TestNames(t *testing.T) {
	r := fixture(t)
	r.version += "-rc.1"
	packFixture(t, r)
	kept := regexp.MustCompile(`^[A-Za-z0-9._-]+$`)
	for _, m := range r.made {
		if !kept.MatchString(m.name) {
			t.Errorf("GitHub would call %s something else", m.name)
		}
	}
	const deb = "probity_1.2.3.rc.1-1_amd64.deb"
	if !slices.ContainsFunc(r.made, func(m made) bool { return m.name == deb }) {
		t.Fatalf("there is no %s among %v", deb, r.made)
	}
	if _, err := exec.LookPath("dpkg-deb"); err != nil {
		t.Skip("NOT TESTED: the version in the package, as there is no dpkg-deb")
	}
	version, err := exec.CommandContext(t.Context(), "dpkg-deb", "-f", filepath.Join(r.out, deb), "Version").Output()
	if err != nil || string(version) != "1.2.3~rc.1-1\n" {
		t.Errorf("the version in it is %q, %v: a pre-release comes before its release", version, err)
	}
}

// TestPrerelease: the one-line install and the package managers go on with what was released
// before.
func TestPrerelease(t *testing.T) {
	r := fixture(t)
	packFixture(t, r)
	if said := r.instructions(); strings.Contains(said, "--prerelease") || !strings.Contains(said, "Homebrew") {
		t.Errorf("of a release it says\n%s", said)
	}
	r.version += "-rc.1"
	if said := r.instructions(); !strings.Contains(said, r.version+" --verify-tag --prerelease") || strings.Contains(said, "Homebrew") {
		t.Errorf("of a pre-release it says\n%s", said)
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
	checkBill(t, bill)
}

// checkBill holds a bill of materials against the schema of CycloneDX, of which SPDX' list of
// licenses is a part. The module that writes bills has the schema for its own tests.
func checkBill(t *testing.T, bill []byte) {
	t.Helper()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/CycloneDX/cyclonedx-go").Output()
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	for _, name := range []string{"bom-1.6.schema.json", "spdx.schema.json", "jsf-0.82.schemax.json"} {
		schema := readJSON(t, filepath.Join(strings.TrimSpace(string(dir)), "schema", name))
		id, _ := schema.(map[string]any)["$id"].(string)
		if err := compiler.AddResource(id, schema); err != nil {
			t.Fatal(err)
		}
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(bill))
	if err != nil {
		t.Fatal(err)
	}
	id, _ := document.(map[string]any)["$schema"].(string)
	schema, err := compiler.Compile(id)
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(document); err != nil {
		t.Errorf("the bill of materials is not valid: %v", err)
	}
}

func readJSON(t *testing.T, name string) any {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func TestOwnFolders(t *testing.T) {
	got := ownFolders([]file{{name: "usr/bin/probity"}, {name: docFolder + "/copyright"}, {name: docFolder + "/licenses/a/LICENSE"}, {name: docFolder + "/licenses/b/LICENSE"}})
	if want := []string{docFolder, docFolder + "/licenses", docFolder + "/licenses/a", docFolder + "/licenses/b"}; !slices.Equal(got, want) {
		t.Errorf("they are %q", got)
	}
}

// TestLinked: a module that is linked and not listed stops a release, and so does one of another
// version.
func TestLinked(t *testing.T) {
	p := program{linked: []string{"example.com/a@v1.0.0", "example.com/b@v1.2.0"}}
	a, b := module{path: "example.com/a", version: "v1.0.0"}, module{path: "example.com/b", version: "v1.2.0"}
	if err := checkLinked(p, []module{b, {path: standardLibrary, version: "go1.26.0"}, a}); err != nil {
		t.Error(err)
	}
	for _, wrong := range [][]module{nil, {a}, {a, {path: "example.com/b", version: "v1.3.0"}}, {a, b, {path: "example.com/c"}}} {
		if err := checkLinked(p, wrong); err == nil {
			t.Errorf("%v passes", wrong)
		}
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
	for name, text := range map[string][]byte{"LICENSE": []byte("all rights reserved"), "NOTICE.txt": license, "PATENTS": license} {
		if _, err := withLicenses(gobuild.Module{Path: "example.com/a", Licenses: map[string][]byte{name: text}}); err == nil {
			t.Errorf("a module that has nothing but this %s is released", name)
		}
	}
}
