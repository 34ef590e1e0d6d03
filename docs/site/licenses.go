package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// module is one that the playground's program consists of.
type module struct{ Path, Version, Dir string }

// licenses writes on which terms the program may be passed on, as most of them have to be passed on
// with it: those of each module, and of Go's own code, of which a script is in the page too.
func (p playground) licenses() error {
	env, err := neutralEnvironment()
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
	texts := map[string][]byte{}
	for decoder := json.NewDecoder(bytes.NewReader(packages)); ; {
		pkg := struct {
			Dir    string
			Module module
		}{Module: module{Path: "Go", Dir: strings.TrimSpace(string(goroot))}} // of packages that have none
		if err := decoder.Decode(&pkg); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return fmt.Errorf("cannot read the list of packages: %w", err)
		}
		if err := pkg.Module.licenses(pkg.Dir, texts); err != nil {
			return err
		}
	}
	var all strings.Builder
	all.WriteString("What the playground consists of, with the terms of each part.\n")
	for _, title := range slices.Sorted(maps.Keys(texts)) {
		fmt.Fprintf(&all, "\n== %s\n\n%s\n", title, bytes.TrimSpace(texts[title]))
	}
	return p.write("playground/licenses.txt", []byte(all.String()))
}

// licenseName matches the names of files that say on which terms something may be passed on. A
// release has the same, in a module of its own.
var licenseName = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|patents)([-.].*)?$`)

// licenses adds the texts in the folder of a package of the module, and in those above it. A module
// has to have one.
func (m module) licenses(dir string, texts map[string][]byte) error {
	found := false
	for ; ; dir = filepath.Dir(dir) {
		below, err := filepath.Rel(m.Dir, dir)
		if err != nil || !filepath.IsLocal(below) {
			break
		}
		entries, err := os.ReadDir(dir)
		if err != nil {
			return err
		}
		for _, entry := range entries {
			if entry.IsDir() || !licenseName.MatchString(entry.Name()) || filepath.Ext(entry.Name()) == ".go" {
				continue
			}
			title := path.Join(strings.TrimSpace(m.Path+" "+m.Version), filepath.ToSlash(below), entry.Name())
			if texts[title], err = os.ReadFile(filepath.Join(dir, entry.Name())); err != nil {
				return err
			}
			found = true
		}
	}
	if !found {
		return fmt.Errorf("module %s %s has no license: look at it before it is passed on", m.Path, m.Version)
	}
	return nil
}
