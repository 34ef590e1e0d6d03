package system

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/fsnotify/fsnotify"

	"github.com/probity-run/probity/internal/manifest"
)

// place is a file or a folder of a command line, and what was there when somebody looked last. What
// the kernel reports is about the folder that it knows; who replaces that as a whole, or a link on
// the way to it, is only found by looking.
type place struct {
	path     string // absolute
	isFolder bool
	// of the folder that is watched, and of the manifests: by name in a folder
	folder fs.FileInfo
	files  map[string]fs.FileInfo
	// outputs are files that this process writes to
	outputs []fs.FileInfo
}

// watched is the folder that events come from.
func (p *place) watched() string {
	if p.isFolder {
		return p.path
	}
	return filepath.Dir(p.path)
}

// lookAtFolder reports whether there is another folder than before, and has it watched.
func (p *place) lookAtFolder(notify *fsnotify.Watcher) (replaced bool) {
	was := p.folder
	p.folder = statOrNil(p.watched())
	if p.folder == nil || was != nil && os.SameFile(was, p.folder) {
		return false
	}
	if err := notify.Remove(p.watched()); err != nil && !errors.Is(err, fsnotify.ErrNonExistentWatch) || notify.Add(p.watched()) != nil {
		p.folder = nil // looked at once more the next time
		return false
	}
	return true
}

// lookAtFiles reports whether a manifest is another one than before, or is written.
func (p *place) lookAtFiles() (changed bool) {
	was := p.files
	p.files = map[string]fs.FileInfo{}
	if p.isFolder {
		entries, err := os.ReadDir(p.path)
		if err != nil {
			return false // it is away for a moment, or for ever: that shows when it is read
		}
		for _, e := range entries {
			if !manifest.IsManifestName(e.Name()) {
				continue
			}
			info := statOrNil(filepath.Join(p.path, e.Name()))
			if !slices.ContainsFunc(p.outputs, func(out fs.FileInfo) bool { return info != nil && os.SameFile(out, info) }) {
				p.files[e.Name()] = info
			}
		}
	} else {
		p.files[""] = statOrNil(p.path)
	}
	return !maps.EqualFunc(was, p.files, sameContent)
}

// sameContent reports whether two sights of a file are of the same one, not written since.
func sameContent(a, b fs.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

func statOrNil(path string) fs.FileInfo {
	info, err := os.Stat(path)
	if err != nil {
		return nil
	}
	return info
}
