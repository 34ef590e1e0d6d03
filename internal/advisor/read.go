package advisor

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/probity-run/probity/internal/manifest"
)

// StdinName stands for standard input in findings.
const StdinName = "<stdin>"

// limits are wider than those of a run: rendered bundles are large.
func limits() manifest.Options {
	return manifest.Options{MaxFileBytes: 16 << 20, MaxDocuments: 10_000}
}

// source is one file on its way into the world.
type source struct {
	name string
	read func() ([]byte, error)
	// explicit files must hold an object; what lies in a folder may be anything.
	explicit bool

	data []byte
	set  *manifest.Set
	err  error
}

// Read makes a world of files, of folders with everything below them (*.yaml, *.yml, *.json, but
// nothing hidden), and, for "-", of stdin.
//
// The error joins what could not be read, one line each; the world holds what could. Files are
// decoded in as many goroutines as there are CPUs, which have ended when Read returns.
func Read(stdin io.Reader, paths ...string) (*World, error) {
	sources, err := find(stdin, paths)
	work := make(chan *source)
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(sources)) {
		workers.Go(func() {
			for s := range work {
				s.decode()
			}
		})
	}
	for _, s := range sources {
		work <- s
	}
	close(work)
	workers.Wait()
	errs := []error{err}
	files := map[string][]byte{}
	var objects []manifest.Object
	for _, s := range sources {
		errs = append(errs, s.err)
		if s.set != nil && len(s.set.Objects) > 0 {
			objects = append(objects, s.set.Objects...)
			files[s.name] = s.data
		}
	}
	return NewWorld(objects, files), errors.Join(errs...)
}

func (s *source) decode() {
	data, err := s.read()
	if err != nil {
		if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
			err = pathErr.Err
		}
		s.err = fmt.Errorf("%s: cannot read: %w", s.name, err)
		return
	}
	s.data = data
	s.set, s.err = manifest.DecodeLenient(limits(), s.name, s.data)
	if s.err == nil && s.explicit && len(s.set.Objects)+len(s.set.Unknown) == 0 {
		s.err = fmt.Errorf("%s: nothing in it: expected at least one Kubernetes object", s.name)
	}
}

// find lists the files that paths mean, each once.
func find(stdin io.Reader, paths []string) ([]*source, error) {
	var list []*source
	var errs []error
	seen := map[string]bool{}
	add := func(name string, read func() ([]byte, error), explicit bool) {
		if !seen[name] {
			seen[name] = true
			list = append(list, &source{name: name, read: read, explicit: explicit})
		}
	}
	for _, path := range paths {
		if path == "-" {
			add(StdinName, func() ([]byte, error) { return readAll(stdin) }, true)
			continue
		}
		info, err := os.Stat(path)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("%s: cannot read: %w", path, errors.Unwrap(err)))
		case !info.IsDir():
			add(filepath.Clean(path), func() ([]byte, error) { return readFile(path) }, true)
		default:
			names, err := manifestsBelow(path)
			errs = append(errs, err)
			for _, name := range names {
				add(name, func() ([]byte, error) { return readFile(name) }, false)
			}
		}
	}
	return list, errors.Join(errs...)
}

// manifestsBelow lists the files of a folder and its subfolders in the order of their names.
func manifestsBelow(folder string) ([]string, error) {
	var names []string
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		hidden := strings.HasPrefix(d.Name(), ".") && path != folder
		switch {
		case err != nil:
			return err
		case hidden && d.IsDir():
			return fs.SkipDir
		case hidden || d.IsDir() || !slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(path)):
			return nil
		}
		if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
			return nil // a named pipe would block
		}
		names = append(names, path)
		return nil
	})
	if err != nil {
		return names, fmt.Errorf("%s: cannot read: %w", folder, err)
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%s: no manifest in this folder: expected files named *.yaml, *.yml or *.json", folder)
	}
	return names, nil
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() // only read from: nothing to lose
	return readAll(f)
}

// readAll stops where the file is too large in any case.
func readAll(r io.Reader) ([]byte, error) {
	if r == nil {
		return nil, errors.New("there is no standard input here")
	}
	return io.ReadAll(io.LimitReader(r, limits().MaxFileBytes+1))
}

// Parse makes a world of one text; name stands for the file in findings.
func Parse(name string, data []byte) (*World, error) {
	s := &source{name: name, read: func() ([]byte, error) { return data, nil }, explicit: true}
	s.decode()
	if s.set == nil {
		return NewWorld(nil, nil), s.err
	}
	return NewWorld(s.set.Objects, map[string][]byte{name: s.data}), s.err
}
