package credentials

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestMergeKubeconfig(t *testing.T) {
	dir := t.TempDir()
	for name, test := range map[string]struct {
		path, before string
		mode         fs.FileMode // of before
	}{
		"no file":          {path: filepath.Join(dir, "new")},
		"no folder":        {path: filepath.Join(dir, "a", "b", "config")},
		"one's own":        {path: filepath.Join(dir, "own"), before: "apiVersion: v1\nkind: Config\n", mode: 0o600},
		"others may read":  {path: filepath.Join(dir, "open"), before: "apiVersion: v1\nkind: Config\nclusters:\nusers:\n", mode: 0o644},
		"an entry already": {path: filepath.Join(dir, "again"), before: ofProbity, mode: 0o600},
	} {
		t.Run(name, func(t *testing.T) {
			if test.before != "" {
				if err := errors.Join(os.WriteFile(test.path, []byte(test.before), test.mode), os.Chmod(test.path, test.mode)); err != nil {
					t.Fatal(err)
				}
			}
			if err := MergeKubeconfig(t.Context(), test.path, testEntry()); err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(test.path)
			if diff := cmp.Diff(ofProbity, string(got)); err != nil || diff != "" {
				t.Errorf("error %v (-want +got):\n%s", err, diff)
			}
			info, err := os.Stat(test.path)
			if err != nil || info.Mode() != 0o600 {
				t.Errorf("mode %v, %v", info.Mode(), err)
			}
			if _, err := os.Lstat(test.path + ".lock"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the lock is left: %v", err)
			}
		})
	}
}

// TestMergeKubeconfigRefuses: nothing is changed, and no lock stays.
func TestMergeKubeconfigRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		spoil func(dir string) error
		error string
	}{
		"a link": {func(dir string) error {
			return errors.Join(os.Rename(dir+"/config", dir+"/real"), os.Symlink("real", dir+"/config"))
		}, "config is a symbolic link, which is not followed: name the file itself"},
		"others may write":       {func(dir string) error { return os.Chmod(dir+"/config", 0o664) }, "config can be written to by others (mode 0664)"},
		"a folder":               {func(dir string) error { return errors.Join(os.Remove(dir+"/config"), os.Mkdir(dir+"/config", 0o700)) }, "is not a regular file"},
		"no kubeconfig":          {func(dir string) error { return os.WriteFile(dir+"/config", []byte("kind: Pod\n"), 0o600) }, "it is not a kubeconfig"},
		"an open folder":         {func(dir string) error { return os.Chmod(dir, 0o777) }, "anybody can replace files in the folder"},
		"a folder of another's":  {func(dir string) error { return os.Chown(dir, 4711, -1) }, "belongs to another user (id 4711), who could replace the file"},
		"a file of another user": {func(dir string) error { return os.Chown(dir+"/config", 4711, -1) }, "belongs to another user (id 4711)"},
	} {
		t.Run(name, func(t *testing.T) {
			if os.Geteuid() != 0 && strings.Contains(test.error, "4711") {
				t.Skip("only root can give a file away")
			}
			dir := t.TempDir()
			if err := errors.Join(os.WriteFile(dir+"/config", []byte(production), 0o600), test.spoil(dir)); err != nil {
				t.Fatal(err)
			}
			before := listing(t, dir)
			err := MergeKubeconfig(t.Context(), dir+"/config", testEntry())
			if err == nil || !strings.Contains(err.Error(), test.error) || !strings.Contains(err.Error(), dir+"/config") {
				t.Errorf("error %v, want %q and the path", err, test.error)
			}
			if diff := cmp.Diff(before, listing(t, dir)); diff != "" {
				t.Errorf("the folder was changed (-before +after):\n%s", diff)
			}
		})
	}
}

// listing is what is in a folder: names, modes and contents.
func listing(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	list := map[string]string{}
	for _, entry := range entries {
		content, _ := os.ReadFile(filepath.Join(dir, entry.Name())) // none of a folder
		list[entry.Name()] = entry.Type().String() + string(content)
	}
	return list
}

func TestStickyFolder(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o777|fs.ModeSticky); err != nil {
		t.Fatal(err)
	}
	if err := MergeKubeconfig(t.Context(), dir+"/config", testEntry()); err != nil {
		t.Error(err)
	}
}

// TestLock: another's lock is waited for, and reported with the way out if it stays.
func TestLock(t *testing.T) {
	for name, test := range map[string]struct {
		held  time.Duration
		error string
	}{
		"freed in time": {held: 2 * time.Second},
		"left":          {held: time.Hour, error: "config.lock is there: kubectl, or another program that changes the file"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "config")
			if err := os.WriteFile(path+".lock", nil, 0); err != nil {
				t.Fatal(err)
			}
			synctest.Test(t, func(t *testing.T) {
				held := time.AfterFunc(test.held, func() {
					if err := os.Remove(path + ".lock"); err != nil {
						t.Error(err)
					}
				})
				defer held.Stop()
				start := time.Now()
				err := MergeKubeconfig(t.Context(), path, testEntry())
				if test.error == "" && err != nil || test.error != "" && (err == nil || !strings.Contains(err.Error(), test.error)) {
					t.Errorf("error %v, want %q", err, test.error)
				}
				if waited := time.Since(start); waited > 3100*time.Millisecond {
					t.Errorf("it took %v", waited)
				}
			})
			if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) != (test.error != "") {
				t.Errorf("the file: %v", err)
			}
		})
	}
}

func TestLockGivenUp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(path+".lock", nil, 0); err != nil {
		t.Fatal(err)
	}
	reason := errors.New("stopped")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(reason)
	if err := MergeKubeconfig(ctx, path, testEntry()); !errors.Is(err, reason) {
		t.Errorf("error %v, want the cause", err)
	}
}

// TestMergeTogether: of runs that start at the same time every one gets its entry.
func TestMergeTogether(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config")
	names := strings.Fields("a b c d e f g h")
	var runs sync.WaitGroup
	for _, name := range names {
		runs.Go(func() {
			e := testEntry()
			e.Name = entryName(name)
			if err := MergeKubeconfig(t.Context(), path, e); err != nil {
				t.Error(err)
			}
		})
	}
	runs.Wait()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	config := readAsKubectl(t, data)
	for _, name := range names {
		for _, s := range testEntry().sections() {
			entryOf(t, config, s.list, entryName(name))
		}
	}
}
