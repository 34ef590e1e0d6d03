//go:build tools

package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/probity-run/probity/internal/apiserver/openapi"
	"github.com/probity-run/probity/internal/apiserver/resources"
)

// TestToolsDocumentsAreCurrent compares what the program has with what the generator makes today.
// The packed forms may differ: they depend on the version of Go.
func TestToolsDocumentsAreCurrent(t *testing.T) {
	want, err := generate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range openapi.Documents() {
		got, err := d.JSON()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want[d.Path]) {
			t.Errorf("the document %s is not what is generated: run go generate ./internal/apiserver/openapi", d.Path)
		}
		delete(want, d.Path)
	}
	for path := range want {
		t.Errorf("the document %s is missing: run go generate ./internal/apiserver/openapi", path)
	}
}

// TestToolsTableIsOfACluster compares each row of the table with what a cluster advertises, which
// is published beside the documents.
func TestToolsTableIsOfACluster(t *testing.T) {
	published, err := openPublished(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer published.Close()
	for _, gv := range resources.GroupVersions() {
		if gv.Group == "probity.run" {
			continue
		}
		advertised := advertisedBy(t, published, gv)
		for _, r := range resources.All() {
			if r.GVK.GroupVersion() != gv {
				continue
			}
			for _, got := range rowsOf(r) {
				if diff := cmp.Diff(advertised[got.Name], got); diff != "" {
					t.Errorf("%s of %s (-want +got):\n%s", got.Name, gv, diff)
				}
			}
		}
	}
}

// advertisedBy reads the published discovery of a group and version.
func advertisedBy(t *testing.T, published published, gv schema.GroupVersion) map[string]metav1.APIResource {
	t.Helper()
	text, err := published.read("api/discovery/" + strings.ReplaceAll(pathOf(gv), "/", "__") + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var list metav1.APIResourceList
	if err := json.Unmarshal(text, &list); err != nil {
		t.Fatal(err)
	}
	advertised := map[string]metav1.APIResource{}
	for _, r := range list.APIResources {
		r.StorageVersionHash = "" // for those who look into etcd
		advertised[r.Name] = r
	}
	return advertised
}

// rowsOf are a resource and its subresources as discovery lists them.
func rowsOf(r resources.Resource) []metav1.APIResource {
	rows := []metav1.APIResource{{
		Name: r.Name, SingularName: r.Singular, Namespaced: r.Namespaced, Kind: r.GVK.Kind, Verbs: r.Verbs, ShortNames: r.ShortNames, Categories: r.Categories,
	}}
	for _, s := range r.Subresources {
		row := metav1.APIResource{Name: r.Name + "/" + s.Name, Namespaced: r.Namespaced, Kind: s.GVK.Kind, Verbs: s.Verbs}
		if s.GVK.GroupVersion() != r.GVK.GroupVersion() {
			row.Group, row.Version = s.GVK.Group, s.GVK.Version
		}
		rows = append(rows, row)
	}
	return rows
}
