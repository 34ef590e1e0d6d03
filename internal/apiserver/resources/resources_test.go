package resources

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/probity-run/probity/internal/store"
)

// TestAll holds the table to what its readers rely on. That the rows of Kubernetes' resources are
// a cluster's is compared where the OpenAPI documents are made, which has a cluster's discovery.
func TestAll(t *testing.T) {
	seen := map[schema.GroupVersionResource]bool{}
	for _, r := range All() {
		if gvr := r.GVR(); seen[gvr] {
			t.Errorf("%v is in the table twice", gvr)
		}
		seen[r.GVR()] = true
		if r.Singular != strings.ToLower(r.GVK.Kind) {
			t.Errorf("the singular of %s is %q, want the kind in lower case", r.Name, r.Singular)
		}
		if len(r.Verbs) == 0 || !slices.IsSorted(r.Verbs) {
			t.Errorf("verbs of %s are %v, want some, sorted", r.Name, r.Verbs)
		}
		for _, s := range r.Subresources {
			if len(s.Verbs) == 0 || !slices.IsSorted(s.Verbs) || s.GVK.Kind == "" || s.GVK.Version == "" {
				t.Errorf("%s/%s has the kind %v and the verbs %v", r.Name, s.Name, s.GVK, s.Verbs)
			}
		}
		if !slices.IsSortedFunc(r.Subresources, func(a, b Subresource) int { return strings.Compare(a.Name, b.Name) }) {
			t.Errorf("the subresources of %s are not sorted", r.Name)
		}
	}
}

// TestServesTheStore: an object that is kept and cannot be read would be a surprise.
func TestServesTheStore(t *testing.T) {
	for _, kind := range store.Kubernetes() {
		if !slices.ContainsFunc(All(), func(r Resource) bool { return r.GVK == kind.GVK && r.Name == kind.Resource }) {
			t.Errorf("the store keeps %v, which is not in the table as %s", kind.GVK, kind.Resource)
		}
	}
}

func TestGroupVersions(t *testing.T) {
	want := []string{
		"v1", "apps/v1", "events.k8s.io/v1", "authentication.k8s.io/v1", "authorization.k8s.io/v1", "coordination.k8s.io/v1",
		"discovery.k8s.io/v1", "probity.run/v1",
	}
	var got []string
	for _, gv := range GroupVersions() {
		got = append(got, gv.String())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
}

// TestAllIsTheCallers: what a caller does to its table does nothing to another's.
func TestAllIsTheCallers(t *testing.T) {
	mine := All()
	for _, r := range mine {
		r.Verbs[0] = "changed"
		for _, s := range r.Subresources {
			s.Verbs[0] = "changed"
		}
	}
	for _, r := range All() {
		if r.Can("changed") || slices.ContainsFunc(r.Subresources, func(s Subresource) bool { return s.Can("changed") }) {
			t.Errorf("the table shares the verbs of %s", r.Name)
		}
	}
}
