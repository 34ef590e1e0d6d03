package system

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tree makes files in a new folder: "a/" is a folder, "a" a file, "a -> b" a symbolic link.
func tree(t *testing.T, files ...string) string {
	t.Helper()
	dir := folder(t)
	for _, file := range files {
		name, target, isLink := strings.Cut(file, " -> ")
		path := filepath.Join(dir, name)
		err := os.MkdirAll(filepath.Dir(path), 0o700)
		switch {
		case isLink:
			err = errors.Join(err, os.Symlink(target, path))
		case strings.HasSuffix(name, "/"):
			err = errors.Join(err, os.MkdirAll(path, 0o700))
		default:
			err = errors.Join(err, os.WriteFile(path, nil, 0o600))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// list lists what is below a folder.
func list(t *testing.T, dir string) (paths []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		paths = append(paths, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

// use opens a state folder and closes it again.
func use(t *testing.T, dir string) error {
	t.Helper()
	s, err := openState(dir, nil)
	if err != nil {
		return err
	}
	return s.close()
}

// TestForeignDirIsNotEmptied: what is not Probity's own is refused, and nothing of it is touched.
func TestForeignDirIsNotEmptied(t *testing.T) {
	const uid = "0b3d6e36-6d3c-4d8e-a0a2-6a1a4a3b1c55"
	for name, files := range map[string][]string{
		"somebody's pods":                {"bin/", "pods/prod.yaml"},
		"a project":                      {"main.go"},
		"a hidden file":                  {".git/"},
		"only a lock":                    {"lock"},
		"a lock beside foreign programs": {"lock", "bin/probity -> /x", "bin/other", "pods/"},
		"a lock beside foreign pods":     {"lock", "bin/probity -> /x", "pods/prod.yaml"},
		"an old state and more":          {"lock", "bin/probity -> /x", "pods/default_web_" + uid + "/", "notes"},
		"a marker that is a link":        {"real", markerName + " -> real", "pods/prod.yaml"},
		"a marker that is a folder":      {markerName + "/", "pods/prod.yaml"},
		"a marker without its text":      {markerName, "pods/prod.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := tree(t, files...)
			before := list(t, dir)
			if err := use(t, dir); err == nil || !strings.Contains(err.Error(), "--state-dir") {
				t.Errorf("error %v, want one that names --state-dir", err)
			}
			if diff := cmp.Diff(before, list(t, dir)); diff != "" {
				t.Errorf("the folder was changed (-before +after):\n%s", diff)
			}
		})
	}
}

// TestOwnDirIsEmptied: a new folder, an empty one, one with the marker, and one of a Probity that
// had no marker yet.
func TestOwnDirIsEmptied(t *testing.T) {
	for name, files := range map[string][]string{
		"an empty one":      nil,
		"without a marker":  {"lock", oldSocket, "bin/probity -> /x", "pods/default_web_42/app/0.log"},
		"with nothing else": {"lock", "bin/probity -> /x", "pods/"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := tree(t, files...)
			if err := use(t, dir); err != nil {
				t.Fatal(err)
			}
			left := filepath.Join(dir, podsName, "left")
			if err := os.WriteFile(left, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := use(t, dir); err != nil {
				t.Errorf("the second time: %v", err)
			}
			if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("what the last run left is there: %v", err)
			}
		})
	}
	if err := use(t, filepath.Join(folder(t), "a", "new")); err != nil {
		t.Error(err)
	}
}

// TestDirOfOthersIsRefused: whoever can write to the folder decides what is run.
func TestDirOfOthersIsRefused(t *testing.T) {
	dir := folder(t)
	for mode, want := range map[os.FileMode]string{0o777: "written to by others", 0o775: "written to by others", 0o755: "", 0o700: ""} {
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		if err := use(t, dir); want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("mode %o: error %v, want %q", mode, err, want)
		}
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := use(t, filepath.Join(dir, "below")); err == nil || !strings.Contains(err.Error(), "replaced by anybody") {
		t.Errorf("below a folder of all: error %v", err)
	}
	if os.Geteuid() != 0 {
		t.Skip("only root can make a folder of another user")
	}
	other := folder(t)
	if err := os.Chown(other, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	if err := use(t, other); err == nil || !strings.Contains(err.Error(), "another user") {
		t.Errorf("a folder of another user: error %v", err)
	}
	below := filepath.Join(other, "below")
	if err := os.Mkdir(below, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := use(t, below); err == nil || !strings.Contains(err.Error(), "replaced by another user (id 65534)") {
		t.Errorf("below a folder of another user: error %v", err)
	}
}

// TestLockFollowsNoLink: a link in the place of the lock does not reach what it names.
func TestLockFollowsNoLink(t *testing.T) {
	target := filepath.Join(folder(t), "target")
	dir := tree(t, "lock -> "+target)
	if err := os.WriteFile(filepath.Join(dir, markerName), []byte(markerText), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := use(t, dir); err == nil {
		t.Error("a link was taken for the lock")
	}
	if _, err := os.Stat(target); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the link's target was made: %v", err)
	}
}

// TestLinksInTheFolder: a link to another file of the same folder is neither the lock, which would
// be tried for ever, nor the marker.
func TestLinksInTheFolder(t *testing.T) {
	for _, target := range []string{"other", "missing"} {
		dir := tree(t, "lock -> "+target)
		for name, text := range map[string]string{markerName: markerText, "other": "precious"} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := use(t, dir); err == nil || !strings.Contains(err.Error(), "lock in it is no plain file") {
			t.Errorf("with a lock that leads to %s: error %v", target, err)
		}
		if text, err := os.ReadFile(filepath.Join(dir, "other")); err != nil || string(text) != "precious" {
			t.Errorf("the other file is %q, %v", text, err)
		}
		if _, err := os.Stat(filepath.Join(dir, "missing")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the link's target was made: %v", err)
		}
	}
	dir := tree(t, markerName+" -> text", "precious/file")
	if err := os.WriteFile(filepath.Join(dir, "text"), []byte(markerText), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := use(t, dir); err == nil || !strings.Contains(err.Error(), "nothing of it is touched") {
		t.Errorf("with a marker that is a link: error %v", err)
	}
}

// TestOldMarker: the folder of an older version is known.
func TestOldMarker(t *testing.T) {
	dir := folder(t)
	if err := os.WriteFile(filepath.Join(dir, markerName), []byte(oldMarkerText), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := use(t, dir); err != nil {
		t.Error(err)
	}
}

// TestHomeOfAnother: root leaves nothing in the home of another user, as sudo may keep HOME.
func TestHomeOfAnother(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root has this problem")
	}
	home := folder(t)
	t.Setenv("HOME", home)
	t.Setenv("XDG_STATE_HOME", filepath.Join(home, "state"))
	own, err := stateHome()
	if err != nil || !strings.HasPrefix(own, home) {
		t.Errorf("root's own home: %s, %v", own, err)
	}
	if err := os.Chown(home, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	dir, err := stateHome()
	if err != nil || strings.HasPrefix(dir, home) {
		t.Errorf("the home of another user: %s, %v", dir, err)
	}
}

// TestManifestKey: a folder's name is no longer than a file system and a socket's path allow.
func TestManifestKey(t *testing.T) {
	long := manifestKey([]string{strings.Repeat("ü", 120) + ".yaml"})
	if len(long) > maxKeyName+9 || !strings.HasPrefix(long, "üü") {
		t.Errorf("got %s of %d bytes", long, len(long))
	}
	if a, b := manifestKey([]string{strings.Repeat("a", 60) + "1.yaml"}), manifestKey([]string{strings.Repeat("a", 60) + "2.yaml"}); a == b {
		t.Errorf("two manifests have one folder, %s", a)
	}
}
