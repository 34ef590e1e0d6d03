package compose

import (
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/probity-run/probity/internal/manifest"
)

// Recognizes implements [manifest.Format]. Other tools have services too, so one of them must have
// a field that only Compose has, or all of them nothing but fields of Compose, and include alone
// must stand beside what Compose knows.
func (Format) Recognizes(root *yaml.Node) bool {
	only, services, include := true, false, false
	for key, n := range nodesOf(root) {
		only = only && (slices.Contains(topFields(), key) || strings.HasPrefix(key, "x-"))
		switch key {
		case "services":
			services = services || hasService(n)
		case "include":
			include = n.Kind == yaml.SequenceNode
		}
	}
	return services || include && only || only && isPartial(root) || shapeOf(root) != "" || isBare(root)
}

// isBare reports whether a file has services, beside nothing that Compose does not know, and says
// nothing of any of them. It is one of Compose, or one of another tool.
func isBare(root *yaml.Node) bool {
	for key := range nodesOf(root) {
		if key == "include" || !slices.Contains(topFields(), key) && !strings.HasPrefix(key, "x-") {
			return false
		}
	}
	services := nodeOf(root, "services")
	switch {
	case services == nil:
		return false
	case services.Kind == yaml.SequenceNode: // of names
		return !slices.ContainsFunc(services.Content, func(n *yaml.Node) bool { return n.Kind != yaml.ScalarNode })
	case services.Kind == yaml.MappingNode:
		for _, n := range nodesOf(services) {
			if !isNull(n) {
				return false
			}
		}
		return true
	}
	return isNull(services)
}

// isMeant reports whether somebody has named a file, and did not only name its folder.
func (f Format) isMeant(file string) bool {
	return file == stdin || f.isNamed(filepath.Clean(file))
}

// hasService reports whether a mapping has a service.
func hasService(services *yaml.Node) bool {
	for _, n := range nodesOf(services) {
		if isService(n) {
			return true
		}
	}
	return false
}

// isService reports whether a value has a field that tells a service of Compose.
func isService(n *yaml.Node) bool {
	for name := range nodesOf(n) {
		switch name {
		case "image", "build", "extends", "healthcheck", "container_name", "depends_on", "<<":
			return true
		}
	}
	return false
}

// isPartial reports whether a file has services with nothing but fields of Compose, as one has that
// is put on top of another.
func isPartial(root *yaml.Node) bool {
	services := nodeOf(root, "services")
	some := false
	for _, n := range nodesOf(services) {
		if !isNull(n) && !knowsAll(n) {
			return false
		}
		some = some || len(n.Content) > 0
	}
	return some
}

// knowsAll reports whether a value is a mapping with fields of a service alone, and has some.
func knowsAll(n *yaml.Node, more ...string) bool {
	some := false
	for name := range nodesOf(n) {
		some = true
		if !slices.Contains(more, name) && !slices.Contains(serviceFieldNames(), name) && !strings.HasPrefix(name, "x-") {
			return false
		}
	}
	return some
}

func serviceFieldNames() (names []string) {
	for _, f := range serviceFields() {
		names = append(names, f.name)
	}
	return names
}

// shapeOf is what is wrong with a file that is one of Compose for people, and for no reader.
func shapeOf(root *yaml.Node) string {
	services := nodeOf(root, "services")
	switch {
	case services != nil && services.Kind == yaml.SequenceNode:
		for _, item := range services.Content {
			if !isNamedService(item) && (!isService(item) || !knowsAll(item, "name")) {
				return ""
			}
		}
		if len(services.Content) > 0 {
			return servicesAreNoList
		}
	case services == nil && misspelt(root) != "":
		return "there is no field " + misspelt(root) + " at the top, did you mean services?"
	case services == nil && isFirst(root):
		return "services at the top are the form of 2014, which Docker Compose reads no longer: write services: above them, and indent them below it"
	}
	return ""
}

const servicesAreNoList = "services are a mapping by their names, and not a list: write services: {web: {image: …}}"

// isNamedService reports whether an item of a list is a service below its name: {web: {image: a}}.
func isNamedService(item *yaml.Node) bool {
	for _, n := range nodesOf(item) {
		return len(item.Content) == 2 && isService(n) && knowsAll(n)
	}
	return false
}

// misspelt is what somebody has written for services, or "".
func misspelt(root *yaml.Node) string {
	for key, n := range nodesOf(root) {
		if manifest.Closest(key, []string{"services"}) != "" && hasService(n) {
			return key
		}
	}
	return ""
}

// isFirst reports whether services stand at the top, as in the first version of Compose files. Each
// of them has fields of Compose alone, and one tells what runs.
func isFirst(root *yaml.Node) bool {
	runs := false
	for key, n := range nodesOf(root) {
		if key == "version" || strings.HasPrefix(key, "x-") {
			continue
		}
		if !knowsAll(n) || slices.Contains(topFields(), key) {
			return false
		}
		image, build := nodeOf(n, "image"), nodeOf(n, "build")
		runs = runs || image != nil && image.Kind == yaml.ScalarNode || build != nil && build.Kind == yaml.ScalarNode
	}
	return runs
}

// misshapen fails if a file cannot be read as a whole.
func (l *loader) misshapen(root *yaml.Node) bool {
	wrong, services := shapeOf(root), nodeOf(root, "services")
	switch {
	case wrong != "" || !isBare(root):
	case services.Kind == yaml.SequenceNode && len(services.Content) > 0:
		wrong = servicesAreNoList
	case len(services.Content) == 0:
		wrong = "there is no service: a Compose file needs one, as in services: {web: {image: …}}"
	}
	if wrong != "" {
		at := Place{Position: manifest.Position{File: l.opts.File, Line: root.Line, Column: root.Column}}
		l.fail(at, Path{}, manifest.ReasonType, "%s", wrong)
	}
	return wrong != ""
}

// nodesOf are the names and values of a mapping, or of what an alias stands for. There are none of
// anything else.
func nodesOf(n *yaml.Node) func(yield func(string, *yaml.Node) bool) {
	if n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return func(yield func(string, *yaml.Node) bool) {
		if n == nil || n.Kind != yaml.MappingNode {
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !yield(n.Content[i].Value, n.Content[i+1]) {
				return
			}
		}
	}
}

// nodeOf is the value of a field, or nil.
func nodeOf(n *yaml.Node, name string) *yaml.Node {
	for key, value := range nodesOf(n) {
		if key == name {
			return value
		}
	}
	return nil
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }
