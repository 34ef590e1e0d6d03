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
	case !l.file(path, l.opts.RegularFiles):
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
		if !IsManifestName(e.Name()) {
			continue
		}
		name := filepath.Join(path, e.Name())
		if why, skip := l.passOver(name); skip {
			if why != "" {
				l.set.Warnings = append(l.set.Warnings, Note{Position: Position{File: name}, Message: "passed over: " + why})
			}
			continue
		}
		files++
		content = l.file(name, true) || content
	}
	switch {
	case files == 0:
		l.fail(&Error{Position: Position{File: path}, Reason: ReasonRead,
			Message: "no manifest in this folder: expected files named *.yaml, *.yml or *.json (subfolders are not read)"})
	case !content:
		l.empty(path)
	}
}

// passOver reports whether a file of a folder is none to read. One that leads nowhere is no reason
// to refuse the others; a named pipe would block; a folder may be called x.yaml.
func (l *loader) passOver(name string) (why string, skip bool) {
	info, err := os.Stat(name)
	if err == nil && (info.IsDir() || slices.ContainsFunc(l.opts.Outputs, func(out fs.FileInfo) bool { return os.SameFile(out, info) })) {
		return "", true
	}
	if err == nil {
		return "it is not a regular file", !info.Mode().IsRegular()
	}
	link, linkErr := os.Lstat(name)
	if errors.Is(linkErr, fs.ErrNotExist) {
		return "", true // it was removed a moment ago
	}
	return "the symbolic link leads nowhere", linkErr == nil && link.Mode().Type() == fs.ModeSymlink && !errors.Is(err, fs.ErrPermission)
}

// IsManifestName reports whether a file of that name is read as part of a folder.
func IsManifestName(name string) bool {
	return !strings.HasPrefix(name, ".") && slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(name))
}

// file reports whether anything was in it, errors included. regular refuses all but regular files,
// which could keep the caller waiting for ever.
func (l *loader) file(path string, regular bool) bool {
	open := os.Open
	if regular {
		open = OpenRegular
	}
	f, err := open(path)
	if err != nil {
		l.unreadable(path, err)
		return true
	}
	defer f.Close() // only read from: nothing to lose
	return l.reader(path, f)
}

func (l *loader) reader(name string, r io.Reader) bool {
	left := l.opts.MaxBytes - l.bytes
	if left < 0 {
		return true // nothing is read any more
	}
	data, err := io.ReadAll(io.LimitReader(r, min(l.opts.MaxFileBytes, left)+1))
	if err != nil {
		l.unreadable(name, err)
		return true
	}
	if l.bytes += int64(len(data)); l.bytes > l.opts.MaxBytes && int64(len(data)) <= l.opts.MaxFileBytes {
		l.limit(Position{File: name}, "with this file there are more than %d bytes of manifests, and those behind it were not read; run them in parts", l.opts.MaxBytes)
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
