//go:build !race

package rules

import (
	"bytes"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	module = "github.com/probity-run/probity"
	root   = "../.."
)

// floors are the packages of the house from the ground up; imports point down (ARCHITECTURE.md).
// Two packages on one floor do not know each other.
var floors = [][]string{
	{"internal/printable", "internal/metrics", "internal/h1", "internal/gobuild"},
	{"docs", "probe", "internal/timing", "internal/lifecycle", "internal/manifest", "internal/store", "internal/history", "internal/process", "internal/envvars", "internal/address", "internal/ownfile", "internal/origin", "internal/ownership", "internal/relay", "internal/timeline"},
	{"internal/workload", "internal/registry", "internal/program", "internal/names", "internal/diagnosis", "internal/formats"},
	{"internal/node", "internal/controller", "internal/proxy", "internal/diversion", "internal/simulate", "internal/advisor", "internal/dependency"},
	{"internal/facts", "internal/rollout"},
	{"internal/terminal", "internal/apiserver", "internal/dashboard", "internal/kube"},
	{"internal/system", "internal/deploy", "internal/clusterdash", "internal/playground"},
	{"internal/drill", "internal/tune"},
	{"internal/cli", "service"},
	{"probitytest"},
	{"cmd/probity", "cmd/playground"},
}

func floorOf(pkg string) int {
	return slices.IndexFunc(floors, func(floor []string) bool {
		return slices.ContainsFunc(floor, func(p string) bool { return within(pkg, p) })
	})
}

// within reports whether a package is that one or a part of it.
func within(pkg, whole string) bool { return pkg == whole || strings.HasPrefix(pkg, whole+"/") }

// sameRoom reports whether two packages are parts of one in the table; Go itself sees to it that
// these do not import each other in a circle.
func sameRoom(a, b string) bool {
	return slices.ContainsFunc(slices.Concat(floors...), func(p string) bool { return within(a, p) && within(b, p) })
}

func TestImportsPointDown(t *testing.T) {
	out := run(t, "go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...")
	for line := range strings.Lines(out) {
		words := strings.Fields(line)
		from := strings.TrimPrefix(words[0], module+"/")
		if strings.HasPrefix(from, "test/") {
			continue
		}
		floor := floorOf(from)
		if floor < 0 {
			t.Errorf("%s stands on no floor: give it a place in ARCHITECTURE.md and here", from)
		}
		for _, imported := range words[1:] {
			to, ours := strings.CutPrefix(imported, module+"/")
			if ours && floorOf(to) >= floor && !sameRoom(from, to) {
				t.Errorf("%s imports %s, which does not lie below it", from, to)
			}
		}
	}
}

func TestCoreIsPure(t *testing.T) {
	out := run(t, "go", "list", "-f", `{{join .Imports "\n"}}`, "./internal/lifecycle", "./internal/workload", "./internal/address", "./internal/names", "./internal/timeline", "./internal/rollout/...", "./internal/formats/tree", "./internal/formats/truefoundry")
	for imported := range strings.FieldsSeq(out) {
		if slices.Contains([]string{"os", "net", "net/http", "sync", "context", "os/exec", "math/rand", "math/rand/v2"}, imported) {
			t.Errorf("internal/lifecycle, internal/workload, internal/names, internal/timeline, internal/rollout or a format imports %s: what decides has no I/O, goroutine or chance", imported)
		}
	}
}

func TestSources(t *testing.T) {
	for _, path := range files(t, ".go") {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		formatted, err := format.Source(data)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if !bytes.Equal(data, formatted) {
			t.Errorf("%s is not formatted: run gofmt -w", path)
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, data, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s has an init function: say what has to happen where it has to happen", path)
			}
		}
	}
}

// run returns what a command prints and fails the test if the command fails.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out, stderr.String())
	}
	return string(out)
}

// files lists the files of the repository, of all its modules, whose names end in one of these.
func files(t *testing.T, extensions ...string) []string {
	t.Helper()
	var paths []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == ".git":
			return fs.SkipDir
		case !d.IsDir() && slices.Contains(extensions, filepath.Ext(path)):
			paths = append(paths, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) == 0 {
		t.Fatal("no file was found")
	}
	return paths
}
