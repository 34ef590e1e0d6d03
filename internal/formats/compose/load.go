package compose

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/probity-run/probity/internal/manifest"
)

// Options say where what a Compose file names comes from.
type Options struct {
	// File is the path of the Compose file, from which relative paths are seen.
	File string
	// Lookup is the environment of variables in the file. The file .env beside the Compose file
	// gives those that it does not know. Default: no variable is known.
	Lookup func(name string) (value string, ok bool)
	// ReadFile reads a file that the Compose file names. Default: no file can be read.
	ReadFile func(path string) ([]byte, error)
	// Profiles are active, besides those of the variable COMPOSE_PROFILES.
	Profiles []string
	// Named are the files that a person has named, if that is known. Of a folder that was named,
	// the files are read that Docker Compose would read there. Default: none.
	Named []string
	// Together means that what is named is run or written together, so that a file that has
	// services of one before is put on top of that. Default: each stands alone.
	Together bool
	// Liveness adds a liveness probe to what a health check becomes.
	Liveness bool
}

// loader puts a project together from files.
type loader struct {
	opts Options
	*problems
	unset map[string]bool // variables that were found to be not set
}

// model is one file, and what it includes.
type model struct {
	root     *value
	services *value
	lookup   func(string) (string, bool)
}

func newLoader(opts Options) *loader {
	if opts.Lookup == nil {
		opts.Lookup = func(string) (string, bool) { return "", false }
	}
	if opts.ReadFile == nil {
		opts.ReadFile = func(path string) ([]byte, error) {
			return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
		}
	}
	return &loader{opts: opts, problems: &problems{}, unset: map[string]bool{}}
}

// read reads the file that the options name, and files that are put on top of it, in turn.
func (l *loader) read(root *yaml.Node, over ...string) *Project {
	m := l.model(l.opts.File, root, l.opts.Lookup, nil)
	p := &Project{}
	l.top(m.root, p)
	usual := l.opts.Lookup
	l.opts.Lookup = m.lookup // the folder of the first file is the project's
	for _, path := range over {
		o := l.open(path, m.root.at, Path{}, []string{l.opts.File})
		if o == nil {
			continue
		}
		l.top(o.root, p)
		m.services = l.merged(l.extended(m.services, m, []string{l.opts.File}), l.extended(o.services, o, []string{path}), Path{Field: "services"})
	}
	l.opts.Lookup = usual
	l.project(m, p)
	return p
}

// withEnvFile adds the variables of a file to those that are known already. A file that is not
// there adds none.
func (l *loader) withEnvFile(lookup func(string) (string, bool), path string) func(string) (string, bool) {
	data, err := l.opts.ReadFile(path)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) && !isFolder(err) {
			l.fail(Place{Position: manifest.Position{File: path}}, Path{}, manifest.ReasonRead, "cannot read: %v", reason(err))
		}
		return lookup
	}
	all, err := parseEnv(string(data), lookup)
	if err != nil {
		l.fail(Place{Position: manifest.Position{File: path}}, Path{}, manifest.ReasonSyntax, "not an environment file: %v", err)
	}
	known := map[string]string{}
	for _, v := range all {
		if !v.bare {
			known[v.name] = v.value
		}
	}
	return func(name string) (string, bool) {
		if v, ok := lookup(name); ok {
			return v, true
		}
		v, ok := known[name]
		return v, ok
	}
}

// isFolder reports whether a file could not be read because it is a folder, as .env is one of
// Python now and then.
func isFolder(err error) bool {
	return strings.HasSuffix(err.Error(), "is a directory")
}

// reason is why a file could not be read, without its name.
func reason(err error) error {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return pathErr.Err
	}
	return err
}

// open reads one file that another one names, at the place that names it. from are the files that
// lead there.
func (l *loader) open(path string, at Place, field Path, from []string) *model {
	if slices.Contains(from, path) {
		l.fail(at, field, manifest.ReasonType, "%s includes itself, by %s", path, strings.Join(from, ", "))
		return nil
	}
	if isRemote(path) {
		l.fail(at, field, manifest.ReasonRead, "files of other machines are not fetched: copy it beside this file, and name the copy")
		return nil
	}
	data, err := l.opts.ReadFile(path)
	if err != nil {
		l.fail(at, field, manifest.ReasonRead, "cannot read %s: %v", path, reason(err))
		return nil
	}
	var root yaml.Node
	if err := yaml.Unmarshal(data, &root); err != nil {
		l.fail(Place{Position: manifest.Position{File: path}}, Path{}, manifest.ReasonSyntax, "not valid YAML: %s", strings.TrimPrefix(err.Error(), "yaml: "))
		return nil
	}
	return l.model(path, &root, l.opts.Lookup, from)
}

// model reads the root of a file and what it includes.
func (l *loader) model(path string, root *yaml.Node, lookup func(string) (string, bool), from []string) *model {
	m := &model{lookup: l.withEnvFile(lookup, filepath.Join(filepath.Dir(path), ".env"))}
	m.root = l.interpolated(newValue(path, root, l.problems), Path{}, m.lookup)
	for _, e := range m.root.fields {
		switch {
		case e.key == "services" && e.kind == mapping:
			m.services = e.value
		case e.key == "services" && e.over != reset:
			l.fail(e.value.at, Path{Field: "services"}, manifest.ReasonType, "must be a mapping of services by name, this is %s", e.what())
		}
	}
	l.includes(m, append(slices.Clone(from), path))
	return m
}

// interpolated replaces variables in a value. What only other tools read (x-…) is left alone; an
// anchor in it is interpolated where it is used.
func (l *loader) interpolated(v *value, path Path, lookup func(string) (string, bool)) *value {
	switch v.kind {
	case scalar:
		if !strings.Contains(v.text, "$") {
			return v
		}
		text, err := Interpolate(v.text, lookup, func(name string) { l.notSet(v, path, name) })
		if err != nil {
			l.fail(v.at, path, manifest.ReasonType, "%v", err)
			return v
		}
		changed := *v
		changed.text, changed.printed, changed.tag = text, text, "!!str"
		return &changed
	case list:
		changed := *v
		changed.items = nil
		for i, item := range v.items {
			changed.items = append(changed.items, l.interpolated(item, path.item(i), lookup))
		}
		return &changed
	case mapping:
		changed := *v
		changed.fields = nil
		for _, e := range v.fields {
			if path != (Path{}) || !strings.HasPrefix(e.key, "x-") {
				e.value = l.interpolated(e.value, path.field(e.key), lookup)
			}
			changed.fields = append(changed.fields, e)
		}
		return &changed
	}
	return v
}

// notSet says once of a variable that it is not set.
func (l *loader) notSet(v *value, path Path, name string) {
	if !l.unset[name] {
		l.unset[name] = true
		l.noteMissing(v.at, path, "the variable %s is not set: it is empty here, as for Docker Compose; set it, or write ${%s:-default}", name, name)
	}
}
