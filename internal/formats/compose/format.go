package compose

import (
	"bytes"
	"cmp"
	"path/filepath"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/probity-run/probity/internal/manifest"
)

// Format reads Compose files as Kubernetes objects. Its options are those of Read, but for the
// file.
type Format struct{ Options }

// Name is how the format is called.
const Name = "Compose"

// Name implements [manifest.Format].
func (Format) Name() string { return Name }

// Mentions implements [manifest.Format].
func (Format) Mentions(text []byte) bool {
	return bytes.Contains(text, []byte("services:")) || bytes.Contains(text, []byte("include:"))
}

func topFields() []string {
	return []string{"name", "services", "include", "version", "networks", "volumes", "secrets", "configs", "models", "jobs"}
}

// Convert implements [manifest.Format].
func (f Format) Convert(file string, root *yaml.Node) manifest.Conversion {
	opts := f.Options
	opts.File = file
	l := newLoader(opts)
	together := f.layersOf(filepath.Clean(file))
	needsMore := isBare(root) && len(together.files) > 1 // which has the services
	switch {
	case isBare(root) && !f.isMeant(file):
		return manifest.Conversion{NotApplied: []manifest.Remark{{At: root, Field: "services", Message: "not read: there is no service in it"}}}
	case !needsMore && l.misshapen(root):
		return manifest.Conversion{Errors: remarks(l.errs, file)}
	case slices.Index(together.files, filepath.Clean(file)) != 0:
		return manifest.Conversion{Into: &manifest.Remark{At: root, Message: cmp.Or(together.note, "read on top of "+baseNames(together.files[:1]))}}
	}
	if together.note != "" {
		l.noteNotApplied(Place{Position: manifest.Position{File: file, Line: root.Line, Column: root.Column}}, Path{}, "%s", together.note)
	}
	p := l.read(root, together.files[1:]...)
	names := l.names(p)
	var objects []manifest.ConvertedObject
	if len(l.errs) == 0 {
		l.infer(p)
		objects = l.objects(p, names)
	}
	return manifest.Conversion{Objects: objects, Errors: remarks(l.errs, file), Warnings: remarks(l.missing, file),
		NotApplied: remarks(l.notApplied, file), Differences: remarks(l.different, file)}
}

// Read reads a Compose file, and files that are put on top of it, in turn. The errors are
// everything that is wrong with it; then the project holds what could be read.
func Read(root *yaml.Node, opts Options, over ...string) (*Project, []manifest.Remark) {
	l := newLoader(opts)
	p := l.read(root, over...)
	return p, remarks(l.errs, opts.File)
}
