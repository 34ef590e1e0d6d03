package system

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestTooOld(t *testing.T) {
	now := time.Now()
	var states []endedState
	for i := range keptStates + 2 {
		states = append(states, endedState{strconv.Itoa(i), now.Add(-time.Duration(i) * time.Hour)})
	}
	if got := tooOld(states, now); !slices.Equal(got, []string{"10", "11"}) {
		t.Errorf("of many: %v, want those used longest ago", got)
	}
	if got := tooOld([]endedState{{"new", now}, {"old", now.Add(-8 * 24 * time.Hour)}}, now); !slices.Equal(got, []string{"old"}) {
		t.Errorf("of two: %v, want that of last week", got)
	}
}

// TestOldStatesAreRemoved: a start removes what others left long ago, but nothing that is in use or
// not of Probity.
func TestOldStatesAreRemoved(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", folder(t))
	home, err := stateHome()
	if err != nil {
		t.Fatal(err)
	}
	used, err := openState("", []string{"used"})
	if err != nil {
		t.Fatal(err)
	}
	old, err := openState("", []string{"old"})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(old.close(), os.Mkdir(filepath.Join(home, "mine"), 0o700), os.Symlink(filepath.Join(home, "gone"), filepath.Join(home, "link"))); err != nil {
		t.Fatal(err)
	}
	if problems := removeOldStates(home, time.Now().Add(8*24*time.Hour)); len(problems) > 0 {
		t.Error(problems)
	}
	var names []string
	entries, err := os.ReadDir(home)
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	if want := []string{"mine", filepath.Base(used.dir)}; err != nil || !slices.Equal(names, want) {
		t.Errorf("left: %v, %v, want %v", names, err, want)
	}
	if removed, err := Clean(used.dir); err == nil || len(removed) > 0 {
		t.Errorf("a folder in use was removed: %v, %v", removed, err)
	}
	if removed, err := Clean(""); err != nil || len(removed) > 0 {
		t.Errorf("a folder in use was removed: %v, %v", removed, err)
	}
	if err := used.close(); err != nil {
		t.Fatal(err)
	}
	if removed, err := Clean(""); err != nil || !slices.Equal(removed, []string{used.dir}) {
		t.Errorf("removed %v, %v, want %s", removed, err, used.dir)
	}
	if _, err := Clean(filepath.Join(home, "mine")); err == nil {
		t.Error("a folder that is not of Probity was removed")
	}
}

// TestOthersFilesStay: what somebody has put into a folder of Probity's is not removed by tidying
// up, nor is the folder.
func TestOthersFilesStay(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", folder(t))
	t.Setenv("XDG_RUNTIME_DIR", folder(t))
	home, err := stateHome()
	if err != nil {
		t.Fatal(err)
	}
	s, err := openState("", []string{"used"})
	if err != nil {
		t.Fatal(err)
	}
	notes := filepath.Join(s.dir, "notes.txt")
	secret := filepath.Join(filepath.Dir(s.secrets.path), "notes.txt")
	if err := errors.Join(s.close(), os.WriteFile(notes, nil, 0o600), os.WriteFile(secret, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	for what, dir := range map[string]string{"all": "", "one": s.dir} {
		if removed, err := Clean(dir); err == nil || !strings.Contains(err.Error(), "notes.txt") || len(removed) > 0 {
			t.Errorf("%s: removed %v, %v", what, removed, err)
		}
	}
	if problems := removeOldStates(home, time.Now().Add(8*24*time.Hour)); len(problems) > 0 {
		t.Error(problems) // at each start
	}
	if err := use(t, s.dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{notes, secret, filepath.Join(s.dir, markerName)} {
		if _, err := os.Stat(name); err != nil {
			t.Error(err)
		}
	}
}

// TestLeftSecretsAreRemoved: what a killed run left goes away with the next start, and not what
// another run uses.
func TestLeftSecretsAreRemoved(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", folder(t))
	first, err := openState(folder(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	// as the kernel does it at the end of a process
	killed, err := openState(folder(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	secret := filepath.Join(killed.secrets.path, "secret")
	if err := errors.Join(os.WriteFile(secret, nil, 0o600), killed.secrets.lock.Close()); err != nil {
		t.Fatal(err)
	}
	if err := use(t, folder(t)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(secret); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the Secret of a killed run is there: %v", err)
	}
	if _, err := os.Stat(first.secrets.path); err != nil {
		t.Errorf("the folder of a run: %v", err)
	}
	if err := first.close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(first.secrets.path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Secrets outlive their run: %v", err)
	}
}

// TestRunsStartTogether: each run tidies up what ended ones have left, and none of those that start
// beside it is held up by that.
func TestRunsStartTogether(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", folder(t))
	state, err := os.OpenRoot(folder(t))
	if err != nil {
		t.Fatal(err)
	}
	defer state.Close()
	const runs, starts = 16, 100
	var all sync.WaitGroup
	for range runs {
		all.Go(func() {
			for range starts {
				s, err := newSecretDir(state)
				if err == nil {
					err = s.close()
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}

// TestOldStateIsTakenWhileRemoved: runs whose folder is just removed by others, as an old one, wait
// for that and make it anew; none has its folder taken away.
func TestOldStateIsTakenWhileRemoved(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", folder(t))
	base := folder(t)
	home, err := os.OpenRoot(base)
	if err != nil {
		t.Fatal(err)
	}
	defer home.Close()
	var removers sync.WaitGroup
	ended := make(chan struct{})
	for range 2 {
		removers.Go(func() {
			for {
				select {
				case <-ended:
					return
				default:
				}
				if _, err := removeState(home, "state"); err != nil && !errors.Is(err, os.ErrNotExist) {
					t.Error(err)
				}
			}
		})
	}
	held := 0
	for held < 50 {
		root, lock, err := holdDir(filepath.Join(base, "state"))
		if err != nil {
			continue // as hold does, which tries again
		}
		held++
		time.Sleep(100 * time.Microsecond)
		if !isMarked(root) {
			t.Error("a run holds a folder that has been removed")
		}
		if err := errors.Join(lock.Close(), root.Close()); err != nil {
			t.Error(err)
		}
	}
	close(ended)
	removers.Wait()
}
