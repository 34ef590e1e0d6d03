package deploy

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// TestPrune: what is in the files stays, however the server names its kind; what the server does
// not serve now stays in the set.
func TestPrune(t *testing.T) {
	widget := func(name, uid string) map[string]any {
		return map[string]any{"apiVersion": "example.com/v1", "kind": "Widget", "metadata": map[string]any{"name": name, "namespace": "shop", "uid": uid, "resourceVersion": "7", "labels": map[string]any{labelPartOf: (Set{"app", "shop"}).ID()}}}
	}
	kind := func(group, name string) map[string]any {
		return map[string]any{"resource": "widgets", "responseKind": map[string]any{"group": group, "version": "v1", "kind": name}, "scope": "Namespaced"}
	}
	group := func(name, kindName string) map[string]any {
		return map[string]any{"metadata": map[string]any{"name": name}, "versions": []any{map[string]any{"version": "v1", "resources": []any{kind(name, kindName)}}}}
	}
	var deleted []string
	var parent string
	cluster := clusterOf(func(r *http.Request) (int, any) {
		switch {
		case r.URL.Path == "/api":
			return 200, map[string]any{}
		case r.URL.Path == "/apis":
			return 200, map[string]any{"items": []any{group("example.com", "Widget"), group("old.example.com", "Widget")}}
		case r.Method == http.MethodDelete:
			deleted = append(deleted, r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:])
			return 200, map[string]any{}
		case strings.HasSuffix(r.URL.Path, "/secrets/probity.app") && r.Method == http.MethodPatch:
			parent = "written"
			return 200, map[string]any{"kind": "Secret"}
		case strings.HasSuffix(r.URL.Path, "/widgets"): // both groups have the same objects
			items := []any{widget("stays", "1"), widget("goes", r.URL.Path)}
			if strings.HasPrefix(r.URL.Path, "/apis/example.com/v1/namespaces/shop/") {
				items = append(items, widget("other", "2"))
			}
			return 200, map[string]any{"apiVersion": "example.com/v1", "kind": "Widgets", "items": items}
		case strings.HasSuffix(r.URL.Path, "/goes"):
			return 200, widget("goes", strings.TrimSuffix(r.URL.Path, "/goes"))
		case strings.HasSuffix(r.URL.Path, "/other"):
			return 200, widget("other", "2")
		}
		return 200, widget("stays", "1")
	})
	resources, err := cluster.Discover(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all, err := objects(t, "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: stays}\n---\napiVersion: example.com/v1\nkind: Widget\nmetadata: {name: other}\n")
	if err != nil {
		t.Fatal(err)
	}
	if err := Bind(all, resources, "shop", false); err != nil {
		t.Fatal(err)
	}
	away := schema.GroupKind{Group: "away.example.com", Kind: "Gadget"}
	d := &Deployment{resources: resources, options: Options{Cluster: cluster, Objects: all, Set: Set{"app", "shop"}}}
	d.contents = contentsOf(all)
	d.contents.kinds[schema.GroupKind{Group: "old.example.com", Kind: "Widget"}] = true
	d.contents.kinds[away], d.contents.namespaces["eu"] = true, true
	d.Entries = []*Entry{{Object: all[0], Before: object(t, "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: stays, uid: '1'}\n")}, {Object: all[1]}}
	if err := d.findLeftovers(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := d.Prune(t.Context()); err != nil || parent == "" {
		t.Errorf("error %v, and the set is %q", err, parent)
	}
	slices.Sort(deleted)
	if got := strings.Join(slices.Compact(deleted), " "); got != "goes" {
		t.Errorf("%s is deleted, want goes", got)
	}
	if !d.contents.kinds[away] || !d.contents.namespaces["eu"] {
		t.Errorf("the set is %v: what nobody serves now would be left behind", d.contents)
	}
}

// TestPruneLost: with the server lost nobody knows what is deleted; a refusal is known.
func TestPruneLost(t *testing.T) {
	for name, test := range map[string]struct {
		code  int
		known bool
	}{"lost": {0, false}, "refused": {403, true}} {
		t.Run(name, func(t *testing.T) {
			o := object(t, "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: shop, uid: u}\ndata: {a: eA==}\n")
			l := &Leftover{object: o}
			d := &Deployment{Leftovers: []*Leftover{l}, options: Options{Cluster: clusterOf(func(*http.Request) (int, any) {
				code, body := statusOf(test.code, metav1.StatusReasonForbidden, "no")
				return code, body
			})}}
			if err := d.Prune(t.Context()); err == nil || errors.Is(err, ErrNotKnown) == test.known {
				t.Errorf("error %v, known: %v", err, test.known)
			}
			if text, err := l.Difference(); err != nil || !strings.Contains(string(text), "-kind: Secret") || strings.Contains(string(text), "eA==") {
				t.Errorf("the difference is\n%s, %v", text, err)
			}
		})
	}
}

// TestEstablishedLost: with the server lost nobody knows whether a kind is served.
func TestEstablishedLost(t *testing.T) {
	d, _ := bound(t, "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a}\n", func(*http.Request) (int, any) { return 0, nil })
	if err := d.awaitEstablished(t.Context(), d.options.Objects); !errors.Is(err, ErrNotKnown) {
		t.Errorf("error %v, want %v", err, ErrNotKnown)
	}
}
