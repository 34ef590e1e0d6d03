package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"

	"github.com/probity-run/probity/internal/gobuild"
)

// licenses writes on which terms the program may be passed on, as most of them have to be passed on
// with it: those of each module, and of Go's own code, of which a script is in the page too.
func (p playground) licenses() error {
	env, err := gobuild.Environment()
	if err != nil {
		return err
	}
	goroot, err := goOutput("env", "GOROOT")
	if err != nil {
		return err
	}
	cmd := exec.Command("go", "list", "-deps", "-json=Dir,Module", "./cmd/playground")
	cmd.Dir, cmd.Env, cmd.Stderr = p.root, append(env, "GOOS=js", "GOARCH=wasm"), os.Stderr
	packages, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("cannot list what cmd/playground consists of: %w", err)
	}
	modules, err := gobuild.Modules(packages, gobuild.Module{Path: "Go", Dir: strings.TrimSpace(string(goroot))})
	if err != nil {
		return err
	}
	texts := map[string][]byte{}
	for _, m := range modules {
		if len(m.Licenses) == 0 {
			return fmt.Errorf("module %s %s has no license: look at it before it is passed on", m.Path, m.Version)
		}
		for name, text := range m.Licenses {
			texts[path.Join(strings.TrimSpace(m.Path+" "+m.Version), name)] = text
		}
	}
	return p.write("playground/licenses.txt", allTexts(texts))
}

// allTexts are texts in one, by their titles.
func allTexts(texts map[string][]byte) []byte {
	var all bytes.Buffer
	all.WriteString("What the playground consists of, with the terms of each part.\n")
	for _, title := range slices.Sorted(maps.Keys(texts)) {
		fmt.Fprintf(&all, "\n== %s\n\n%s\n", title, bytes.TrimSpace(texts[title]))
	}
	return all.Bytes()
}
