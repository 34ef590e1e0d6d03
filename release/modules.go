package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/licensecheck"
)

// standardLibrary is the path under which Go's own code is listed.
const standardLibrary = "std"

// module is one that is linked into a program.
type module struct {
	path, version string
	// licenses are the texts, of the module and of what it has taken in, in the folder licenses.
	licenses []file
	// spdx are the SPDX names of the licenses of those texts.
	spdx []string
}

// listed is a package as go list -json prints it.
type listed struct {
	Dir      string
	Standard bool
	Module   *struct {
		Path, Version, Dir string
		Main               bool
	}
}

// linkedModules are the modules of the packages that a program consists of, apart from its own,
// sorted by path.
func (r *release) linkedModules(ctx context.Context, p program) ([]module, error) {
	out, err := r.goCommand(ctx, p.platform, "list", "-deps", "-json=Dir,Standard,Module", "./cmd/probity")
	if err != nil {
		return nil, err
	}
	goroot, err := r.goCommand(ctx, p.platform, "env", "GOROOT")
	if err != nil {
		return nil, err
	}
	modules := map[string]*module{}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var pkg listed
		if err := decoder.Decode(&pkg); errors.Is(err, io.EOF) {
			return sortModules(modules)
		} else if err != nil {
			return nil, fmt.Errorf("cannot read the list of packages: %w", err)
		}
		m, dir := &module{path: standardLibrary, version: p.golang}, strings.TrimSpace(string(goroot))
		if !pkg.Standard {
			if pkg.Module.Main {
				continue
			}
			m, dir = &module{path: pkg.Module.Path, version: pkg.Module.Version}, pkg.Module.Dir
		}
		if modules[m.path] == nil {
			modules[m.path] = m
		}
		if err := modules[m.path].collect(dir, pkg.Dir); err != nil {
			return nil, err
		}
	}
}

// sortModules are the modules by path, each with the names of its licenses, which have to be known.
func sortModules(modules map[string]*module) ([]module, error) {
	var list []module
	for _, m := range modules {
		slices.SortFunc(m.licenses, func(a, b file) int { return cmp.Compare(a.name, b.name) })
		if m.spdx = identify(m.licenses); len(m.spdx) == 0 {
			return nil, fmt.Errorf("module %s %s has no license that is known: look at it before it is released", m.path, m.version)
		}
		list = append(list, *m)
	}
	slices.SortFunc(list, func(a, b module) int { return cmp.Compare(a.path, b.path) })
	return list, nil
}

// checkLinked refuses a list of modules that is not the one that the program has of itself: no
// license and no line of the bill of materials may be missing.
func checkLinked(p program, modules []module) error {
	var listed []string
	for _, m := range modules {
		if m.path != standardLibrary {
			listed = append(listed, m.path+"@"+m.version)
		}
	}
	slices.Sort(listed)
	if !slices.Equal(listed, p.linked) {
		return fmt.Errorf("for %s the go command lists the modules\n%s\nbut the program consists of\n%s", p.platform, strings.Join(listed, "\n"), strings.Join(p.linked, "\n"))
	}
	return nil
}

// licenseName matches the names of files that say on which terms something may be passed on.
var licenseName = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|patents)([-.].*)?$`)

// collect takes the texts of a package: those in its folder, and in the folders above up to its
// module's. A package that came from elsewhere has a text of its own there.
func (m *module) collect(moduleDir, dir string) error {
	for {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return err
		}
		below, err := filepath.Rel(moduleDir, dir)
		if err != nil {
			return err
		}
		for _, entry := range entries {
			name := path.Join("licenses", m.path, filepath.ToSlash(below), entry.Name())
			known := slices.ContainsFunc(m.licenses, func(f file) bool { return f.name == name })
			if known || entry.IsDir() || !licenseName.MatchString(entry.Name()) || strings.HasSuffix(entry.Name(), ".go") {
				continue
			}
			data, err := os.ReadFile(filepath.Join(dir, entry.Name()))
			if err != nil {
				return err
			}
			m.licenses = append(m.licenses, file{name, 0o644, data})
		}
		if below == "." || strings.HasPrefix(below, "..") {
			return nil
		}
		dir = filepath.Dir(dir)
	}
}

// besideLicense matches the names of the texts that are passed on with a license and are none.
var besideLicense = regexp.MustCompile(`(?i)^(notice|patents)([-.].*)?$`)

// identify gives the SPDX names of the licenses of texts, sorted. licensecheck knows Go's grant of
// patents, too, by a name of its own that SPDX has not.
func identify(texts []file) []string {
	const enough = 75 // percent of a text that the license makes up, as pkg.go.dev has it
	var names []string
	for _, text := range texts {
		if besideLicense.MatchString(path.Base(text.name)) {
			continue
		}
		if coverage := licensecheck.Scan(text.data); coverage.Percent >= enough {
			for _, match := range coverage.Match {
				names = append(names, match.ID)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
