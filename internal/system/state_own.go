package system

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/probity-run/probity/internal/ownfile"
)

// markerName is a file by which a folder is known to be Probity's own. Nothing is removed from a
// folder without it.
const markerName = ".probity-state"

const (
	markerText = "This folder belongs to probity run. Whenever it starts it removes what runs before have left here,\n" +
		"except the keys, the token and the port of its API and the logs of the last Pods.\n"
	// oldMarkerText is what earlier versions have written.
	oldMarkerText = "This folder belongs to probity run, which empties it whenever it starts.\n"
)

// openOwnDir opens a folder, which it makes if there is none. One that somebody else could put
// programs or files into is refused: what is in it is run, and trusted.
func openOwnDir(dir string) (*os.Root, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	if err := checkOwnDir(root, dir); err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return root, nil
}

func checkOwnDir(root *os.Root, dir string) error {
	info, err := root.Stat(".")
	if err != nil {
		return err
	}
	if owner := ownfile.OwnerOf(info); owner != os.Geteuid() {
		return fmt.Errorf("%s belongs to another user (id %d)", dir, owner)
	}
	if info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("%s can be written to by others (mode %04o): chmod go-w it", dir, info.Mode().Perm())
	}
	path, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return err
	}
	for path != filepath.Dir(path) {
		path = filepath.Dir(path)
		if err := checkAbove(path, dir); err != nil {
			return err
		}
	}
	return nil
}

// checkAbove refuses a folder above dir in which others may rename and replace what is on the way
// to dir.
func checkAbove(above, dir string) error {
	info, err := os.Stat(above)
	if err != nil {
		return err
	}
	if info.Mode().Perm()&0o002 != 0 && info.Mode()&fs.ModeSticky == 0 {
		return fmt.Errorf("%s can be replaced by anybody, as all may write to %s (mode %04o)", dir, above, info.Mode().Perm())
	}
	if owner := ownfile.OwnerOf(info); owner != 0 && owner != os.Geteuid() && owner != unmappedUser() {
		return fmt.Errorf("%s can be replaced by another user (id %d), who owns %s", dir, owner, above)
	}
	return nil
}

// unmappedUser is whom the folders above belong to by the look of it in a user namespace, as in a
// sandbox or a rootless container: all users that are not mapped look like one, root among them. It
// is -1 where every user has an id of its own.
func unmappedUser() int {
	ids, err := os.ReadFile("/proc/self/uid_map")
	if fields := strings.Fields(string(ids)); err != nil || len(fields) == 3 && fields[2] == "4294967295" {
		return -1
	}
	text, err := os.ReadFile("/proc/sys/kernel/overflowuid")
	id, numberErr := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || numberErr != nil {
		return -1
	}
	return id
}

// mark puts the marker into a folder that is new. A folder with other content is refused.
func mark(root *os.Root) error {
	if isMarked(root) {
		return nil
	}
	names, err := namesIn(root, ".")
	if err != nil {
		return err
	}
	if len(names) > 0 && !isUnmarkedState(root, names) {
		return fmt.Errorf("it is not empty and not of Probity (it has no file %s), and nothing of it is touched", markerName)
	}
	return writeMarker(root)
}

func writeMarker(root *os.Root) error {
	return root.WriteFile(markerName, []byte(markerText), 0o600)
}

// isMarked reports whether a folder is known to be Probity's own.
func isMarked(root *os.Root) bool {
	file, err := openPlain(root, markerName, os.O_RDONLY)
	if err != nil {
		return false
	}
	defer file.Close() // only read from
	text, err := io.ReadAll(io.LimitReader(file, int64(len(markerText))+1))
	return err == nil && (string(text) == markerText || string(text) == oldMarkerText)
}

// errReplaced says that a file has come, gone or become another one while it was opened.
var errReplaced = errors.New("it is being replaced")

// openPlain opens a file that is neither a link nor anything else than a file. [os.Root] follows
// links that stay in the folder, also where it is told not to: so it is looked before, and that it
// was this one is looked after.
func openPlain(root *os.Root, name string, flags int) (*os.File, error) {
	before, err := root.Lstat(name) // nil if there is none
	switch {
	case errors.Is(err, fs.ErrNotExist) && flags&os.O_CREATE != 0:
		flags |= os.O_EXCL // which a link in its place fails, too
	case err != nil:
		return nil, err
	case !before.Mode().IsRegular():
		return nil, fmt.Errorf("%s in it is no plain file", name)
	}
	file, err := root.OpenFile(name, flags|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0o600)
	switch {
	case before == nil && errors.Is(err, fs.ErrExist), before != nil && errors.Is(err, fs.ErrNotExist):
		return nil, errReplaced
	case err != nil || before == nil:
		return file, err
	}
	info, err := file.Stat()
	if err == nil && !os.SameFile(before, info) {
		err = errReplaced
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// oldSocket is what a Probity that had no marker yet could leave behind in a state folder.
const oldSocket = "control.sock"

// isUnmarkedState reports whether a folder is surely one of a Probity that had no marker yet: it
// has the lock and the link to a program, and nothing but folders of Pods besides.
func isUnmarkedState(root *os.Root, names []string) bool {
	for _, name := range names {
		if name != lockName && name != oldSocket && name != podsName && name != programsName {
			return false
		}
	}
	lock, err := root.Lstat(lockName)
	if err != nil || !lock.Mode().IsRegular() || lock.Size() > 0 {
		return false
	}
	link, err := root.Lstat(filepath.Join(programsName, "probity"))
	programs, programsErr := namesIn(root, programsName)
	if err != nil || link.Mode().Type() != fs.ModeSymlink || programsErr != nil || len(programs) != 1 {
		return false
	}
	pods, err := namesIn(root, podsName)
	for _, pod := range pods {
		info, statErr := root.Lstat(filepath.Join(podsName, pod))
		if statErr != nil || !info.IsDir() || strings.Count(pod, "_") != 2 {
			return false
		}
	}
	return err == nil
}

func namesIn(root *os.Root, dir string) ([]string, error) {
	file, err := root.Open(dir)
	if err != nil {
		return nil, err
	}
	defer file.Close() // only read from
	return file.Readdirnames(-1)
}

// errLocked says that another run holds a lock.
var errLocked = errors.New("another probity run uses it, and would have to be stopped")

// lockFile makes a file, if there is none, and locks it. The lock ends with the process, or when
// the file is closed. It does not wait for another one's lock: the error is errLocked then.
func lockFile(root *os.Root, name string) (*os.File, error) {
	for {
		file, err := openPlain(root, name, os.O_CREATE|os.O_RDWR)
		if errors.Is(err, errReplaced) {
			continue // somebody else was faster
		}
		if err != nil {
			return nil, err
		}
		current, err := lockOpen(root, name, file)
		if current {
			return file, nil
		}
		if err := errors.Join(err, file.Close()); err != nil {
			return nil, err
		}
	}
}

// lockOpen locks a file and reports whether it still is the one of that name: who held the lock
// before may have removed it.
func lockOpen(root *os.Root, name string, file *os.File) (current bool, err error) {
	info, err := file.Stat()
	if err != nil {
		return false, err
	}
	if !info.Mode().IsRegular() || ownfile.OwnerOf(info) != os.Geteuid() {
		return false, fmt.Errorf("%s in it is not a file of this user", name)
	}
	switch err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); {
	case errors.Is(err, unix.EWOULDBLOCK):
		return false, errLocked
	case err != nil:
		return false, fmt.Errorf("cannot lock %s: %w", name, err)
	}
	now, err := root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && os.SameFile(info, now), err
}
