//go:build !race

package rules

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/doc"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// public are the packages that others import.
var public = []string{"probe", "probe/engine", "health", "health/connecthealth", "health/grpchealth", "health/otel", "health/prometheus"}

// TestAPI compares what the public packages export with testdata/api, so that a change of it is
// seen in review. To write it anew: go test -run TestAPI ./test/rules -update
func TestAPI(t *testing.T) {
	folder := filepath.Join("testdata", "api")
	var names []string
	for _, pkg := range public {
		name := strings.ReplaceAll(pkg, "/", "_") + ".txt"
		names = append(names, name)
		golden(t, filepath.Join(folder, name), api(t, pkg))
	}
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !slices.Contains(names, file.Name()) {
			t.Errorf("%s belongs to no public package: remove it", file.Name())
		}
	}
}

// api returns the exported declarations of a package on Linux, without comments.
func api(t *testing.T, pkg string) string {
	t.Helper()
	linux := build.Default
	linux.GOOS, linux.GOARCH = "linux", "amd64"
	dir := filepath.Join(root, pkg)
	found, err := linux.ImportDir(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	var files []*ast.File
	for _, name := range found.GoFiles {
		file, err := parser.ParseFile(set, filepath.Join(dir, name), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	p, err := doc.NewFromFiles(set, files, module+"/"+pkg)
	if err != nil {
		t.Fatal(err)
	}
	a := apiWriter{set: set}
	fmt.Fprintf(&a.text, "package %s // import %q\n", p.Name, p.ImportPath)
	a.values(p.Consts, p.Vars)
	a.functions(p.Funcs)
	for _, typ := range p.Types {
		a.declaration(typ.Decl)
		a.values(typ.Consts, typ.Vars)
		a.functions(typ.Funcs)
		a.functions(typ.Methods)
	}
	if a.err != nil {
		t.Fatal(a.err)
	}
	return a.text.String()
}

// apiWriter prints declarations, each after an empty line.
type apiWriter struct {
	set  *token.FileSet
	text strings.Builder
	err  error // the first
}

func (a *apiWriter) declaration(decl ast.Decl) {
	var text strings.Builder
	if err := format.Node(&text, a.set, decl); err != nil && a.err == nil {
		a.err = err
	}
	// where a comment was, there is an empty line
	fmt.Fprintf(&a.text, "\n%s\n", strings.ReplaceAll(text.String(), "\n\n", "\n"))
}

func (a *apiWriter) values(groups ...[]*doc.Value) {
	for _, value := range slices.Concat(groups...) {
		a.declaration(value.Decl)
	}
}

func (a *apiWriter) functions(functions []*doc.Func) {
	for _, f := range functions {
		a.declaration(f.Decl)
	}
}
