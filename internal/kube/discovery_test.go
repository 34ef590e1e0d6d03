package kube

import (
	"io"
	"net/http"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// TestDiscover: what the two forms tell is the same.
func TestDiscover(t *testing.T) {
	aggregated := map[string]string{
		"/api": `{"kind":"APIGroupDiscoveryList","items":[{"metadata":{},"versions":[{"version":"v1","resources":[
			{"resource":"pods","singularResource":"pod","responseKind":{"version":"v1","kind":"Pod"},"scope":"Namespaced","shortNames":["po"]},
			{"resource":"namespaces","singularResource":"namespace","responseKind":{"version":"v1","kind":"Namespace"},"scope":"Cluster","shortNames":["ns"]}]}]}]}`,
		"/apis": `{"kind":"APIGroupDiscoveryList","items":[{"metadata":{"name":"example.com"},"versions":[
			{"version":"v2","resources":[{"resource":"widgets","responseKind":{"group":"example.com","version":"v2","kind":"Widget"},"scope":"Namespaced"}]},
			{"version":"v1","resources":[{"resource":"widgets","responseKind":{"group":"example.com","version":"v1","kind":"Widget"},"scope":"Namespaced"}]}]},
			{"metadata":{"name":"away.example.com"},"versions":[{"version":"v1","freshness":"Stale"}]}]}`,
	}
	old := map[string]string{
		"/api":                   `{"kind":"APIVersions","versions":["v1"]}`,
		"/api/v1":                `{"resources":[{"name":"pods","singularName":"pod","namespaced":true,"kind":"Pod","shortNames":["po"]},{"name":"pods/log","namespaced":true,"kind":"Pod"},{"name":"namespaces","singularName":"namespace","kind":"Namespace","shortNames":["ns"]}]}`,
		"/apis":                  `{"kind":"APIGroupList","groups":[{"name":"example.com","versions":[{"groupVersion":"example.com/v1","version":"v1"},{"groupVersion":"example.com/v2","version":"v2"}],"preferredVersion":{"groupVersion":"example.com/v2","version":"v2"}},{"name":"away.example.com","versions":[{"groupVersion":"away.example.com/v1","version":"v1"}]}]}`,
		"/apis/example.com/v1":   `{"resources":[{"name":"widgets","namespaced":true,"kind":"Widget"}]}`,
		"/apis/example.com/v2":   `{"resources":[{"name":"widgets","namespaced":true,"kind":"Widget"}]}`,
		"/apis/away.example.com": "",
	}
	for name, answers := range map[string]map[string]string{"aggregated": aggregated, "old": old} {
		t.Run(name, func(t *testing.T) {
			server := func(w http.ResponseWriter, r *http.Request) {
				text, ok := answers[r.URL.Path]
				if !ok {
					http.Error(w, `{"kind":"Status","status":"Failure","reason":"ServiceUnavailable","message":"away","code":503}`, http.StatusServiceUnavailable)
					return
				}
				_, _ = io.WriteString(w, text) // the client sees to it
			}
			client := serve(t, server, server, server, server, server, server)
			resources, err := client.Discover(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got, _ := resources.Kind(schema.GroupVersionKind{Version: "v1", Kind: "Pod"}); got != Pods {
				t.Errorf("Pods are %+v, want %+v", got, Pods)
			}
			if got, _ := resources.Kind(schema.GroupVersionKind{Version: "v1", Kind: "Namespace"}); got != Namespaces {
				t.Errorf("Namespaces are %+v, want %+v", got, Namespaces)
			}
			want := Kind{Group: "example.com", Version: "v2", Plural: "widgets", Singular: "widget"}
			if got, _ := resources.Preferred(schema.GroupKind{Group: "example.com", Kind: "Widget"}); got != want {
				t.Errorf("widgets are %+v, want %+v", got, want)
			}
			if got, ok := resources.Kind(schema.GroupVersionKind{Group: "away.example.com", Version: "v1", Kind: "Widget"}); ok {
				t.Errorf("what is away is served as %+v", got)
			}
			for kind, want := range map[schema.GroupKind]bool{
				{Group: "example.com", Kind: "Widget"}: false, {Group: "example.com", Kind: "Gadget"}: true, {Group: "old.example.com", Kind: "Widget"}: true,
				{Group: "away.example.com", Kind: "Widget"}: false,
			} {
				if got := resources.Gone(kind); got != want {
					t.Errorf("%s is gone: %v, want %v", kind, got, want)
				}
			}
		})
	}
}
