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
	{"probe", "internal/timing", "internal/lifecycle", "internal/manifest", "internal/store", "internal/process"},
	{"internal/node", "internal/controller", "internal/proxy", "internal/simulate", "internal/advisor"},
	{"internal/dashboard", "internal/kube"},
	{"internal/cli"},
	{"cmd/probity"},
}

func floorOf(pkg string) int {
	return slices.IndexFunc(floors, func(floor []string) bool {
		return slices.ContainsFunc(floor, func(p string) bool { return pkg == p || strings.HasPrefix(pkg, p+"/") })
	})
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
			// parts of one package stand together
			if ours && floorOf(to) >= floor && !strings.HasPrefix(from, to+"/") && !strings.HasPrefix(to, from+"/") {
				t.Errorf("%s imports %s, which does not lie below it", from, to)
			}
		}
	}
}

func TestCoreIsPure(t *testing.T) {
	out := run(t, "go", "list", "-f", `{{join .Imports "\n"}}`, "./internal/lifecycle")
	for imported := range strings.FieldsSeq(out) {
		if slices.Contains([]string{"os", "net", "net/http", "sync", "context", "os/exec", "math/rand", "math/rand/v2"}, imported) {
			t.Errorf("internal/lifecycle imports %s: the core has no I/O, goroutine or chance", imported)
		}
	}
}

func TestSources(t *testing.T) {
	for _, path := range sources(t) {
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

// sources lists every Go file of the repository.
func sources(t *testing.T) []string {
	t.Helper()
	var paths []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == ".git":
			return fs.SkipDir
		case strings.HasSuffix(path, ".go"):
			paths = append(paths, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) == 0 {
		t.Fatal("no source was found")
	}
	return paths
}
