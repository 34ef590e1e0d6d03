package compose

import (
	"path/filepath"
	"strings"

	"github.com/probity-run/probity/internal/manifest"
)

// includes brings the services of included files into a model. A service that is in both has what
// the including file says of it on top.
func (l *loader) includes(m *model, from []string) {
	include := m.root.get("include")
	if include == nil {
		return
	}
	if include.kind != list {
		l.fail(include.at, Path{Field: "include"}, manifest.ReasonType, "must be a list of files, this is %s", include.what())
		return
	}
	for i, item := range include.items {
		l.include(m, item, Path{Field: "include"}.item(i), from)
	}
}

func (l *loader) include(m *model, item *value, path Path, from []string) {
	files, lookup := item, m.lookup
	if item.kind == mapping {
		for _, e := range item.fields {
			switch e.key {
			case "path":
			case "env_file":
				for _, f := range l.texts(e.value, path.field(e.key)) {
					lookup = l.withEnvFile(lookup, beside(f.at.File, f.text))
				}
			case "project_directory":
				l.fail(e.at, path.field(e.key), manifest.ReasonUnknownField, "not read here: paths of an included file are seen from its own folder")
			default:
				l.unknown(e, path, []string{"path", "env_file", "project_directory"})
			}
		}
		if files = item.get("path"); files == nil {
			l.fail(item.at, path, manifest.ReasonType, "path is missing: the file to include")
			return
		}
	}
	var services *value
	for _, f := range l.texts(files, path) {
		included := l.openWith(beside(f.at.File, f.text), f.at, path, lookup, from)
		if included == nil || included.services == nil {
			continue
		}
		services = l.merged(services, l.extended(included.services, included, from), Path{Field: "services"})
	}
	m.services = l.merged(services, m.services, Path{Field: "services"})
}

// openWith opens a file for which other variables are known.
func (l *loader) openWith(path string, at Place, field Path, lookup func(string) (string, bool), from []string) *model {
	usual := l.opts.Lookup
	defer func() { l.opts.Lookup = usual }()
	l.opts.Lookup = lookup
	return l.open(path, at, field, from)
}

// beside is a path as it is seen from the folder of a file.
func beside(file, path string) string {
	if isRemote(path) {
		return path
	}
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(filepath.Dir(file), path)
}

// texts are the texts of a list, or one alone.
func (l *loader) texts(v *value, path Path) []*value {
	items := []*value{v}
	if v.kind == list {
		items = v.items
	}
	var texts []*value
	for _, item := range items {
		if item.kind != scalar {
			l.fail(item.at, path, manifest.ReasonType, "must be a text, this is %s", item.what())
			continue
		}
		texts = append(texts, item)
	}
	return texts
}

// unknown says that a field is none of those that may be there. A name with x- is for other tools.
func (l *loader) unknown(e entry, path Path, names []string) {
	if strings.HasPrefix(e.key, "x-") {
		return
	}
	hint := ""
	if guess := manifest.Closest(e.key, names); guess != "" {
		hint = ", did you mean " + guess + "?"
	}
	l.fail(e.at, path.field(e.key), manifest.ReasonUnknownField, "unknown field%s", hint)
}
