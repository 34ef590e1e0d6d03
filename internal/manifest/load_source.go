package manifest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// stdinName stands for standard input in positions.
const stdinName = "<stdin>"

// path reads one argument of Load.
func (l *loader) path(path string) {
	if path == "-" {
		l.stdin()
		return
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		l.unreadable(path, err)
	case info.IsDir():
		l.folder(path)
	case !l.file(path):
		l.empty(path)
	}
}

func (l *loader) stdin() {
	if l.opts.Stdin == nil {
		l.unreadable(stdinName, errors.New("there is no standard input here"))
		return
	}
	if !l.reader(stdinName, l.opts.Stdin) {
		l.empty(stdinName)
	}
}

func (l *loader) folder(path string) {
	entries, err := os.ReadDir(path)
	if err != nil {
		l.unreadable(path, err)
		return
	}
	files, content := 0, false
	for _, e := range entries {
		if !isManifestName(e.Name()) {
			continue
		}
		name := filepath.Join(path, e.Name())
		// A named pipe would block and a folder may be called x.yaml; a link to a file is fine.
		if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
			continue
		}
		files++
		content = l.file(name) || content
	}
	switch {
	case files == 0:
		l.fail(&Error{Position: Position{File: path}, Reason: ReasonRead,
			Message: "no manifest in this folder: expected files named *.yaml, *.yml or *.json (subfolders are not read)"})
	case !content:
		l.empty(path)
	}
}

func isManifestName(name string) bool {
	return !strings.HasPrefix(name, ".") && slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(name))
}

// file reports whether anything was in it, errors included.
func (l *loader) file(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		l.unreadable(path, err)
		return true
	}
	defer f.Close() // only read from: nothing to lose
	return l.reader(path, f)
}

func (l *loader) reader(name string, r io.Reader) bool {
	data, err := io.ReadAll(io.LimitReader(r, l.opts.MaxFileBytes+1))
	if err != nil {
		l.unreadable(name, err)
		return true
	}
	return l.documents(name, data)
}

func (l *loader) unreadable(name string, err error) {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		err = pathErr.Err // the name is the position already
	}
	l.fail(&Error{Position: Position{File: name}, Reason: ReasonRead, Message: fmt.Sprintf("cannot read: %v", err)})
}

func (l *loader) empty(name string) {
	l.fail(&Error{Position: Position{File: name}, Reason: ReasonRead,
		Message: "nothing in it: expected at least one Kubernetes object"})
}
