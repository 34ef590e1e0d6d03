package system

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// TestDeployState: what is kept of a set is this user's alone, another server has its own, and
// where nothing was kept no folder is made.
func TestDeployState(t *testing.T) {
	home := folder(t)
	t.Setenv("XDG_STATE_HOME", home)
	here, there := DeployStateOf("https://here", "shop", "app"), DeployStateOf("https://there", "shop", "app")
	if _, err := here.Read(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
	if err := here.Remove(); err != nil {
		t.Error(err)
	}
	if entries, err := os.ReadDir(home); err != nil || len(entries) > 0 {
		t.Errorf("%v is there, %v", entries, err)
	}
	for _, text := range []string{"old", "new"} {
		if err := here.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if data, err := here.Read(); string(data) != "new" || err != nil {
		t.Errorf("read %q, %v", data, err)
	}
	if _, err := there.Read(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the same is kept of another server: %v", err)
	}
	info, err := os.Stat(filepath.Join(home, "probity", "deploys", here.name))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info, err)
	}
	if err := here.Remove(); err != nil {
		t.Error(err)
	}
	if _, err := here.Read(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is still kept: %v", err)
	}
}
