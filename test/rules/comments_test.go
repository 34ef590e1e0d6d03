//go:build !race

package rules

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

const commentWidth = 100 // columns; a tab counts 4

// TestCommentsWrap looks at comments that have their lines for themselves. What follows code on its
// line may stand where the code ends, and what an example prints is as wide as that is.
func TestCommentsWrap(t *testing.T) {
	for _, path := range files(t, ".go") {
		if strings.Contains(filepath.ToSlash(path), "/testdata/") {
			continue
		}
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, source, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(string(source), "\n")
		for _, group := range file.Comments {
			for _, line := range tooWide(lines, files, group) {
				t.Errorf("%s:%d: a comment is wider than %d columns: wrap it", path, line, commentWidth)
			}
		}
	}
}

// tooWide returns the numbers of the lines of a comment that are too wide.
func tooWide(lines []string, files *token.FileSet, group *ast.CommentGroup) []int {
	var wide []int
	for _, comment := range group.List {
		if strings.HasPrefix(comment.Text, "// Output:") || strings.HasPrefix(comment.Text, "// Unordered output:") {
			return wide
		}
		first := files.Position(comment.Pos()).Line
		for i := range strings.Split(comment.Text, "\n") {
			text := strings.TrimLeft(lines[first+i-1], "\t")
			if i == 0 && !strings.HasPrefix(text, "//") && !strings.HasPrefix(text, "/*") {
				continue // it follows code
			}
			if width(lines[first+i-1]) > commentWidth && strings.Contains(strings.TrimLeft(text, "/ \t"), " ") && !strings.HasPrefix(text, "//go:") {
				wide = append(wide, first+i)
			}
		}
	}
	return wide
}

func width(line string) int { return utf8.RuneCountInString(line) + 3*strings.Count(line, "\t") }

func TestTooWide(t *testing.T) {
	long := strings.Repeat("word ", 20) + "end" // 103 columns
	tests := map[string]struct {
		source string
		want   int
	}{
		"a comment":              {"// " + long + "\npackage p\n", 1},
		"a tab counts 4":         {"package p\n\nfunc f() {\n\t\t// " + long[:90] + "\n}\n", 1},
		"100 columns":            {"package p\n\nfunc f() {\n\t\t// " + long[:89] + "\n}\n", 0},
		"code":                   {"//\t" + long + "\npackage p\n", 1},
		"a long word":            {"// https://" + strings.ReplaceAll(long, " ", "/") + "\npackage p\n", 0},
		"after code":             {"package p\n\nvar v int // " + long + "\n", 0},
		"a directive":            {"//go:build " + strings.ReplaceAll(long, "word ", "a && ") + "\n\npackage p\n", 0},
		"the output of examples": {"package p\n\nfunc Example() {\n\t// Output:\n\t// " + long + "\n}\n", 0},
		"a block":                {"/*\n" + long + "\n*/\npackage p\n", 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			files := token.NewFileSet()
			file, err := parser.ParseFile(files, "p.go", test.source, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			var got []int
			for _, group := range file.Comments {
				got = append(got, tooWide(strings.Split(test.source, "\n"), files, group)...)
			}
			if len(got) != test.want {
				t.Errorf("lines %v are too wide, want %d of them in\n%s", got, test.want, test.source)
			}
		})
	}
}
