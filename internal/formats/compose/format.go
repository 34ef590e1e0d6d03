package compose

import (
	"bytes"
	"slices"
	"strings"

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

// Recognizes implements [manifest.Format]. Other tools have services too, so one of them must have
// a field that only Compose has, and include alone must stand beside what Compose knows.
func (Format) Recognizes(root *yaml.Node) bool {
	only, services, include := true, false, false
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, n := root.Content[i].Value, root.Content[i+1]
		only = only && (slices.Contains(topFields(), key) || strings.HasPrefix(key, "x-"))
		switch {
		case key == "services" && n.Kind == yaml.MappingNode:
			for j := 1; j < len(n.Content); j += 2 {
				services = services || isService(n.Content[j])
			}
		case key == "include":
			include = n.Kind == yaml.SequenceNode
		}
	}
	return services || include && only
}

// isService reports whether a value has a field that tells a service of Compose.
func isService(n *yaml.Node) bool {
	if n.Kind == yaml.AliasNode && n.Alias != nil {
		n = n.Alias
	}
	if n.Kind != yaml.MappingNode {
		return false
	}
	for i := 0; i < len(n.Content); i += 2 {
		switch n.Content[i].Value {
		case "image", "build", "extends", "healthcheck", "container_name", "depends_on", "<<":
			return true
		}
	}
	return false
}

func topFields() []string {
	return []string{"name", "services", "include", "version", "networks", "volumes", "secrets", "configs", "models", "jobs"}
}

// Convert implements [manifest.Format].
func (f Format) Convert(file string, root *yaml.Node) manifest.Conversion {
	opts := f.Options
	opts.File = file
	l := newLoader(opts)
	p := l.read(root)
	names := l.names(p)
	var objects []manifest.ConvertedObject
	if len(l.errs) == 0 {
		l.infer(p)
		objects = l.objects(p, names)
	}
	return manifest.Conversion{Objects: objects, Errors: remarks(l.errs, file), Warnings: remarks(l.missing, file),
		NotApplied: remarks(l.notApplied, file), Differences: remarks(l.different, file)}
}

// Read reads a Compose file. The errors are everything that is wrong with it; then the project
// holds what could be read.
func Read(root *yaml.Node, opts Options) (*Project, []manifest.Remark) {
	l := newLoader(opts)
	p := l.read(root)
	return p, remarks(l.errs, opts.File)
}
