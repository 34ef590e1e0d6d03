package truefoundry_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/probity-run/probity/internal/formats/truefoundry"
)

// What a document becomes is the same after it was written back as a document, and nothing of it
// has no form there.
func TestRoundTrip(t *testing.T) {
	data, err := os.ReadFile(filepath.FromSlash("../../../service/testdata/cases/services.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []testCase
	if err := yaml.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		isDeployment := func(o map[string]any) bool { return o["kind"] == "Deployment" }
		if c.Run || !slices.ContainsFunc(c.Objects, isDeployment) {
			continue // the secrets of a run are not written anywhere
		}
		t.Run(c.Name, func(t *testing.T) {
			first := c.outcome().Objects
			text, misfits, err := truefoundry.FromKubernetes(first)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range misfits {
				t.Errorf("%v", m)
			}
			again := testCase{Document: document(text)}.outcome()
			if diff := gocmp.Diff(byName(first), byName(again.Objects)); diff != "" || again.Errors != nil {
				t.Errorf("%v\n-first +again:\n%s\n%s", again.Errors, diff, text)
			}
		})
	}
}

// byName are objects by kind, namespace and name.
func byName(objects []map[string]any) map[string]any {
	all := map[string]any{}
	for _, o := range objects {
		meta, _ := o["metadata"].(map[string]any)
		namespace, _ := meta["namespace"].(string)
		name, _ := meta["name"].(string)
		all[strings.Join([]string{o["kind"].(string), namespace, name}, "/")] = maps.Clone(o)
	}
	return all
}
