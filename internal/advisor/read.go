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
	"github.com/probity-run/probity/internal/printable"
)

// StdinName stands for standard input in findings.
const StdinName = "<stdin>"

// limits are wider than those of a run: rendered bundles are large.
func limits() manifest.Options {
	return manifest.Options{MaxFileBytes: 16 << 20, MaxDocuments: 10_000}
}

// input is one file, or standard input, to be decoded.
type input struct {
	name string
	read func() ([]byte, error)
	// explicit means that a path names it: it must hold an object. A file in a folder may be
	// anything.
	explicit bool

	data []byte
	set  *manifest.Set
	err  error
}

// Read reads files, folders with everything below them (*.yaml, *.yml, *.json, but nothing hidden),
// and, for "-", stdin, and relates the objects in them to each other.
//
// The error joins what could not be read, one line each, beside what could. Files are decoded in as
// many goroutines as there are CPUs, which have ended when Read returns.
func Read(stdin io.Reader, paths ...string) (*Manifests, error) {
	inputs, err := find(stdin, paths)
	work := make(chan *input)
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(inputs)) {
		workers.Go(func() {
			for in := range work {
				in.decode()
			}
		})
	}
	for _, in := range inputs {
		work <- in
	}
	close(work)
	workers.Wait()
	errs := []error{err}
	files := map[string][]byte{}
	var objects []manifest.Object
	for _, in := range inputs {
		errs = append(errs, in.err)
		if in.set != nil && len(in.set.Objects) > 0 {
			objects = append(objects, in.set.Objects...)
			files[in.name] = in.data
		}
	}
	return NewManifests(objects, files), errors.Join(errs...)
}

func (in *input) decode() {
	data, err := in.read()
	if err != nil {
		if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
			err = pathErr.Err
		}
		in.err = fmt.Errorf("%s: cannot read: %w", printable.File(in.name), err)
		return
	}
	in.data = data
	in.set, in.err = manifest.DecodeLenient(limits(), in.name, in.data)
	if in.err == nil && in.explicit && len(in.set.Objects)+len(in.set.Unknown) == 0 {
		in.err = fmt.Errorf("%s: nothing in it: expected at least one Kubernetes object", printable.File(in.name))
	}
}

// find lists the files that paths mean, each once.
func find(stdin io.Reader, paths []string) ([]*input, error) {
	var list []*input
	var errs []error
	seen := map[string]bool{}
	add := func(name string, read func() ([]byte, error), explicit bool) {
		if !seen[name] {
			seen[name] = true
			list = append(list, &input{name: name, read: read, explicit: explicit})
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
			errs = append(errs, fmt.Errorf("%s: cannot read: %w", printable.File(path), errors.Unwrap(err)))
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
		return names, fmt.Errorf("%s: cannot read: %w", printable.File(folder), err)
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%s: no manifest in this folder: expected files named *.yaml, *.yml or *.json", printable.File(folder))
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
