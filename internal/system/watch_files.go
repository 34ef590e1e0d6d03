package system

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// settleTime is how long files have to be left alone until they are read again: editors write in
// several steps.
const settleTime = 100 * time.Millisecond

// fileWatch looks out for changes of manifests. Folders are watched, not files, as most editors
// replace the file. Close it.
type fileWatch struct {
	notify  *fsnotify.Watcher
	files   map[string]bool // absolute
	folders map[string]bool // whose every file counts
}

// newFileWatch watches the files and folders of a command line. Standard input cannot change.
func newFileWatch(paths []string) (*fileWatch, error) {
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("cannot watch the manifests for changes: %w", err)
	}
	w := &fileWatch{notify: notify, files: map[string]bool{}, folders: map[string]bool{}}
	for _, path := range paths {
		if path == "-" {
			continue
		}
		if err := w.add(path); err != nil {
			return nil, errors.Join(fmt.Errorf("cannot watch %s for changes: %w", path, err), notify.Close())
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

func (w *fileWatch) close() error { return w.notify.Close() }

// run calls changed some time after each change, until the context is done.
func (w *fileWatch) run(ctx context.Context, changed func()) error {
	quiet := time.NewTimer(time.Hour)
	quiet.Stop()
	defer quiet.Stop()
	for {
		select {
		case event := <-w.notify.Events:
			if w.concerns(event) {
				quiet.Reset(settleTime)
			}
		case err := <-w.notify.Errors:
			if !errors.Is(err, fsnotify.ErrEventOverflow) {
				return fmt.Errorf("cannot watch the manifests for changes: %w", err)
			}
			quiet.Reset(settleTime) // some change was lost
		case <-quiet.C:
			changed()
		case <-ctx.Done():
			return nil
		}
	}
}

func (w *fileWatch) concerns(event fsnotify.Event) bool {
	if event.Op == fsnotify.Chmod {
		return false
	}
	return w.files[event.Name] || w.folders[filepath.Dir(event.Name)]
}
