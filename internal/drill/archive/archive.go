// Package archive keeps what came of the last drills of a user, so that dashboards can show it.
// Each is a file that its user alone can read: a line about the drill, then its report, both in
// JSON and packed by gzip.
package archive

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/probity-run/probity/internal/drill"
	"github.com/probity-run/probity/internal/ownfile"
)

// Kept is how many drills are kept: the newest.
const Kept = 20

// suffix is that of the names of files. What is before it is when the drill began, in nanoseconds:
// names are in the order of time.
const suffix = ".drill.json.gz"

// Archive is a folder of drills. It has no state, so any number of processes may use one.
type Archive struct {
	// Open opens the folder; the error is an [fs.ErrNotExist] if there is none. Who calls it closes
	// that. Required.
	Open func() (*os.Root, error)
	// Make does the same, and makes the folder if there is none: only who keeps a drill leaves
	// something. Required.
	Make func() (*os.Root, error)
}

// Entry is a drill that is kept, in short.
type Entry struct {
	// Name is by which Read knows it.
	Name string `json:"-"`
	// Files are the absolute paths of the manifests.
	Files []string     `json:"files"`
	Began time.Time    `json:"began"`
	Took  drill.Offset `json:"took"`
	// Outcome is what came of it, in a line, and Grade its worst verdict.
	Outcome string      `json:"outcome"`
	Grade   drill.Grade `json:"grade"`
}

// IsOf reports whether the drill was of one of these manifests, or of one of a folder of them, or
// of a folder that one is in. Paths are absolute.
func (e Entry) IsOf(manifests []string) bool {
	below := func(path, folder string) bool {
		return path == folder || strings.HasPrefix(path, strings.TrimSuffix(folder, "/")+"/")
	}
	return slices.ContainsFunc(manifests, func(m string) bool {
		return slices.ContainsFunc(e.Files, func(file string) bool { return below(file, m) || below(m, file) })
	})
}

// Keep keeps a report, and removes the oldest drills if there are too many. What was drilled from
// standard input alone is not kept: no dashboard would know whose it is.
func (a Archive) Keep(e Entry, r *drill.Report) (err error) {
	e.Files = Paths(r.Files)
	if len(e.Files) == 0 {
		return nil
	}
	e.Began, e.Took = r.Began, r.Took
	data, err := encode(e, r)
	if err != nil {
		return fmt.Errorf("cannot write the report of the drill: %w", err)
	}
	folder, err := a.Make()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, folder.Close()) }()
	if err := ownfile.Write(folder, fmt.Sprintf("%019d%s", r.Began.UnixNano(), suffix), data); err != nil {
		return fmt.Errorf("cannot keep the report of the drill: %w", err)
	}
	names, err := namesIn(folder)
	if err != nil {
		return err
	}
	for _, old := range names[min(len(names), Kept):] {
		if err := folder.Remove(old + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("cannot remove an old drill: %w", err)
		}
	}
	return nil
}

// unlessMissing is nil if there is no folder: then there are no drills.
func unlessMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Paths are the absolute paths of manifests, without standard input.
func Paths(files []string) (paths []string) {
	for _, f := range files {
		if path, err := filepath.Abs(f); f != "-" && err == nil {
			paths = append(paths, path)
		}
	}
	return paths
}

// Names are those of all drills that are kept, the newest first.
func (a Archive) Names() ([]string, error) {
	folder, err := a.Open()
	if err != nil {
		return nil, unlessMissing(err)
	}
	defer folder.Close() // only read from
	return namesIn(folder)
}

func namesIn(folder *os.Root) (names []string, err error) {
	dir, err := folder.Open(".")
	if err != nil {
		return nil, err
	}
	defer dir.Close() // only read from
	all, err := dir.Readdirnames(-1)
	for _, file := range all {
		if name, ok := strings.CutSuffix(file, suffix); ok && isName(name) {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Compare(b, a) })
	return names, err
}

// isName reports whether a name is one of a drill: digits alone, so that it can be part of a path.
func isName(name string) bool { return name != "" && strings.Trim(name, "0123456789") == "" }

// List are the drills that are kept, the newest first. With an error there may be some, too.
func (a Archive) List() (all []Entry, err error) {
	folder, err := a.Open()
	if err != nil {
		return nil, unlessMissing(err)
	}
	defer folder.Close() // only read from
	names, err := namesIn(folder)
	for _, name := range names[:min(len(names), Kept)] {
		data, readErr := ownfile.Read(folder, name+suffix, ownfile.Private)
		if errors.Is(readErr, fs.ErrNotExist) {
			continue // another drill has just removed it
		}
		var e Entry
		if readErr == nil {
			e, readErr = decodeEntry(data)
		}
		if readErr != nil {
			err = errors.Join(err, fmt.Errorf("cannot read the drill %s: %w", filepath.Join(folder.Name(), name+suffix), readErr))
			continue
		}
		e.Name = name
		all = append(all, e)
	}
	return all, err
}

// Read is the report of a drill. The error is an [fs.ErrNotExist] if it is not kept.
func (a Archive) Read(name string) (*drill.Report, error) {
	if !isName(name) {
		return nil, fs.ErrNotExist
	}
	folder, err := a.Open()
	if err != nil {
		return nil, err
	}
	defer folder.Close() // only read from
	data, err := ownfile.Read(folder, name+suffix, ownfile.Private)
	if err != nil {
		return nil, err
	}
	r, err := decode(data)
	if err != nil {
		return nil, fmt.Errorf("cannot read the drill %s: %w", filepath.Join(folder.Name(), name+suffix), err)
	}
	return r, nil
}

// Clear removes all drills, and returns the paths of those.
func (a Archive) Clear() (removed []string, err error) {
	folder, err := a.Open()
	if err != nil {
		return nil, unlessMissing(err)
	}
	defer folder.Close() // only used for names
	names, err := namesIn(folder)
	for _, name := range names {
		if removeErr := folder.Remove(name + suffix); removeErr != nil {
			err = errors.Join(err, removeErr)
			continue
		}
		removed = append(removed, filepath.Join(folder.Name(), name+suffix))
	}
	return removed, err
}
