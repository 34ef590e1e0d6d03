package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// olderRelease lists the files in a folder, which have to be those of an older release and nothing
// else. A folder that is empty, or not there, has none.
func olderRelease(out string) ([]string, error) {
	entries, err := os.ReadDir(out)
	if err != nil && !errors.Is(err, fs.ErrNotExist) || len(entries) == 0 {
		return nil, ignoreMissing(err)
	}
	sums, err := os.ReadFile(filepath.Join(out, sumsName))
	if ignoreMissing(err) != nil {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("%s is not empty and has no %s of an older release: remove it, or choose another folder by -out", out, sumsName)
	}
	released := []string{sumsName}
	for line := range strings.Lines(string(sums)) {
		_, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		released = append(released, name)
	}
	var names []string
	for _, entry := range entries {
		if !entry.Type().IsRegular() || !slices.Contains(released, entry.Name()) {
			return nil, fmt.Errorf("%s has %s, which its %s does not name: move it away, or choose another folder by -out", out, entry.Name(), sumsName)
		}
		names = append(names, entry.Name())
	}
	return names, nil
}

// newFolder makes a folder beside another one, whose place it can take.
func newFolder(out string) (string, error) {
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return "", err
	}
	folder, err := os.MkdirTemp(filepath.Dir(out), filepath.Base(out)+".new-")
	if err != nil {
		return "", err
	}
	return folder, os.Chmod(folder, 0o755) // it was for its owner alone
}

// replaceFolder puts a folder in the place of an older release, of which it removes each file by
// its name: what has come to them meanwhile stays, and the older release too.
func replaceFolder(out, folder string) error {
	older, err := olderRelease(out)
	if err != nil {
		return err
	}
	for _, name := range older {
		if err := os.Remove(filepath.Join(out, name)); err != nil {
			return err
		}
	}
	if err := ignoreMissing(os.Remove(out)); err != nil {
		return err
	}
	return os.Rename(folder, out)
}

// ignoreMissing is the error, unless it says that something is not there.
func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
