//go:build tools && !race

package rules

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Budgets in bytes, for linux/amd64 without cgo. The figures are those of November 2026. A change
// that is worth more raises them.
const (
	probityBudget  = 51_700_000 // as go build and go install make it: 51.5 MB, of which the API is 12, clusters 4.2, the dashboard 2.0, drill and tune 2.0 and other formats 1.1
	strippedBudget = 36_900_000 // with -ldflags=-s -w: 36.7 MB, of which the API is 8.6, clusters 3.1, the terminal 1.9, drill and tune 1.4, the dashboard 1.3 and other formats 0.8
	proberBudget   = 9_000_000  // a program that makes HTTP attempts only: 8.6 MB, of which net/http is nearly all
)

// reflectMethod is how the linker marks a function that finds methods by a name that is only known
// at run time. One of them, in all of the program, makes the linker keep every exported method of
// every type: with text/template or html/template Probity would be 6.6 MB larger.
const reflectMethod = " <ReflectMethod>"

// TestWeight builds the programs that people install and holds them to their budgets. It links
// three programs, which takes half a minute, so it runs with TestTools: go test -tags tools -run
// TestWeight ./test/rules
func TestWeight(t *testing.T) {
	programs := map[string]struct {
		pkg    string
		flags  string
		budget int64
	}{
		"probity":             {"./cmd/probity", "", probityBudget},
		"probity, stripped":   {"./cmd/probity", "-s -w", strippedBudget},
		"a prober, HTTP only": {"./test/rules/testdata/prober", "", proberBudget},
	}
	for name, p := range programs {
		t.Run(name, func(t *testing.T) {
			// -dumpdep changes nothing in the program
			size, dump := link(t, p.pkg, "-dumpdep "+p.flags)
			if size > p.budget {
				t.Errorf("%s has %d bytes, which is more than the budget of %d: see what came in with go tool nm -size -sort size", p.pkg, size, p.budget)
			}
			for _, edge := range reflectMethods(dump) {
				t.Errorf("%s makes the linker keep every exported method: %s", p.pkg, edge)
			}
		})
	}
}

// link builds a package and returns the size of the program, and what the linker says.
func link(t *testing.T, pkg, flags string) (size int64, says string) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "program")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", program, "-ldflags="+flags, pkg)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64", "GOFLAGS=")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("cannot build %s: %v\n%s", pkg, err, stderr.String())
	}
	info, err := os.Stat(program)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(stderr.String(), "main.main -> ") {
		t.Fatalf("the linker does not tell what depends on what: %.200q", stderr.String())
	}
	return info.Size(), stderr.String()
}

// reflectMethods returns the edges of a dump that lead to a function that finds methods by name.
func reflectMethods(dump string) (edges []string) {
	for line := range strings.Lines(dump) {
		if _, to, ok := strings.Cut(line, " -> "); ok && strings.Contains(to, reflectMethod) {
			edges = append(edges, strings.TrimSpace(line))
		}
	}
	return slices.Compact(edges)
}

func TestReflectMethods(t *testing.T) {
	dump := `main.main -> fmt.Println
text/template.(*state).evalFieldChain -> text/template.(*state).evalField <ReflectMethod>
text/template.(*state).evalField <ReflectMethod> -> reflect.Value.FieldByIndexErr
type:reflect.Value <UsedInIface> -> reflect.(*Value).Method <ReflectMethod>
`
	want := []string{
		"text/template.(*state).evalFieldChain -> text/template.(*state).evalField <ReflectMethod>",
		"type:reflect.Value <UsedInIface> -> reflect.(*Value).Method <ReflectMethod>",
	}
	if diff := cmp.Diff(want, reflectMethods(dump)); diff != "" {
		t.Errorf("edges (-want +got):\n%s", diff)
	}
}
