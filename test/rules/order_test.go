//go:build !race

package rules

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestOrderOfEvaluation: no value stands beside a call that changes it, as in
//
//	return options, read(&options)
//
// Go has no order for the two: the caller gets what was before the call, or what is after it.
func TestOrderOfEvaluation(t *testing.T) {
	for _, path := range files(t, ".go") {
		if strings.Contains(filepath.ToSlash(path), "/testdata/") {
			continue
		}
		fileSet := token.NewFileSet()
		file, err := parser.ParseFile(fileSet, path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range unordered(file) {
			t.Errorf("%s: a value stands beside a call that changes it: make the call a statement of its own", fileSet.Position(at))
		}
	}
}

// unordered are the returns and calls in which a variable stands beside a call that may change it.
func unordered(file *ast.File) (places []token.Pos) {
	ast.Inspect(file, func(n ast.Node) bool {
		var operands []ast.Expr
		switch n := n.(type) {
		case *ast.ReturnStmt:
			operands = n.Results
		case *ast.CallExpr:
			operands = n.Args
		}
		for i, operand := range operands {
			name := variable(operand)
			if name == "" {
				continue
			}
			for j, other := range operands {
				if i != j && slices.ContainsFunc(changed(other), func(c string) bool { return overlap(name, c) }) {
					places = append(places, n.Pos())
				}
			}
		}
		return true
	})
	return places
}

// overlap reports whether two variables are one, or one is a field of the other.
func overlap(a, b string) bool {
	return strings.HasPrefix(a+".", b+".") || strings.HasPrefix(b+".", a+".")
}

// variable is the variable that an expression reads, with its field, as x.y; "" for another one.
func variable(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		if of := variable(e.X); of != "" {
			return of + "." + e.Sel.Name
		}
	}
	return ""
}

// changed are the variables that the calls in an expression may change: they get their addresses,
// or functions that assign to them.
func changed(e ast.Expr) (names []string) {
	ast.Inspect(e, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			_, isFunction := n.(*ast.FuncLit)
			return !isFunction
		}
		for _, argument := range call.Args {
			switch a := argument.(type) {
			case *ast.UnaryExpr:
				if name := variable(a.X); a.Op == token.AND && name != "" {
					names = append(names, name)
				}
			case *ast.FuncLit:
				names = append(names, assigned(a.Body)...)
			}
		}
		return true
	})
	return names
}

// assigned are the variables that a function assigns to.
func assigned(body *ast.BlockStmt) (names []string) {
	ast.Inspect(body, func(n ast.Node) bool {
		if a, ok := n.(*ast.AssignStmt); ok && a.Tok != token.DEFINE {
			for _, left := range a.Lhs {
				if name := variable(left); name != "" && name != "_" {
					names = append(names, name)
				}
			}
		}
		return true
	})
	return names
}

func TestUnordered(t *testing.T) {
	for statement, want := range map[string]int{
		"return x, f(&x)":                       1,
		"return f(&x), x.y":                     1,
		"return Join(f(func() { x = g() }), x)": 1,
		"return x, f(&x.y)":                     1,
		"return x.z, f(&x.y)":                   0,
		"return f(&x) == nil && x.y":            0,
		"return f(&x), y":                       0,
		"return x, f(x)":                        0,
		"return f(func() { x := 1; g(x) }), x":  0,
		"err := f(&x); return x, err":           0,
	} {
		file, err := parser.ParseFile(token.NewFileSet(), "", "package p\nfunc a() { "+statement+" }", 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := unordered(file); len(got) != want {
			t.Errorf("%s: found %d times, want %d", statement, len(got), want)
		}
	}
}
