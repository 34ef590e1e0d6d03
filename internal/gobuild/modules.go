package gobuild

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
)

// Module is one that a program consists of.
type Module struct {
	Path, Version, Dir string
	Main               bool // it is the program's own
	// Licenses are the texts that say on which terms it may be passed on, and what it has taken in,
	// by their paths in it, which have slashes.
	Licenses map[string][]byte `json:"-"`
}

// Modules are those of a program, by path, of the list of its packages that
// go list -deps -json=Dir,Module prints. The packages of Go itself, which are of no module, are
// taken for those of standard.
func Modules(packages []byte, standard Module) ([]Module, error) {
	byPath := map[string]Module{}
	for decoder := json.NewDecoder(bytes.NewReader(packages)); ; {
		pkg := struct {
			Dir    string
			Module Module
		}{Module: standard}
		if err := decoder.Decode(&pkg); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("cannot read the list of packages: %w", err)
		}
		m, known := byPath[pkg.Module.Path]
		if !known {
			m = pkg.Module
			m.Licenses = map[string][]byte{}
			byPath[m.Path] = m
		}
		if err := m.collect(pkg.Dir); err != nil {
			return nil, fmt.Errorf("cannot read the licenses of %s: %w", m.Path, err)
		}
	}
	return slices.SortedFunc(maps.Values(byPath), func(a, b Module) int { return cmp.Compare(a.Path, b.Path) }), nil
}

// licenseName matches the names of files that say on which terms something may be passed on.
var licenseName = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|patents)([-.].*)?$`)

// collect takes the texts of a package: those in its folder, and in the folders above up to its
// module's. A package that came from elsewhere has a text of its own there.
func (m Module) collect(dir string) error {
	for ; ; dir = filepath.Dir(dir) {
		below, err := filepath.Rel(m.Dir, dir)
		if err != nil || !filepath.IsLocal(below) {
			return err
		}
		entries, err := os.ReadDir(dir)
		if err != nil {
			return err
		}
		for _, entry := range entries {
			name := path.Join(filepath.ToSlash(below), entry.Name())
			if entry.IsDir() || m.Licenses[name] != nil || !licenseName.MatchString(entry.Name()) || filepath.Ext(entry.Name()) == ".go" {
				continue
			}
			if m.Licenses[name], err = os.ReadFile(filepath.Join(dir, entry.Name())); err != nil {
				return err
			}
		}
	}
}
