package process

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestShepherdRemoves: what shall not outlive Probity is removed by the shepherd, which does.
func TestShepherdRemoves(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "secrets")
	if err := errors.Join(os.Mkdir(dir, 0o700), os.WriteFile(filepath.Join(dir, "key"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	s, err := NewShepherd(ShepherdOptions{Remove: []string{dir}})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.conn.close(); err != nil { // as the kernel does it when Probity is killed
		t.Fatal(err)
	}
	<-s.Done()
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is there: %v", err)
	}
	if err := s.Close(); !errors.Is(err, ErrShepherdGone) {
		t.Errorf("error %v, want %v", err, ErrShepherdGone)
	}
}
