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

// lookTime is how often the places of manifests are looked at, for what no event tells.
const lookTime = 500 * time.Millisecond

// fileWatch looks out for changes of manifests. Folders are watched, not files, as most editors
// replace the file; and since a folder may be replaced too, by git or behind a symbolic link as in
// the volume of a ConfigMap, the places are looked at now and then. Nil watches nothing. Close it.
type fileWatch struct {
	notify  *fsnotify.Watcher
	places  []*place
	outputs []fs.FileInfo // files that this process writes to
	// beside runs what may take for ever, on a file system that does not answer
	beside func(func())

	// manifests that events told of since they were read
	written map[string]bool
	// since the last look: files that events told of, folders that were taken away, and whether
	// something else in a folder has changed, which a manifest may be a link to
	told   map[string]bool
	gone   map[string]bool
	others bool
}

// newFileWatch watches the files and folders of a command line. Standard input cannot change.
func newFileWatch(paths []string, outputs []fs.FileInfo) (*fileWatch, error) {
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("probity: cannot watch the manifests for changes (%w)", err)
	}
	w := &fileWatch{notify: notify, outputs: outputs, beside: func(f func()) { go f() }, written: map[string]bool{}, told: map[string]bool{}, gone: map[string]bool{}}
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
	p := &place{path: path, isFolder: info.IsDir(), outputs: w.outputs}
	if err := w.notify.Add(p.watched()); err != nil {
		return err
	}
	p.folder = statOrNil(p.watched())
	p.lookAtFiles()
	w.places = append(w.places, p)
	return nil
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
	ticker := time.NewTicker(lookTime)
	defer ticker.Stop()
	looks, looked := ticker.C, make(chan bool, 1)
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
		case <-looks:
			looks = nil // one look at a time
			look := w.nextLook()
			w.beside(func() { looked <- look() })
		case found := <-looked:
			looks = ticker.C
			if !found {
				continue
			}
			pace.change(time.Now())
		case <-timer.C:
			now := time.Now()
			if pace.mayWait(now) && w.isWritten() {
				pace.change(now)
			} else if read, settled := pace.due(now); read {
				clear(w.written)
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

// nextLook is a look at all places, which reports whether something has changed that no event told.
// The next one has to wait for its end.
func (w *fileWatch) nextLook() (look func() bool) {
	told, gone, others := w.told, w.gone, w.others
	w.told, w.gone, w.others = map[string]bool{}, map[string]bool{}, false
	return func() (found bool) {
		for _, p := range w.places {
			if gone[p.watched()] {
				p.folder = nil
			}
			replaced := p.lookAtFolder(w.notify)
			if replaced || others || !p.isFolder || told[p.path] {
				changed := p.lookAtFiles()
				found = found || replaced || changed && !told[p.path]
			}
		}
		return found
	}
}

// concerns reports whether an event can change what is read.
func (w *fileWatch) concerns(event fsnotify.Event) (concerns bool) {
	if event.Op == fsnotify.Chmod {
		return false
	}
	for _, p := range w.places {
		switch {
		case event.Name == p.watched() && event.Op.Has(fsnotify.Remove|fsnotify.Rename):
			w.gone[event.Name] = true
			concerns = true
		case event.Name == p.path,
			p.isFolder && filepath.Dir(event.Name) == p.path && manifest.IsManifestName(filepath.Base(event.Name)) && !w.isOutput(event.Name):
			w.told[p.path], w.written[event.Name] = true, true
			concerns = true
		case p.isFolder && event.Op&^(fsnotify.Write|fsnotify.Chmod) != 0:
			w.others = true
		}
	}
	return concerns
}

// isWritten reports whether a manifest that has changed is still open to be written.
func (w *fileWatch) isWritten() bool {
	for name := range w.written {
		if isBeingWritten(name) {
			return true
		}
	}
	return false
}

// isOutput reports whether this process writes to a file.
func (w *fileWatch) isOutput(name string) bool {
	if len(w.outputs) == 0 {
		return false
	}
	info, err := os.Stat(name)
	return err == nil && slices.ContainsFunc(w.outputs, func(out fs.FileInfo) bool { return os.SameFile(out, info) })
}
