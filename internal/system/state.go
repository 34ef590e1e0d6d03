package system

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// stateDir is the folder of one probity run: what the containers print, and their volumes. Only one
// run at a time uses it.
type stateDir struct {
	dir      string
	pods     string // a folder for each Pod
	programs string // a folder for PATH in which probity is found by that name
	names    string // a folder for the Pods' hosts files
	secrets  *secretDir
	root     *os.Root // of dir
	lock     *os.File
	remarks  []string // what could not be tidied up, and where the output is
	listing  listing
}

// The names in a state folder, besides the marker.
const (
	lockName     = "lock"
	podsName     = "pods"
	programsName = "bin"
	namesName    = "names"
	secretsName  = "secrets" // where no file system in memory can be had
)

// name is what tells the folder apart from others of this user.
func (d *stateDir) name() string { return filepath.Base(d.dir) }

// openState makes or cleans the state folder. Without a given one it depends on the manifests'
// paths, so that the output of the last run of the same manifests is found, and replaced by the
// next.
func openState(given string, paths []string) (*stateDir, error) {
	dir := given
	if dir == "" {
		home, err := stateHome()
		if err != nil {
			return nil, err
		}
		dir = filepath.Join(home, manifestKey(paths))
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("cannot use the state folder %s: %w", dir, err)
	}
	s := &stateDir{dir: dir, pods: filepath.Join(dir, podsName), programs: filepath.Join(dir, programsName), names: filepath.Join(dir, namesName)}
	if err := s.take(); err != nil {
		return nil, fmt.Errorf("%w; --state-dir names another", err)
	}
	if given == "" {
		s.remarks = append(s.remarks, removeOldStates(filepath.Dir(dir), time.Now())...)
	}
	s.remarks = append(s.remarks, "probity: what containers print is kept in "+s.pods)
	return s, nil
}

// take opens the folder, makes sure that it is one of Probity's own, locks it and empties it.
func (s *stateDir) take() (err error) {
	if err := s.hold(); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if err := s.renew(); err != nil {
		return fmt.Errorf("cannot prepare the state folder: %w", err)
	}
	if s.secrets, err = newSecretDir(s.root); err != nil {
		return fmt.Errorf("cannot make a folder for Secret volumes: %w", err)
	}
	return nil
}

// Another run that removes old folders may hold this one for a moment, and remove it: it is tried
// again for so long.
const (
	holdTime  = 300 * time.Millisecond
	holdPause = 10 * time.Millisecond
)

// hold opens the folder and locks it.
func (s *stateDir) hold() error {
	for end := time.Now().Add(holdTime); ; time.Sleep(holdPause) {
		root, lock, err := holdDir(s.dir)
		if err == nil {
			s.root, s.lock = root, lock
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("cannot use the state folder %s: %w", s.dir, err)
		}
	}
}

func holdDir(dir string) (root *os.Root, lock *os.File, err error) {
	if root, err = openOwnDir(dir); err != nil {
		return nil, nil, err
	}
	if err = mark(root); err == nil {
		lock, err = lockFile(root, lockName)
	}
	if err != nil {
		return nil, nil, errors.Join(err, root.Close())
	}
	if isMarked(root) {
		return root, lock, nil
	}
	// whoever held the lock before has removed the marker
	if err := writeMarker(root); err != nil {
		return nil, nil, errors.Join(err, lock.Close(), root.Close())
	}
	return root, lock, nil
}

// renew removes what the last run left and puts probity where exec probes find it.
func (s *stateDir) renew() error {
	for _, name := range []string{podsName, programsName, namesName} {
		if err := s.root.RemoveAll(name); err != nil {
			return err
		}
		if err := s.root.Mkdir(name, 0o700); err != nil {
			return err
		}
	}
	now := time.Now()
	if err := s.root.Chtimes(markerName, now, now); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return s.root.Symlink(self, filepath.Join(programsName, "probity"))
}

// environ is an environment whose PATH also finds probity, last.
func (s *stateDir) environ(environ []string) []string {
	with := make([]string, 0, len(environ)+1)
	path := s.programs
	for _, entry := range environ {
		if value, ok := strings.CutPrefix(entry, "PATH="); ok {
			path = value + string(os.PathListSeparator) + s.programs
			continue
		}
		with = append(with, entry)
	}
	return append(with, "PATH="+path)
}

// close removes the Secret volumes and lets others have the folder.
func (s *stateDir) close() error {
	errs := []error{s.listing.remove()}
	if s.secrets != nil {
		errs = append(errs, s.secrets.close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	return errors.Join(append(errs, s.root.Close())...)
}
