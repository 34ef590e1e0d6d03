package advisor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"testdata", "a/testdata", true}, {"testdata", "testdata", true}, {"testdata/", "a/testdata", true}, {"testdata", "a/testdata2", false},
		{"*.json", "a/b/c.json", true}, {"*.json", "c.yaml", false},
		{"a/b", "a/b", true}, {"./a/b", "a/b", true}, {"a/b", "x/a/b", false}, {"a/b", "a/b/c", false}, {"a/*", "a/b", true}, {"a/*", "a/b/c", false},
		{"**/b", "b", true}, {"**/b", "x/y/b", true}, {"a/**/b", "a/b", true}, {"a/**/b", "a/x/y/b", true}, {"a/**/b", "a/x/y/c", false},
		{"a/**", "a/x/y", true}, {"/a/b", "a/b", true}, {"a/b?", "a/bc", true}, {"a/[bc]", "a/b", true},
	} {
		if got := matches(c.pattern, c.name); got != c.want {
			t.Errorf("pattern %q, name %q: %v", c.pattern, c.name, got)
		}
	}
	for pattern, valid := range map[string]bool{"a": true, "**/*.json": true, "": false, "/": false, "[": false, "a/[": false} {
		if err := ValidPattern(pattern); (err == nil) != valid {
			t.Errorf("pattern %q: %v", pattern, err)
		}
	}
}

// A walk follows the link that it is given, and none that it finds.
func TestWalk(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"a/app.yaml", "a/app.txt", "a/.hidden/x.yaml", "a/.x.yaml", "a/vendor/x.yaml", "a/sub/node_modules/x.json", "a/templates/x.yaml", "a/chart/Chart.yaml", "a/chart/templates/x.yaml",
		"a/skip/x.yaml", "a/vendor.yaml", "b/x.txt"} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{"a/linked": "skip", "a/dangling.yaml": "nowhere", "a/loop.yaml": "loop.yaml", "a/link.yaml": "app.yaml", "root": "a"} {
		if err := os.Symlink(to, filepath.Join(root, link)); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(root)
	for _, folder := range []string{"a", "root", "./a/"} {
		b, err := walk(folder, []string{"skip"})
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, name := range b.names {
			relative, err := filepath.Rel(folder, name)
			if err != nil {
				t.Fatal(err)
			}
			got[relative] = ""
		}
		for _, p := range b.passedOver {
			relative, err := filepath.Rel(folder, p.File)
			if err != nil {
				t.Fatal(err)
			}
			got[relative] = p.Reason
		}
		want := map[string]string{"app.yaml": "", "link.yaml": "", "templates/x.yaml": "", "chart/Chart.yaml": "", "vendor.yaml": "",
			".hidden": "hidden", ".x.yaml": "hidden", "vendor": "vendored", "sub/node_modules": "vendored", "chart/templates": "templates of a Helm chart",
			"skip": "excluded", "dangling.yaml": "no regular file", "loop.yaml": "no regular file"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", folder, diff)
		}
	}
	if _, err := walk("b", nil); err == nil {
		t.Error("a folder without manifests is no error")
	}
}

// What cannot be read, here because its path is too long, does not keep the rest from being read.
func TestWalkUnreadable(t *testing.T) {
	root := t.TempDir()
	t.Chdir(root)
	name := strings.Repeat("a", 250)
	for range 20 {
		if err := os.Mkdir(name, 0o755); err != nil {
			t.Fatal(err)
		}
		t.Chdir(name)
	}
	t.Chdir(root)
	if err := os.WriteFile("z.yaml", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	b, err := walk(".", nil)
	if err == nil || !strings.HasSuffix(err.Error(), ": cannot read: file name too long") {
		t.Errorf("error %v, want one about the long name", err)
	}
	if diff := cmp.Diff([]string{"z.yaml"}, b.names); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

// A file is completed by the kustomization beside it, or by one above that names it as a patch.
func TestKustomizations(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		"base/kustomization.yaml":    "resources: [app.yaml]\n",
		"overlay/Kustomization":      "patches:\n- path: deep/patch.yaml\n- patch: '[]'\npatchesStrategicMerge: [other/merge.yaml]\n",
		"broken/kustomization.yml":   "patches: [\n",
		"inline/kustomization.yaml":  "patchesStrategicMerge:\n- |-\n  kind: Deployment\n",
		"overlay/deep/patch.yaml":    "",
		"overlay/deep/no-patch.yaml": "",
	} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	k := newKustomizations()
	for name, want := range map[string]bool{"base/app.yaml": true, "overlay/deep/patch.yaml": true, "overlay/deep/no-patch.yaml": false, "overlay/other/merge.yaml": true,
		"broken/x.yaml": true, "inline/x.yaml": true, "x.yaml": false} {
		isPiece, isPatch := k.completes(filepath.Join(root, name))
		if isPiece != want || isPatch != (name == "overlay/deep/patch.yaml" || name == "overlay/other/merge.yaml") {
			t.Errorf("%s: a piece: %v, a patch: %v", name, isPiece, isPatch)
		}
	}
	if isPiece, _ := k.completes(StdinName); isPiece {
		t.Error("standard input has a kustomization")
	}
}
