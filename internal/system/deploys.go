package system

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/probity-run/probity/internal/ownfile"
)

// DeployState is a file of this user's, in the folder of all state folders: what a deployment keeps
// until it is up. Nobody else can read it.
type DeployState struct{ name string }

// DeployStateOf is that of a set in a namespace of a server.
func DeployStateOf(server, namespace, set string) DeployState {
	sum := sha256.Sum256([]byte(strings.Join([]string{server, namespace, set}, "\x00")))
	return DeployState{set + "-" + hex.EncodeToString(sum[:])[:16]}
}

// path is that of the folder.
func (s DeployState) path() (string, error) {
	home, err := stateHome()
	return filepath.Join(home, "deploys"), err
}

// isThere reports whether there may be such a file.
func (s DeployState) isThere() bool {
	path, err := s.path()
	if err != nil {
		return false
	}
	_, err = os.Lstat(filepath.Join(path, s.name))
	return !errors.Is(err, fs.ErrNotExist)
}

// in calls do with the folder, which it makes.
func (s DeployState) in(do func(*os.Root) error) error {
	path, err := s.path()
	if err != nil {
		return err
	}
	folder, err := openOwnDir(path)
	if err != nil {
		return err
	}
	defer folder.Close() // only used for names
	return do(folder)
}

// Write keeps something in the place of what was kept before.
func (s DeployState) Write(data []byte) error {
	err := s.in(func(folder *os.Root) error { return ownfile.WriteDurable(folder, s.name, data) })
	if err != nil {
		return fmt.Errorf("cannot keep what was before: %w", err)
	}
	return nil
}

// Read returns what is kept; [fs.ErrNotExist] if nothing is.
func (s DeployState) Read() (data []byte, err error) {
	if !s.isThere() {
		return nil, fs.ErrNotExist
	}
	err = s.in(func(folder *os.Root) error {
		data, err = ownfile.Read(folder, s.name, 0o077)
		return err
	})
	return data, err
}

// Remove keeps it no longer.
func (s DeployState) Remove() error {
	if !s.isThere() {
		return nil
	}
	return s.in(func(folder *os.Root) error { return folder.Remove(s.name) })
}
