package system

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/probity-run/probity/internal/apiserver/credentials"
	"github.com/probity-run/probity/internal/ownfile"
	"github.com/probity-run/probity/internal/printable"
)

// What is kept of runs that have ended.
const (
	keptStates   = 10
	keptStateAge = 7 * 24 * time.Hour
)

// endedState is the state folder of a run that has ended.
type endedState struct {
	name string
	used time.Time // when its last run started
}

// tooOld is which state folders of ended runs are not kept: those that were not used for a week,
// and all but the newest ones.
func tooOld(states []endedState, now time.Time) (names []string) {
	states = slices.SortedFunc(slices.Values(states), func(a, b endedState) int { return b.used.Compare(a.used) })
	for i, s := range states {
		if i >= keptStates || now.Sub(s.used) > keptStateAge {
			names = append(names, s.name)
		}
	}
	return names
}

// removeOldStates removes what runs that ended long ago have left below a folder. The lines say
// what could not be removed.
func removeOldStates(home string, now time.Time) (problems []string) {
	root, err := openOwnDir(home)
	if err != nil {
		return []string{"probity: old state folders stay: " + err.Error()}
	}
	defer root.Close() // only used for names
	for _, name := range tooOld(statesIn(root), now) {
		if _, err := removeState(root, name); err != nil && !errors.Is(err, errForeign) {
			problems = append(problems, "probity: an old state folder stays: "+err.Error())
		}
	}
	removeDeadLinks(root)
	return problems
}

// removeDeadLinks removes links to state folders of other places that are gone: those of runs and
// drills that were killed, and whose folder somebody has removed since.
func removeDeadLinks(home *os.Root) {
	names, _ := namesIn(home, ".") // a folder that cannot be listed has none that could be removed
	for _, name := range names {
		info, err := home.Lstat(name)
		if err != nil || info.Mode().Type() != fs.ModeSymlink {
			continue
		}
		if _, err := os.Stat(filepath.Join(home.Name(), name)); errors.Is(err, fs.ErrNotExist) {
			_ = home.Remove(name) // a link that stays is in nobody's way
		}
	}
}

// statesIn lists the folders that are Probity's own.
func statesIn(home *os.Root) (states []endedState) {
	names, _ := namesIn(home, ".") // a folder that cannot be listed has none that could be removed
	for _, name := range names {
		dir, err := home.OpenRoot(name)
		if err != nil {
			continue // a file, or of somebody else
		}
		if info, err := dir.Lstat(markerName); err == nil && isMarked(dir) {
			states = append(states, endedState{name, info.ModTime()})
		} else if names, err := namesIn(dir, "."); err == nil && isUnmarkedState(dir, names) {
			states = append(states, endedState{name, time.Time{}})
		}
		_ = dir.Close() // only read from
	}
	return states
}

// removeState removes a state folder unless a run uses it.
func removeState(home *os.Root, name string) (removed bool, err error) {
	dir, err := home.OpenRoot(name)
	if err != nil {
		return false, err
	}
	defer dir.Close() // nothing is written
	lock, err := lockFile(dir, lockName)
	if errors.Is(err, errLocked) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("%s: %w", filepath.Join(home.Name(), name), err)
	}
	defer lock.Close() // its file is removed
	if err := emptyState(dir); err != nil {
		return false, err
	}
	err = home.Remove(name)
	if errors.Is(err, unix.ENOTEMPTY) || errors.Is(err, unix.EEXIST) {
		err = nil // a run that has just started has made it its own
	}
	return err == nil, err
}

// emptyState removes what runs have left in a state folder whose lock the caller holds. The lock's
// name is the last, as others may have the folder from then on. What else is there somebody has put
// there: nothing is removed then.
func emptyState(dir *os.Root) error {
	names, err := namesIn(dir, ".")
	if err != nil {
		return err
	}
	for _, name := range names {
		if !isStateName(name) {
			return fmt.Errorf("%s stays: %s %w", dir.Name(), printable.File(name), errForeign)
		}
	}
	for _, name := range names {
		if name != markerName && name != lockName {
			err = errors.Join(err, dir.RemoveAll(name))
		}
	}
	if err != nil {
		return err
	}
	return errors.Join(dir.RemoveAll(markerName), dir.Remove(lockName))
}

// errForeign says that a state folder has something that no run has put there.
var errForeign = errors.New("in it is not of Probity")

// isStateName reports whether runs put something of that name into a state folder.
func isStateName(name string) bool {
	if of, ok := ownfile.IsUnfinished(name); ok {
		name = of
	}
	names := []string{markerName, lockName, oldSocket, podsName, programsName, namesName, secretsName, addressesName, obedienceName, dashboardName}
	return slices.Contains(names, strings.TrimSuffix(name, oldNewSuffix)) || slices.Contains(runLogNames(), name) || slices.Contains(credentials.Files(), name)
}

// oldNewSuffix ended the name of a note that a Probity before was writing.
const oldNewSuffix = ".new"

// Clean removes the state folders of all runs that have ended, or only dir if that is not empty.
// It returns those that it removed.
func Clean(dir string) (removed []string, err error) {
	if dir != "" {
		return cleanOne(dir)
	}
	base, err := stateHome()
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(base); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	home, err := openOwnDir(base)
	if err != nil {
		return nil, err
	}
	defer home.Close() // only used for names
	var errs []error
	for _, state := range statesIn(home) {
		done, err := removeState(home, state.name)
		if err != nil {
			errs = append(errs, err)
		} else if done {
			removed = append(removed, filepath.Join(base, state.name))
		}
	}
	return removed, errors.Join(errs...)
}

// cleanOne removes one state folder.
func cleanOne(dir string) (removed []string, err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	home, err := os.OpenRoot(filepath.Dir(dir))
	if err != nil {
		return nil, err
	}
	defer home.Close() // only used for names
	state, err := home.OpenRoot(filepath.Base(dir))
	if err != nil {
		return nil, err
	}
	marked := isMarked(state)
	if err := state.Close(); err != nil {
		return nil, err
	}
	if !marked {
		return nil, fmt.Errorf("%s is no state folder of Probity (it has no file %s), and nothing of it is touched", dir, markerName)
	}
	done, err := removeState(home, filepath.Base(dir))
	switch {
	case err != nil:
		return nil, err
	case !done:
		return nil, fmt.Errorf("a probity run uses %s: stop that one first", dir)
	}
	return []string{dir}, nil
}
