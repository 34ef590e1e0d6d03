package cli

import (
	"testing"

	"github.com/probity-run/probity/internal/advisor/cluster"
	"github.com/probity-run/probity/internal/kube/survey"
	"github.com/probity-run/probity/internal/manifest"
)

// TestPatchText: a name that a server made up cannot become a document of its own beside those that
// are to be applied.
func TestPatchText(t *testing.T) {
	object := manifest.Ref{Kind: "Deployment", Namespace: "shop", Name: "web\n---\nkind: ClusterRoleBinding"}
	got := patchText(cluster.Patch{Object: object, Rules: []string{"rule"}}, survey.Document{Text: "kind: Deployment\n"})
	want := "---\n# deployment/web\\n---\\nkind: ClusterRoleBinding in namespace shop: rule\nkind: Deployment\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
