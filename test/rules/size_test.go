//go:build !race

package rules

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	maxFileLines = 400
	maxFuncLines = 60
	// maxShare is the largest part of the code, tests left out, that one package may be.
	maxShare = 0.12
)

// TestSizes keeps files, functions and packages small enough to be read at once.
func TestSizes(t *testing.T) {
	lines := map[string]int{} // by package
	total := 0
	for _, path := range files(t, ".go") {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		n := bytes.Count(data, []byte("\n"))
		name := strings.TrimPrefix(filepath.ToSlash(path), root+"/")
		if n > maxFileLines {
			t.Errorf("%s has %d lines, at most %d are allowed: divide it by what changes together", name, n, maxFileLines)
		}
		checkFunctions(t, name, data)
		if !strings.HasSuffix(name, "_test.go") && !strings.HasPrefix(name, "test/") {
			lines[filepath.Dir(name)] += n
			total += n
		}
	}
	for pkg, n := range lines {
		if share := float64(n) / float64(total); share > maxShare {
			t.Errorf("%s has %d lines, %.1f %% of all: at most %.0f %% may be in one package", pkg, n, 100*share, 100*maxShare)
		}
	}
}

func checkFunctions(t *testing.T, name string, data []byte) {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, data, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	for _, decl := range file.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if !ok || strings.HasSuffix(name, "_test.go") { // a table of cases may be long
			continue
		}
		from, to := fset.Position(f.Pos()).Line, fset.Position(f.End()).Line
		if n := to - from + 1; n > maxFuncLines {
			t.Errorf("%s:%d: %s has %d lines, at most %d are allowed", name, from, f.Name.Name, n, maxFuncLines)
		}
	}
}
