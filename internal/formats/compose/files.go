package compose

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// projectFiles are the names by which Docker Compose finds a file in a folder, and overrideFiles
// those of what it puts on top of it; the first that is there counts.
func projectFiles() []string {
	return []string{"compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"}
}

func overrideFiles() []string {
	return []string{"compose.override.yml", "compose.override.yaml", "docker-compose.override.yml", "docker-compose.override.yaml"}
}

// stdin stands for standard input, which is in no folder.
const stdin = "<stdin>"

// layers are the files that are read as one: the first, and what is put on top of it, in turn.
type layers struct {
	files []string
	// note says of a file that it is not read.
	note string
}

// layersOf are the files that a file, whose path is clean, is read with. Its own is not the first
// of them if it is read on top of another one, and is not among them if nobody reads it.
//
// As for Docker Compose, files that are named are those that are read, and of a folder that is
// named it is the file with the usual name and its override, or what COMPOSE_FILE says.
func (f Format) layersOf(file string) layers {
	alone := layers{files: []string{file}}
	switch {
	case f.Options.ReadFile == nil || file == stdin:
		return alone
	case f.isNamed(file):
		return f.named(file)
	}
	folder := filepath.Dir(file)
	files := f.ofFolder(folder)
	switch {
	case len(files) == 0 || files[0] == file:
		return layers{files: append(alone.files, files[min(len(files), 1):]...)}
	case slices.Contains(files, file):
		return layers{files: files}
	}
	if name := f.shared(files[0], file); name != "" {
		return layers{files: files, note: "not read: of this folder Docker Compose reads " + baseNames(files) + ", to which service " + name + " belongs; name the files to read others"}
	}
	return alone
}

// isNamed reports whether a file was named, and not found in a folder.
func (f Format) isNamed(file string) bool {
	return slices.ContainsFunc(f.Options.Named, func(path string) bool { return filepath.Clean(path) == file })
}

// named are the files that were named together with one, in the same folder, and that have services
// of it: as several -f. They are one project, if what is done is done to all of them together.
func (f Format) named(file string) layers {
	lead := file
	var files []string
	for _, path := range f.Options.Named {
		path = filepath.Clean(path)
		if filepath.Dir(path) != filepath.Dir(file) || !f.isCompose(path) {
			continue
		}
		switch {
		case !f.Options.Together:
		case len(files) == 0:
			lead, files = path, []string{path}
		case !slices.Contains(files, path) && f.shared(lead, path) != "":
			files = append(files, path)
		}
	}
	if len(files) > 1 && slices.Contains(files, file) {
		return layers{files: files}
	}
	alone := layers{files: []string{file}}
	usual := f.ofFolder(filepath.Dir(file))
	if len(usual) > 1 && usual[0] == file && !f.isNamed(usual[1]) {
		alone.note = baseNames(usual[1:]) + " is not read: a file that is named stands alone, as after docker compose -f; name the folder, or the files together"
	}
	return alone
}

// ofFolder are the files that Docker Compose reads in a folder.
func (f Format) ofFolder(folder string) (files []string) {
	for _, path := range f.composeFile(folder) {
		if !filepath.IsAbs(path) {
			path = filepath.Join(folder, path)
		}
		files = append(files, path)
	}
	if len(files) > 0 && f.isThere(files[0]) {
		return files
	}
	files = nil
	for _, names := range [][]string{projectFiles(), overrideFiles()} {
		i := slices.IndexFunc(names, func(name string) bool { return f.isThere(filepath.Join(folder, name)) })
		if i < 0 {
			return files
		}
		files = append(files, filepath.Join(folder, names[i]))
	}
	return files
}

// composeFile are the files that COMPOSE_FILE names, of the environment or of the folder.
func (f Format) composeFile(folder string) []string {
	lookup := newLoader(f.Options).withEnvFile(newLoader(f.Options).opts.Lookup, filepath.Join(folder, ".env"))
	list, _ := lookup("COMPOSE_FILE")
	separator, ok := lookup("COMPOSE_PATH_SEPARATOR")
	if !ok || separator == "" {
		separator = string(filepath.ListSeparator)
	}
	return slices.DeleteFunc(strings.Split(list, separator), func(path string) bool { return path == "" })
}

func (f Format) isThere(path string) bool {
	_, err := f.Options.ReadFile(path)
	return err == nil
}

// isCompose reports whether a file is one of Compose.
func (f Format) isCompose(path string) bool {
	root := f.rootOf(path)
	return root != nil && f.Recognizes(root)
}

// rootOf is the first document of a file, or nil.
func (f Format) rootOf(path string) *yaml.Node {
	text, err := f.Options.ReadFile(path)
	if err != nil || !bytes.Contains(text, []byte("services")) && !bytes.Contains(text, []byte("include")) {
		return nil
	}
	var document yaml.Node
	if yaml.Unmarshal(text, &document) != nil || len(document.Content) == 0 || document.Content[0].Kind != yaml.MappingNode {
		return nil
	}
	return document.Content[0]
}

// shared is the name of a service that one file has, and another one has, too, or waits for without
// having it; "" if there is none.
func (f Format) shared(a, b string) string {
	names, over := serviceNames(f.rootOf(a)), f.rootOf(b)
	for _, name := range append(serviceNames(over), awaited(over)...) {
		if slices.Contains(names, name) {
			return name
		}
	}
	return ""
}

// awaited are the services that those of a file wait for.
func awaited(root *yaml.Node) (names []string) {
	for _, service := range nodesOf(nodeOf(root, "services")) {
		for name := range nodesOf(nodeOf(service, "depends_on")) {
			names = append(names, name)
		}
		if list := nodeOf(service, "depends_on"); list != nil && list.Kind == yaml.SequenceNode {
			for _, item := range list.Content {
				names = append(names, item.Value)
			}
		}
	}
	return names
}

func serviceNames(root *yaml.Node) (names []string) {
	for name := range nodesOf(nodeOf(root, "services")) {
		names = append(names, name)
	}
	return names
}

func baseNames(files []string) string {
	var names []string
	for _, file := range files {
		names = append(names, filepath.Base(file))
	}
	return strings.Join(names, " and ")
}
