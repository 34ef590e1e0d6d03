package ownfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// folder opens a new folder.
func folder(t *testing.T) *os.Root {
	t.Helper()
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := root.Close(); err != nil {
			t.Error(err)
		}
	})
	return root
}

// TestRead: only a plain file of this user's own is read, and one that is refused stays as it is.
func TestRead(t *testing.T) {
	for name, test := range map[string]struct {
		make   func(path string) error
		denied fs.FileMode
		error  string // part of it; "" if the file is read
	}{
		"one's own":              {write(0o600), Private, ""},
		"even more closed":       {write(0o400), Private, ""},
		"others may read it":     {write(0o640), Private, "can be read by others (mode 0640): chmod 600"},
		"everybody may read it":  {write(0o604), Private, "can be read by others (mode 0604): chmod 600"},
		"which does not matter":  {write(0o644), Unwritable, ""},
		"others may write to it": {write(0o620), Unwritable, "can be written to by others (mode 0620)"},
		"anybody may":            {write(0o666), Private, "can be written to by others (mode 0666)"},
		"a symbolic link": {func(path string) error {
			return errors.Join(write(0o600)(path+".real"), os.Symlink(filepath.Base(path)+".real", path))
		}, Private, "is a symbolic link, which is not followed"},
		"a link to nothing": {func(path string) error { return os.Symlink("nothing", path) }, Private, "is a symbolic link"},
		"a folder":          {func(path string) error { return os.Mkdir(path, 0o700) }, Private, "is not a regular file"},
		"a pipe":            {func(path string) error { return syscall.Mkfifo(path, 0o600) }, Private, "is not a regular file"},
		"too long": {func(path string) error {
			return errors.Join(write(0o600)(path), os.Truncate(path, maxSize+1))
		}, Private, "is longer than 4194304 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			root := folder(t)
			path := filepath.Join(root.Name(), "token")
			if err := test.make(path); err != nil {
				t.Fatal(err)
			}
			data, err := Read(root, "token", test.denied)
			if test.error == "" {
				if err != nil || string(data) != "secret" {
					t.Errorf("Read = %q, %v, want secret", data, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.error) || !strings.Contains(err.Error(), path) {
				t.Errorf("error %v, want %q and the path", err, test.error)
			}
		})
	}
}

// write returns a function that makes a file with that mode, whatever the umask.
func write(mode fs.FileMode) func(path string) error {
	return func(path string) error {
		return errors.Join(os.WriteFile(path, []byte("secret"), 0o600), os.Chmod(path, mode))
	}
}

func TestReadNothing(t *testing.T) {
	if _, err := Read(folder(t), "token", Private); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want one for no such file", err)
	}
}

func TestReadStaysInFolder(t *testing.T) {
	root := folder(t)
	for _, name := range []string{"..", "../token", "/etc/passwd", "a/b", "."} {
		if data, err := Read(root, name, Unwritable); err == nil {
			t.Errorf("Read(%q) = %q", name, data)
		}
	}
}

// TestReadOfAnother needs root, who alone can give files away.
func TestReadOfAnother(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a file away")
	}
	root := folder(t)
	path := filepath.Join(root.Name(), "token")
	if err := errors.Join(write(0o600)(path), os.Chown(path, 4711, -1)); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(root, "token", Private); err == nil || !strings.Contains(err.Error(), "belongs to another user (id 4711)") {
		t.Errorf("error %v, want one that names the owner", err)
	}
}

// TestWrite: whatever was at the name is replaced and not followed, and nothing else is left.
func TestWrite(t *testing.T) {
	for name, prepare := range map[string]func(dir string) error{
		"nothing there":     func(string) error { return nil },
		"an old one":        func(dir string) error { return write(0o644)(filepath.Join(dir, "token")) },
		"a link":            func(dir string) error { return os.Symlink("victim", filepath.Join(dir, "token")) },
		"a link on the way": func(dir string) error { return os.Symlink("victim", filepath.Join(dir, ".token.probity-new")) },
		"left by a killed one": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, ".token.probity-new"), []byte("half"), 0o644)
		},
	} {
		t.Run(name, func(t *testing.T) {
			root := folder(t)
			victim := filepath.Join(root.Name(), "victim")
			if err := errors.Join(os.WriteFile(victim, []byte("precious"), 0o600), prepare(root.Name())); err != nil {
				t.Fatal(err)
			}
			for _, write := range []func(*os.Root, string, []byte) error{Write, WriteDurable} {
				if err := write(root, "token", []byte("new")); err != nil {
					t.Fatal(err)
				}
			}
			if data, err := Read(root, "token", Private); err != nil || string(data) != "new" {
				t.Errorf("Read = %q, %v, want new", data, err)
			}
			if data, err := os.ReadFile(victim); err != nil || string(data) != "precious" {
				t.Errorf("the file that was linked to has %q, %v", data, err)
			}
			if diff := cmp.Diff([]string{"token", "victim"}, names(t, root.Name())); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
		})
	}
}

// TestWriteFails: where the file cannot be put in its place, nothing is left beside it.
func TestWriteFails(t *testing.T) {
	root := folder(t)
	if err := os.Mkdir(filepath.Join(root.Name(), "token"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Write(root, "token", nil); err == nil {
		t.Error("a folder was replaced")
	}
	if diff := cmp.Diff([]string{"token"}, names(t, root.Name())); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func names(t *testing.T, dir string) (names []string) {
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

// TestTooLong: what could not be read again is not written, and what is there stays.
func TestTooLong(t *testing.T) {
	root := folder(t)
	if err := Write(root, "f", []byte("before")); err != nil {
		t.Fatal(err)
	}
	for name, write := range map[string]func(*os.Root, string, []byte) error{"Write": Write, "WriteDurable": WriteDurable} {
		if err := write(root, "f", make([]byte, maxSize+1)); err == nil || !strings.Contains(err.Error(), "f would be longer than 4194304 bytes") {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if data, err := Read(root, "f", Private); err != nil || string(data) != "before" {
		t.Errorf("read %d bytes, error %v", len(data), err)
	}
	if err := Write(root, "f", make([]byte, maxSize)); err != nil {
		t.Error(err)
	}
	if data, err := Read(root, "f", Private); err != nil || len(data) != maxSize {
		t.Errorf("read %d bytes, error %v", len(data), err)
	}
}
