package credentials

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/probity-run/probity/internal/ownfile"
)

// MergeKubeconfig puts an entry into the kubeconfig at a path, or makes the file and its folder. It
// sets current-context only if the file has none: a terminal that is at work with another cluster
// stays there. An entry of that name that Probity made is brought up to date, where a user's own
// additions, such as a namespace, stay; one that somebody else made is refused. Everything else
// stays as it is, comments too; only the indentation becomes kubectl's.
//
// The file is this user's alone then, mode 0600. What cannot be parsed, belongs to somebody else,
// can be written to by others, or is a symbolic link is refused and not touched. PATH.lock keeps
// kubectl out meanwhile; if that of another does not go away within 3 seconds, or before ctx ends,
// the error says so.
func MergeKubeconfig(ctx context.Context, path string, e Entry) error {
	if err := mergeFile(ctx, path, e); err != nil {
		return fmt.Errorf("cannot merge into the kubeconfig %s: %w", path, err)
	}
	return nil
}

func mergeFile(ctx context.Context, path string, e Entry) (err error) {
	folder, err := openFolder(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer folder.Close() // only used for names
	name := filepath.Base(path)
	unlock, err := lock(ctx, folder, name+".lock")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	old, err := ownfile.Read(folder, name, ownfile.Unwritable)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	merged, err := merge(old, e)
	if err != nil {
		return err
	}
	return ownfile.WriteDurable(folder, name, merged)
}

// openFolder opens the folder of a kubeconfig and makes it if there is none. In one of somebody
// else's, that user could put a server of his own into the file. A common one with the sticky bit
// will do, as /tmp is.
func openFolder(dir string) (*os.Root, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	folder, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	info, err := folder.Stat(".")
	if err == nil {
		err = checkFolder(dir, info)
	}
	if err != nil {
		return nil, errors.Join(err, folder.Close())
	}
	return folder, nil
}

func checkFolder(dir string, info fs.FileInfo) error {
	if owner := ownfile.OwnerOf(info); owner != os.Geteuid() && owner != 0 {
		return fmt.Errorf("the folder %s belongs to another user (id %d), who could replace the file: choose another", dir, owner)
	}
	if info.Mode().Perm()&0o002 != 0 && info.Mode()&fs.ModeSticky == 0 {
		return fmt.Errorf("anybody can replace files in the folder %s (mode %04o): chmod o-w it, or choose another", dir, info.Mode().Perm())
	}
	return nil
}

const (
	// lockTime is how long another's lock is waited for. kubectl has it for milliseconds.
	lockTime  = 3 * time.Second
	lockPause = 20 * time.Millisecond
)

// lock makes the file that kubectl takes for a lock, and returns what removes it.
func lock(ctx context.Context, folder *os.Root, name string) (unlock func() error, err error) {
	for end := time.Now().Add(lockTime); ; {
		file, err := folder.OpenFile(name, os.O_CREATE|os.O_EXCL, 0o600)
		if err == nil {
			_ = file.Close() // nothing was written
			return func() error { return folder.Remove(name) }, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		if !time.Now().Before(end) {
			return nil, fmt.Errorf("%s is there: kubectl, or another program that changes the file, has made it and has not finished. If none is running, remove it",
				filepath.Join(folder.Name(), name))
		}
		select {
		case <-time.After(lockPause):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}
