package schemas

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/simulate/script"
)

// update is the flag with which go generate writes the reference anew.
var update = flag.Bool("update", false, "write docs/reference instead of comparing it")

// TestReferenceIsCurrent: the page of annotations and the schemas are what the code has.
func TestReferenceIsCurrent(t *testing.T) {
	current(t, "annotations.md", annotationsPage())
	current(t, "schemas/annotations.json", text(t, manifest.AnnotationSchema()))
	current(t, "schemas/fault-script.json", text(t, script.Schema()))
}

func text(t *testing.T, schema map[string]any) string {
	t.Helper()
	data, err := json.MarshalIndent(schema, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(data) + "\n"
}

// current compares a file of the reference with what is generated, or writes it.
func current(t *testing.T, name, want string) {
	t.Helper()
	path := filepath.Join("../../docs/reference", name)
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v: run go generate ./test/schemas", err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("%s is stale, run go generate ./test/schemas (-want +got):\n%s", path, diff)
	}
}

const annotationsHead = `# Annotations

What Probity reads and writes under ` + "`probity.run/`" + `. A cluster ignores all of them. A value that is not valid is refused when the object is written, with file and line or in the API's words; one where it has no effect is a warning.
Editors complete and check them [by a JSON schema](../how-to/write-in-an-editor.md).
`

// annotationsPage is docs/reference/annotations.md.
func annotationsPage() string {
	var page strings.Builder
	page.WriteString(annotationsHead)
	for _, place := range manifest.Places() {
		columns := "| annotation | value | what it does |"
		if place == manifest.PlaceWritten {
			columns = "| annotation | on | what it says |"
		}
		fmt.Fprintf(&page, "\n## %s\n\n%s\n|---|---|---|\n", place, columns)
		for _, a := range manifest.Annotations() {
			if a.Place != place {
				continue
			}
			more := ""
			if a.Page != "" {
				more = ": [how](../" + a.Page + ")"
			}
			fmt.Fprintf(&page, "| `%s` | %s | %s%s |\n", a.Key, a.Value, a.Text, more)
		}
	}
	return page.String()
}

// TestAnnotationsAreListed: the table has each annotation that the code names.
func TestAnnotationsAreListed(t *testing.T) {
	known := map[string]bool{}
	for _, a := range manifest.Annotations() {
		key, _ := a.Prefix()
		if known[key] {
			t.Errorf("%s is there twice", key)
		}
		known[key] = true
	}
	source, err := os.ReadFile("../../internal/manifest/annotations.go")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`annotationPrefix \+ "([a-z.-]+)"`).FindAllSubmatch(source, -1)
	if len(found) < 15 {
		t.Errorf("%d annotations were found in the source", len(found))
	}
	for _, name := range found {
		if !known["probity.run/"+string(name[1])] {
			t.Errorf("the table has no probity.run/%s", name[1])
		}
	}
}
