package system

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// secretDir is where the Secret volumes of one run are: in memory if that can be had, so that they
// never reach a disk. It goes away with the run; if that is killed, the shepherd removes it, and
// what both have left, the next run does.
type secretDir struct {
	path string
	lock *os.File // beside the folder; held as long as the run lives
}

const lockSuffix = ".lock"

// secretDirTries is how many folders are tried at most. One is enough unless another run, which
// tidies up, takes its lock just then; many runs that start together may do so several times.
const secretDirTries = 100

// newSecretDir makes a folder for Secret volumes in memory, or else in the state folder, and
// removes those of runs that have ended.
func newSecretDir(state *os.Root) (*secretDir, error) {
	base, err := secretBase(state)
	if err != nil {
		return nil, err
	}
	defer base.Close() // only used for names
	if err := removeLeftSecrets(base); err != nil {
		return nil, err
	}
	for range secretDirTries {
		s, err := addSecretDir(base, secretName(time.Now()))
		if !errors.Is(err, errLocked) {
			return s, err
		}
	}
	return nil, errLocked
}

// addSecretDir makes a folder and locks it. The error is errLocked if another run, which looks for
// what is left of ended ones, has seen the lock's file before it was locked.
func addSecretDir(base *os.Root, name string) (*secretDir, error) {
	lock, err := lockFile(base, name+lockSuffix)
	if err != nil {
		return nil, err
	}
	s := &secretDir{path: filepath.Join(base.Name(), name), lock: lock}
	if err := base.Mkdir(name, 0o700); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// secretName names the folder of one run's Secret volumes. It is a new one each time: the shepherd
// of a run that was killed may still be removing the last one.
func secretName(now time.Time) string {
	return strconv.Itoa(os.Getpid()) + "-" + strconv.FormatInt(now.UnixNano(), 36)
}

// isSecretName reports whether [secretName] makes such names.
func isSecretName(name string) bool {
	process, start, ok := strings.Cut(name, "-")
	_, processErr := strconv.ParseUint(process, 10, 32)
	_, startErr := strconv.ParseUint(start, 36, 64)
	return ok && errors.Join(processErr, startErr) == nil
}

// secretBase is a folder in memory that only this user can reach, or else one in the state folder.
func secretBase(state *os.Root) (*os.Root, error) {
	candidates := []string{filepath.Join("/dev/shm", "probity-"+strconv.Itoa(os.Geteuid()))}
	if dir := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) && !isOfAnother(dir) {
		candidates = append([]string{filepath.Join(dir, "probity")}, candidates...)
	}
	for _, dir := range candidates {
		if !isInMemory(filepath.Dir(dir)) {
			continue
		}
		if base, err := openOwnDir(dir); err == nil {
			return base, nil
		}
	}
	return openOwnDir(filepath.Join(state.Name(), secretsName))
}

// removeLeftSecrets removes the folders of runs that have ended without doing it themselves.
func removeLeftSecrets(base *os.Root) error {
	names, err := namesIn(base, ".")
	if err != nil {
		return err
	}
	var errs []error
	for _, name := range names {
		if !isSecretName(strings.TrimSuffix(name, lockSuffix)) {
			continue // somebody else's
		}
		lock, err := lockFile(base, strings.TrimSuffix(name, lockSuffix)+lockSuffix)
		if errors.Is(err, errLocked) {
			continue
		}
		if err == nil {
			err = errors.Join(removeSecrets(base, strings.TrimSuffix(name, lockSuffix)), lock.Close())
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// removeSecrets removes a folder and then its lock, which the caller holds.
func removeSecrets(base *os.Root, name string) error {
	err := base.RemoveAll(name)
	if lockErr := base.Remove(name + lockSuffix); !errors.Is(lockErr, fs.ErrNotExist) {
		err = errors.Join(err, lockErr)
	}
	return err
}

func (s *secretDir) close() error {
	base, err := os.OpenRoot(filepath.Dir(s.path))
	if err != nil {
		return errors.Join(err, s.lock.Close())
	}
	defer base.Close() // only used for names
	return errors.Join(removeSecrets(base, filepath.Base(s.path)), s.lock.Close())
}
