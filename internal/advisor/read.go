package advisor

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/probity-run/probity/internal/formats"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/printable"
)

// StdinName stands for standard input in findings.
const StdinName = "<stdin>"

// limits are wider than those of a run where they are about many objects together: rendered bundles
// are large, and a cluster takes them. What a run refuses in one object is reported.
func limits() manifest.Options {
	return manifest.Options{MaxFileBytes: 16 << 20, MaxDocuments: 10_000, MaxServicePorts: math.MaxInt, Formats: formats.All(formats.Options{})}
}

// input is one file, or standard input, to be decoded.
type input struct {
	name string
	read func() ([]byte, error)
	// mixed means that a folder holds it, and it may be anything. A file that a path names must
	// hold an object.
	mixed bool

	source Source
	err    error
}

// Read reads files, folders with what [Walk] finds below them, and, for "-", stdin, and relates the
// objects in them to each other. excludes are patterns of what to leave out of folders.
//
// The error joins what could not be read, one line each, beside what could. Files are decoded in as
// many goroutines as there are CPUs, which have ended when Read returns.
func Read(stdin io.Reader, excludes []string, paths ...string) (*Manifests, error) {
	return ReadFormats(nil, stdin, excludes, paths...)
}

// ReadFormats is Read for files that may have these formats beside that of Kubernetes.
func ReadFormats(formats []manifest.Format, stdin io.Reader, excludes []string, paths ...string) (*Manifests, error) {
	if formats == nil {
		formats = asNamed(paths)
	}
	inputs, passedOver, err := find(stdin, excludes, paths)
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
		in.source.Formats = formats
		work <- in
	}
	close(work)
	workers.Wait()
	errs := []error{err}
	pieces := newKustomizations()
	var sources []Source
	for _, in := range inputs {
		errs = append(errs, in.err)
		in.source.Pieces, in.source.Patch = pieces.completes(in.name)
		sources = append(sources, in.source)
	}
	m := NewManifests(sources...)
	m.PassedOver = append(passedOver, m.PassedOver...)
	return m, errors.Join(errs...)
}

// asNamed are the formats of files that are judged each for itself.
func asNamed(paths []string) []manifest.Format {
	return formats.All(formats.Options{Named: paths})
}

func (in *input) decode() {
	in.source.Name, in.source.Mixed = in.name, in.mixed
	text, err := in.read()
	if err != nil {
		if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
			err = pathErr.Err
		}
		in.err = fmt.Errorf("%s: cannot read: %w", printable.File(in.name), err)
		return
	}
	in.source.Text = text
	in.source, in.err = in.source.decode()
	if set := in.source.Set; in.err == nil && !in.mixed && len(set.Objects)+len(set.Unknown)+len(set.Joined) == 0 && !namesKind(set) {
		in.err = fmt.Errorf("%s: nothing in it: expected at least one Kubernetes object", printable.File(in.name))
		if len(set.NotApplied) > 0 { // of a document of another format, that is why
			in.err = fmt.Errorf("nothing in it: %s", set.NotApplied[0])
		}
	}
}

// namesKind reports whether something that was refused names a kind, or is a document of another
// format, and so is meant to be an object.
func namesKind(set *manifest.Set) bool {
	for _, e := range set.Invalid {
		if e.Object.Kind != "" || e.Object.Name != "" || e.Original.Format != "" {
			return true
		}
	}
	return false
}

// find lists the files that paths mean, each once.
func find(stdin io.Reader, excludes, paths []string) ([]*input, []manifest.PassedOver, error) {
	var list []*input
	var passedOver []manifest.PassedOver
	var errs []error
	seen := map[string]bool{}
	add := func(name string, read func() ([]byte, error), mixed bool) {
		if !seen[name] {
			seen[name] = true
			list = append(list, &input{name: name, read: read, mixed: mixed})
		}
	}
	for _, path := range paths {
		if path == "-" {
			add(StdinName, func() ([]byte, error) { return readAll(stdin) }, false)
			continue
		}
		info, err := os.Stat(path)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("%s: cannot read: %w", printable.File(path), errors.Unwrap(err)))
		case !info.IsDir():
			add(filepath.Clean(path), func() ([]byte, error) { return readFile(path) }, false)
		default:
			below, err := walk(path, excludes)
			errs = append(errs, err)
			passedOver = append(passedOver, below.passedOver...)
			for _, name := range below.names {
				add(name, func() ([]byte, error) { return readFile(name) }, true)
			}
		}
	}
	return list, passedOver, errors.Join(errs...)
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
