package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// folderOf is a folder with files.
func folderOf(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func list(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

// TestFolder: an older release gives way to a new one, and nothing else does.
func TestFolder(t *testing.T) {
	const sums = "0123  a.tar.gz\n4567  ../outside\n"
	for name, tt := range map[string]struct {
		files   map[string]string
		refused string
	}{
		"empty":                    {nil, ""},
		"an older release":         {map[string]string{"a.tar.gz": "", sumsName: sums}, ""},
		"a part of it":             {map[string]string{sumsName: sums}, ""},
		"something else":           {map[string]string{"mine": ""}, "is not empty"},
		"something else beside it": {map[string]string{"a.tar.gz": "", sumsName: sums, "mine": ""}, "has mine"},
	} {
		t.Run(name, func(t *testing.T) {
			out := folderOf(t, tt.files)
			before := list(t, out)
			folder, err := newFolder(out)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(folder, "new"), nil, 0o644); err != nil {
				t.Fatal(err)
			}
			err = replaceFolder(out, folder)
			if tt.refused == "" {
				if got := list(t, out); err != nil || !slices.Equal(got, []string{"new"}) {
					t.Errorf("the folder has %v, %v", got, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.refused) {
				t.Errorf("it is refused with %v, want %q", err, tt.refused)
			}
			if got := list(t, out); !slices.Equal(got, before) {
				t.Errorf("of %v there is left %v", before, got)
			}
		})
	}
}

// TestFolderThatIsNotThere: it is made, with those above it.
func TestFolderThatIsNotThere(t *testing.T) {
	out := filepath.Join(t.TempDir(), "build", "dist")
	folder, err := newFolder(out)
	if err != nil {
		t.Fatal(err)
	}
	if err := replaceFolder(out, folder); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(out); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("it is %v, %v", info, err)
	}
}

// TestRefusedRelease: what is refused while it is made leaves the older release, and nothing beside
// it.
func TestRefusedRelease(t *testing.T) {
	r := fixture(t)
	r.out = folderOf(t, map[string]string{"a.tar.gz": "", sumsName: "0123  a.tar.gz\n"})
	r.root = t.TempDir() // which has no manual
	p := program{platform: platform{"linux", "amd64"}, path: "/bin/true", build: r.build}
	if err := r.assemble(t.Context(), []program{p}); err == nil {
		t.Error("a release without a manual is made")
	}
	if got := list(t, r.out); !slices.Equal(got, []string{sumsName, "a.tar.gz"}) {
		t.Errorf("there is left %v", got)
	}
	if beside, err := filepath.Glob(r.out + ".*"); err != nil || len(beside) > 0 {
		t.Errorf("beside it there is %v, %v", beside, err)
	}
}
