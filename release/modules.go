package main

import (
	"context"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/google/licensecheck"

	"github.com/probity-run/probity/internal/gobuild"
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

// linkedModules are the modules of the packages that a program consists of, apart from its own,
// sorted by path.
func (r *release) linkedModules(ctx context.Context, p program) ([]module, error) {
	packages, err := r.goCommand(ctx, p.platform, "list", "-deps", "-json=Dir,Module", "./cmd/probity")
	if err != nil {
		return nil, err
	}
	goroot, err := r.goCommand(ctx, p.platform, "env", "GOROOT")
	if err != nil {
		return nil, err
	}
	listed, err := gobuild.Modules(packages, gobuild.Module{Path: standardLibrary, Version: p.golang, Dir: strings.TrimSpace(string(goroot))})
	if err != nil {
		return nil, err
	}
	var modules []module
	for _, m := range listed {
		if m.Main {
			continue
		}
		licensed, err := withLicenses(m)
		if err != nil {
			return nil, err
		}
		modules = append(modules, licensed)
	}
	return modules, nil
}

// withLicenses is a module with its texts and the names of its licenses, which have to be known.
func withLicenses(m gobuild.Module) (module, error) {
	made := module{path: m.Path, version: m.Version}
	for _, name := range slices.Sorted(maps.Keys(m.Licenses)) {
		made.licenses = append(made.licenses, file{path.Join("licenses", m.Path, name), 0o644, m.Licenses[name]})
	}
	if made.spdx = identify(made.licenses); len(made.spdx) == 0 {
		return module{}, fmt.Errorf("module %s %s has no license that is known: look at it before it is released", m.Path, m.Version)
	}
	return made, nil
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
