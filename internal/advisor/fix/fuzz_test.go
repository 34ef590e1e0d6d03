package fix_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/probity-run/probity/internal/advisor/advisortest"
	"github.com/probity-run/probity/internal/advisor/fix"
)

// Whatever the text is, what comes out can be read if it could be before, and has nothing worse.
func FuzzAll(f *testing.F) {
	files, err := filepath.Glob("../rules/*/testdata/bad*.yaml")
	if err != nil || len(files) == 0 {
		f.Fatalf("no fixtures: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"containers":[{"name":"a","image":"a\/b","livenessProbe":{"exec":{"command":["x"]},"initialDelaySeconds":90}}]}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := advisortest.Parse("a.yaml", text)
		if err != nil {
			return
		}
		r := fix.All(m, judge)
		again, err := advisortest.Parse("a.yaml", r.Manifests.Text("a.yaml"))
		if err != nil {
			t.Fatalf("what comes out cannot be read: %v\n%s", err, r.Manifests.Text("a.yaml"))
		}
		checkNothingWorse(t, judge(m), judge(again))
	})
}
