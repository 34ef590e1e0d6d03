package system

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strings"

	"github.com/probity-run/probity/internal/ownfile"
)

// stateHome is the folder of all state folders that have no name of their own, below that for state
// which outlives programs (XDG base directories).
func stateHome() (string, error) {
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) && !isOfAnother(dir) {
		return filepath.Join(dir, "probity"), nil
	}
	home, err := os.UserHomeDir()
	if err == nil && isOfAnother(home) {
		home, err = rootHome()
	}
	if err != nil {
		return "", fmt.Errorf("cannot find a state folder: %w; --state-dir names one", err)
	}
	return filepath.Join(home, ".local", "state", "probity"), nil
}

// OpenKept opens a folder of this user for what outlasts runs, beside their state folders. The
// error is an [fs.ErrNotExist] if there is none; it is refused if others could write to it.
func OpenKept(name string) (*os.Root, error) {
	home, err := stateHome()
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(home, name)); err != nil {
		return nil, err
	}
	return openOwnDir(filepath.Join(home, name))
}

// MakeKept is [OpenKept] that makes the folder if there is none.
func MakeKept(name string) (*os.Root, error) {
	home, err := stateHome()
	if err != nil {
		return nil, err
	}
	return openOwnDir(filepath.Join(home, name))
}

// isOfAnother reports whether the caller is root and a folder belongs to another user, as with
// sudo, which may keep HOME: what root makes there that user could not remove, and could replace.
func isOfAnother(dir string) bool {
	if os.Geteuid() != 0 {
		return false
	}
	for {
		info, err := os.Stat(dir)
		if err == nil {
			return ownfile.OwnerOf(info) != 0
		}
		if !errors.Is(err, fs.ErrNotExist) || dir == filepath.Dir(dir) {
			return false
		}
		dir = filepath.Dir(dir)
	}
}

func rootHome() (string, error) {
	root, err := user.LookupId("0")
	if err != nil {
		return "", err
	}
	return root.HomeDir, nil
}

// maxKeyName is how much of a manifest's name becomes part of a folder's: names are limited, and
// the paths of sockets even more.
const maxKeyName = 32

// manifestKey is a name for a set of manifests: readable, and unique by a hash of their absolute
// paths.
func manifestKey(paths []string) string {
	if len(paths) == 0 {
		paths = []string{"."}
	}
	h := sha256.New()
	var name string
	for i, p := range paths {
		if abs, err := filepath.Abs(p); err == nil {
			p = abs
		}
		if i == 0 {
			name = strings.TrimSuffix(filepath.Base(p), filepath.Ext(p))
		}
		h.Write([]byte(p + "\x00"))
	}
	if len(name) > maxKeyName {
		name = strings.ToValidUTF8(name[:maxKeyName], "")
	}
	return name + "-" + hex.EncodeToString(h.Sum(nil))[:8]
}
