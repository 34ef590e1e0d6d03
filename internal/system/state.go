package system

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// stateDir is the folder of one probity run: what the containers print, and their volumes. Only one
// run at a time uses it.
type stateDir struct {
	dir      string
	pods     string // a folder for each Pod
	programs string // a folder for PATH in which probity is found by that name
	lock     *os.File
}

// openState makes or cleans the state folder. Without a given one it depends on the manifests'
// paths, so that the output of the last run of the same manifests is found, and replaced by the
// next.
func openState(given string, paths []string) (*stateDir, error) {
	dir := given
	if dir == "" {
		base, err := stateHome()
		if err != nil {
			return nil, err
		}
		dir = filepath.Join(base, "probity", manifestKey(paths))
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("cannot use the state folder %s: %w", dir, err)
	}
	s := &stateDir{dir: dir, pods: filepath.Join(dir, "pods"), programs: filepath.Join(dir, "bin")}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the state folder: %w; --state-dir names another", err)
	}
	if err := s.takeLock(filepath.Join(dir, "lock")); err != nil {
		return nil, err
	}
	if err := s.renew(); err != nil {
		return nil, errors.Join(fmt.Errorf("cannot prepare the state folder: %w; --state-dir names another", err), s.close())
	}
	return s, nil
}

// stateHome is where programs keep state that outlives them (XDG base directories).
func stateHome() (string, error) {
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return dir, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("cannot find a state folder: %w; --state-dir names one", err)
	}
	return filepath.Join(home, ".local", "state"), nil
}

// manifestKey is a name for a set of manifests: readable, and unique by a hash of their absolute
// paths.
func manifestKey(paths []string) string {
	if len(paths) == 0 {
		paths = []string{"."}
	}
	h := sha256.New()
	for _, p := range paths {
		if abs, err := filepath.Abs(p); err == nil {
			p = abs
		}
		h.Write([]byte(p + "\x00"))
	}
	name := strings.TrimSuffix(filepath.Base(paths[0]), filepath.Ext(paths[0]))
	return name + "-" + hex.EncodeToString(h.Sum(nil))[:8]
}

// takeLock keeps a second run of the same manifests out; the lock ends with the process.
func (s *stateDir) takeLock(path string) error {
	lock, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("cannot lock the state folder: %w; --state-dir names another", err)
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		lock.Close()
		return fmt.Errorf("cannot use the state folder %s: another probity run uses it (%w); stop that one, or give --state-dir", filepath.Dir(path), err)
	}
	s.lock = lock
	return nil
}

// renew removes what the last run left and puts probity where exec probes find it.
func (s *stateDir) renew() error {
	for _, dir := range []string{s.pods, s.programs} {
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return os.Symlink(self, filepath.Join(s.programs, "probity"))
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

func (s *stateDir) close() error { return s.lock.Close() }
