package advisor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/printable"
)

// below is what a walk finds: the names of files, and what it left out.
type below struct {
	names      []string
	passedOver []manifest.PassedOver
}

// walk lists the *.yaml, *.yml and *.json files of a folder and its subfolders in the order of
// their names. It leaves out what is hidden, what others wrote and a package manager put there, the
// templates of Helm charts, and what a pattern excludes. A path that cannot be read does not end
// it.
func walk(folder string, excludes []string) (below, error) {
	var b below
	var errs []error
	found := false
	// with the separator a link to a folder is followed
	err := filepath.WalkDir(folder+string(filepath.Separator), func(name string, d fs.DirEntry, err error) error {
		name = filepath.Clean(name)
		isRoot := name == filepath.Clean(folder)
		switch {
		case err != nil:
			if isRoot {
				return err
			}
			if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
				err = pathErr.Err
			}
			errs = append(errs, fmt.Errorf("%s: cannot read: %w", printable.File(name), err))
			return fs.SkipDir
		case isRoot:
			return nil
		}
		file := !d.IsDir()
		if file && !slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(name)) {
			return nil
		}
		found = found || file
		if reason := leftOut(folder, name, d, excludes); reason != "" {
			b.passedOver = append(b.passedOver, manifest.PassedOver{Position: Position{File: name}, Reason: reason})
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if file {
			b.names = append(b.names, name)
		}
		return nil
	})
	if err != nil {
		errs = append(errs, fmt.Errorf("%s: cannot read: %w", printable.File(folder), err))
	} else if !found {
		errs = append(errs, fmt.Errorf("%s: no manifest in this folder: expected files named *.yaml, *.yml or *.json", printable.File(folder)))
	}
	return b, errors.Join(errs...)
}

// expectation matches the files in which a test of an operator, by kuttl, says what shall be there:
// parts of objects, which nobody applies. Chainsaw, which came after it, leaves the names free.
var (
	expectation = regexp.MustCompile(`^\d+-(?:assert|errors)\.ya?ml$`)
	ofChainsaw  = regexp.MustCompile(`(?:^|[-_.])(?:assert|error)`)
)

// isExpectation reports whether a file says what a test expects.
func isExpectation(name string) bool {
	base := filepath.Base(name)
	return expectation.MatchString(base) || ofChainsaw.MatchString(base) && isFile(filepath.Join(filepath.Dir(name), "chainsaw-test.yaml"))
}

// leftOut is the reason why a walk leaves something out, or "".
func leftOut(folder, name string, d fs.DirEntry, excludes []string) string {
	base := d.Name()
	relative, err := filepath.Rel(folder, name)
	switch {
	case err == nil && slices.ContainsFunc(excludes, func(p string) bool { return matches(p, filepath.ToSlash(relative)) }):
		return "excluded"
	case strings.HasPrefix(base, "."):
		return "hidden"
	case !d.IsDir():
		// a named pipe would block, and a link may lead nowhere
		if info, err := os.Stat(name); err != nil || !info.Mode().IsRegular() {
			return "no regular file"
		}
		if isExpectation(name) {
			return "what a test expects"
		}
		return ""
	case slices.Contains([]string{"node_modules", "vendor", "third_party", "bower_components", "site-packages"}, base):
		return "vendored"
	case base == "templates" && isChart(filepath.Dir(name)):
		return "templates of a Helm chart"
	}
	return ""
}

func isChart(folder string) bool { return isFile(filepath.Join(folder, "Chart.yaml")) }

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

// ValidPattern returns what is wrong with a pattern of what to exclude.
func ValidPattern(pattern string) error {
	if _, err := path.Match(pattern, ""); err != nil || strings.Trim(pattern, "/") == "" {
		return fmt.Errorf("cannot exclude %q: expected a name or a path with * and ?, such as testdata, *.json or test/**/bad", pattern)
	}
	return nil
}

// matches reports whether a pattern excludes a path, both with slashes. A pattern without a slash
// is about the name alone, wherever it is; ** stands for any number of folders.
func matches(pattern, name string) bool {
	pattern = strings.Trim(strings.TrimPrefix(pattern, "./"), "/")
	if !strings.Contains(pattern, "/") {
		name = path.Base(name)
	}
	return matchSteps(strings.Split(pattern, "/"), strings.Split(name, "/"))
}

func matchSteps(pattern, name []string) bool {
	for i, step := range pattern {
		if step == "**" {
			for from := range len(name) + 1 {
				if matchSteps(pattern[i+1:], name[from:]) {
					return true
				}
			}
			return false
		}
		if len(name) == 0 {
			return false
		}
		if ok, err := path.Match(step, name[0]); err != nil || !ok {
			return false
		}
		name = name[1:]
	}
	return len(name) == 0
}
