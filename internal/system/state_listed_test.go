package system

import (
	"os"
	"path/filepath"
	"testing"
)

// TestListingLeavesNothing: a run with a state folder of its own leaves no folder in a home that
// had none, unless another run is still listed there.
func TestListingLeavesNothing(t *testing.T) {
	home := folder(t)
	t.Setenv("HOME", home)
	t.Setenv("XDG_STATE_HOME", filepath.Join(home, "a", "state"))
	open := func() *stateDir {
		s, err := openState(filepath.Join(folder(t), "state"), nil)
		if err != nil {
			t.Fatal(err)
		}
		s.list()
		if _, err := os.Readlink(s.listing.link); err != nil {
			t.Fatalf("the run is not listed: %v; %q", err, s.remarks)
		}
		return s
	}
	closed := func(s *stateDir) (left []os.DirEntry) {
		if err := s.close(); err != nil {
			t.Fatal(err)
		}
		left, err := os.ReadDir(home)
		if err != nil {
			t.Fatal(err)
		}
		return left
	}
	if left := closed(open()); len(left) > 0 {
		t.Errorf("a run leaves %v", left)
	}
	first, second := open(), open()
	if left := closed(first); len(left) == 0 {
		t.Error("a run took the folder in which another one is listed")
	}
	if _, err := os.Readlink(second.listing.link); err != nil {
		t.Errorf("the other run is not listed any more: %v", err)
	}
	closed(second)
	if left := closed(open()); len(left) == 0 {
		t.Error("a run took a folder that was there before it")
	}
}
