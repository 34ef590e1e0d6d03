package deploy

import (
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/probity-run/probity/internal/ownership"
)

// TestSet: the format is that of KEP-3659; what was written is read again.
func TestSet(t *testing.T) {
	all, err := objects(t, `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: a, namespace: eu}
`)
	if err != nil {
		t.Fatal(err)
	}
	set := Set{"app", "shop"}
	parent := set.write(contentsOf(all))
	want := map[string]any{
		"apiVersion": "v1", "kind": "Secret", "type": "Opaque",
		"metadata": map[string]any{
			"name": "probity.app", "namespace": "shop",
			// of the SHA-256 of probity.app.shop.Secret.
			"labels": map[string]any{labelSet: "applyset-2ZJebFbDVSXbs9aQwSaXqEXZn8VU4ju_fbN6k8Uacck-v1"},
			"annotations": map[string]any{
				annotationTooling: "probity/v1", annotationKinds: "ConfigMap,Deployment.apps", annotationNamespaces: "eu",
			},
		},
	}
	if diff := cmp.Diff(want, parent.Object); diff != "" {
		t.Errorf("the parent (-want +got):\n%s", diff)
	}
	read, err := set.read(parent)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(parent.Object, set.write(read).Object); diff != "" {
		t.Errorf("what was read is (-want +got):\n%s", diff)
	}
	parent.SetAnnotations(map[string]string{annotationTooling: "kubectl/v1.36"})
	if _, err := set.read(parent); err == nil || !strings.Contains(err.Error(), `its tooling is "kubectl/v1.36"`) {
		t.Errorf("a set of kubectl is read: %v", err)
	}
}

// TestReadSetGone: what the server has no longer leaves the set, and what is only away stays.
func TestReadSetGone(t *testing.T) {
	kind := func(group, name string) schema.GroupKind { return schema.GroupKind{Group: group, Kind: name} }
	set := Set{"app", "shop"}
	written := contentsOf(nil)
	for _, k := range []schema.GroupKind{kind("", "Secret"), kind("gone.example.com", "Widget"), kind("away.example.com", "Gadget")} {
		written.kinds[k] = true
	}
	cluster := clusterOf(func(r *http.Request) (int, any) {
		resource := map[string]any{"resource": "secrets", "responseKind": map[string]any{"version": "v1", "kind": "Secret"}, "scope": "Namespaced"}
		switch r.URL.Path {
		case "/api":
			return 200, map[string]any{"items": []any{map[string]any{"metadata": map[string]any{}, "versions": []any{map[string]any{"version": "v1", "resources": []any{resource}}}}}}
		case "/apis":
			return 200, map[string]any{"items": []any{map[string]any{"metadata": map[string]any{"name": "away.example.com"}, "versions": []any{map[string]any{"version": "v1", "freshness": "Stale"}}}}}
		}
		return 200, set.write(written).Object
	})
	resources, err := cluster.Discover(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	d := &Deployment{resources: resources, options: Options{Cluster: cluster, Set: set}}
	if err := d.readSet(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, want := d.contents.kinds, map[schema.GroupKind]bool{kind("", "Secret"): true, kind("away.example.com", "Gadget"): true}; !maps.Equal(got, want) {
		t.Errorf("the set has %v, want %v", got, want)
	}
}

// TestSpared: what holds more than itself is not pruned, nor what somebody else sees to.
func TestSpared(t *testing.T) {
	tests := map[string]struct {
		text  string
		stays bool
		owner string
	}{
		"a Deployment":     {"kind: Deployment\nmetadata: {name: a}", false, ""},
		"a Namespace":      {"kind: Namespace\nmetadata: {name: a}", true, ""},
		"a claim":          {"kind: PersistentVolumeClaim\nmetadata: {name: a}", true, ""},
		"of an owner":      {"kind: ReplicaSet\nmetadata: {name: a, ownerReferences: [{kind: Deployment, name: web, controller: true}]}", true, "Deployment web"},
		"to be kept":       {"kind: Service\nmetadata: {name: a, annotations: {probity.run/keep: 'true'}}", true, ""},
		"not to be kept":   {"kind: Service\nmetadata: {name: a, annotations: {probity.run/keep: 'false'}}", false, ""},
		"of Helm":          {"kind: Service\nmetadata: {name: a, annotations: {meta.helm.sh/release-name: shop}}", false, "Helm, release shop"},
		"of Flux":          {"kind: Service\nmetadata: {name: a, labels: {kustomize.toolkit.fluxcd.io/name: shop}}", false, "Flux, Kustomization shop"},
		"of Argo CD":       {"kind: Service\nmetadata: {name: a, annotations: {argocd.argoproj.io/tracking-id: 'shop:x'}}", false, "Argo CD, application shop"},
		"by another owner": {"kind: Pod\nmetadata: {name: a, ownerReferences: [{kind: Widget, name: w}]}", true, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			o := object(t, "apiVersion: v1\n"+test.text)
			if got := spared(o); (got != "") != test.stays {
				t.Errorf("it stays because %q", got)
			}
			if got := ownership.Owner(o); got != test.owner {
				t.Errorf("its owner is %q, want %q", got, test.owner)
			}
		})
	}
}

// TestTakeOver: fields that kubectl apply has left become Probity's; nothing is sent without.
func TestTakeOver(t *testing.T) {
	live := object(t, `
apiVersion: v1
kind: ConfigMap
metadata:
  name: a
  resourceVersion: "7"
  managedFields:
  - {manager: kubectl-client-side-apply, operation: Update, apiVersion: v1, fieldsType: FieldsV1, fieldsV1: {"f:data": {"f:x": {}}}}
data: {x: "1"}
`)
	patch, err := takeOverPatch(live)
	if err != nil || !strings.Contains(string(patch), `"manager":"probity","operation":"Apply"`) || !strings.Contains(string(patch), `"/metadata/resourceVersion","value":"7"`) {
		t.Errorf("the patch is %s, %v", patch, err)
	}
	for _, o := range []*unstructured.Unstructured{nil, object(t, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}")} {
		if patch, err := takeOverPatch(o); patch != nil || err != nil {
			t.Errorf("the patch of nothing is %s, %v", patch, err)
		}
	}
}
