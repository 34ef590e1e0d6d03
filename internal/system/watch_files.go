package system

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/probity-run/probity/internal/manifest"
)

// unwatched is what a person can do where files cannot be watched.
const unwatched = ": run goes on without that; probity apply, or the signal HUP, has them read again"

// fileWatch looks out for changes of manifests. Folders are watched, not files, as most editors
// replace the file. Nil watches nothing. Close it.
type fileWatch struct {
	notify  *fsnotify.Watcher
	files   map[string]bool // absolute
	folders map[string]bool // whose every manifest counts
	outputs []fs.FileInfo   // files that this process writes to
}

// newFileWatch watches the files and folders of a command line. Standard input cannot change.
func newFileWatch(paths []string, outputs []fs.FileInfo) (*fileWatch, error) {
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("probity: cannot watch the manifests for changes (%w)", err)
	}
	w := &fileWatch{notify: notify, files: map[string]bool{}, folders: map[string]bool{}, outputs: outputs}
	for _, path := range paths {
		if path == "-" {
			continue
		}
		if err := w.add(path); err != nil {
			return nil, errors.Join(fmt.Errorf("probity: cannot watch %s for changes (%w)", path, err), notify.Close())
		}
	}
	return w, nil
}

func (w *fileWatch) add(path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.IsDir() {
		w.folders[path] = true
		return w.notify.Add(path)
	}
	w.files[path] = true
	return w.notify.Add(filepath.Dir(path))
}

func (w *fileWatch) close() error {
	if w == nil {
		return nil
	}
	return w.notify.Close()
}

// run calls changed soon after each change, and once more, settled, when nothing has changed for
// longer. It returns when the context is done, or cannot go on.
func (w *fileWatch) run(ctx context.Context, changed func(settled bool)) error {
	if w == nil {
		return nil
	}
	var pace pace
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	defer timer.Stop()
	for {
		select {
		case event := <-w.notify.Events:
			if !w.concerns(event) {
				continue
			}
			pace.change(time.Now())
		case err := <-w.notify.Errors:
			if !errors.Is(err, fsnotify.ErrEventOverflow) {
				return fmt.Errorf("probity: cannot watch the manifests for changes any more (%w)", err)
			}
			pace.change(time.Now()) // some change was lost
		case <-timer.C:
			if read, settled := pace.due(time.Now()); read {
				changed(settled)
			}
		case <-ctx.Done():
			return nil
		}
		if next := pace.next(); !next.IsZero() {
			timer.Reset(time.Until(next))
		}
	}
}

// concerns reports whether an event can change what is read.
func (w *fileWatch) concerns(event fsnotify.Event) bool {
	if event.Op == fsnotify.Chmod {
		return false
	}
	if w.files[event.Name] {
		return true
	}
	return w.folders[filepath.Dir(event.Name)] && manifest.IsManifestName(filepath.Base(event.Name)) && !w.isOutput(event.Name)
}

// isOutput reports whether this process writes to a file.
func (w *fileWatch) isOutput(name string) bool {
	if len(w.outputs) == 0 {
		return false
	}
	info, err := os.Stat(name)
	return err == nil && slices.ContainsFunc(w.outputs, func(out fs.FileInfo) bool { return os.SameFile(out, info) })
}
