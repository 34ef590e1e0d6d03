package deploy

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	role    = "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: r, namespace: shop}\n---\n"
	binding = "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: x, namespace: shop}\nroleRef: {kind: Role, name: r}\n"
	account = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: s, namespace: shop}\n---\n"
	pod     = "apiVersion: v1\nkind: Pod\nmetadata: {name: x, namespace: shop}\nspec: {serviceAccountName: s}\n"
	widget  = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: x, namespace: shop}\n"
	crd     = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec: {group: example.com, scope: Namespaced, names: {kind: Widget, plural: widgets}, versions: [{name: v1}]}
---
`
)

// TestBrings: what an object misses is no refusal if the set itself brings it. The messages are
// those of kube-apiserver 1.36.
func TestBrings(t *testing.T) {
	noRole := refusal(404, metav1.StatusReasonNotFound, `roles.rbac.authorization.k8s.io "r" not found`)
	noAccount := refusal(403, metav1.StatusReasonForbidden, `pods "x" is forbidden: error looking up service account shop/s: serviceaccount "s" not found`)
	noField := refusal(500, "", "failed to create typed patch object (shop/x; example.com/v1, Kind=Widget): .spec.size: field not declared in schema")
	tests := map[string]struct {
		text    string
		err     error
		changes bool // the definition
		want    bool
	}{
		"its Role":                      {role + binding, noRole, false, true},
		"nobody's Role":                 {binding, noRole, false, false},
		"a Role of another namespace":   {strings.ReplaceAll(role, "shop", "eu") + binding, noRole, false, false},
		"its account":                   {account + pod, noAccount, false, true},
		"nobody's account":              {pod, noAccount, false, false},
		"another refusal":               {account + pod, refusal(403, metav1.StatusReasonForbidden, `pods "x" is forbidden: exceeded quota`), false, false},
		"a field that its kind gains":   {crd + widget, noField, true, true},
		"a field that its kind has not": {crd + widget, noField, false, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			d, _ := bound(t, test.text, nil)
			last := d.Entries[len(d.Entries)-1]
			for _, e := range d.Entries {
				e.Before, e.Planned = e.Unstructured, e.Unstructured
				if test.changes {
					e.Before = object(t, "kind: Old")
				}
			}
			if got := d.brings(last, test.err); got != test.want {
				t.Errorf("the set brings it: %v, want %v", got, test.want)
			}
		})
	}
}

// TestPlanUnasked: what the set brings is not waited for, but whose it is is asked.
func TestPlanUnasked(t *testing.T) {
	for name, test := range map[string]struct{ label, err string }{"ours": {"", ""}, "of another set": {"other", "belongs to another set"}} {
		t.Run(name, func(t *testing.T) {
			live := object(t, binding)
			live.SetLabels(map[string]string{labelPartOf: test.label})
			d, told := bound(t, role+binding, func(r *http.Request) (int, any) {
				switch {
				case !strings.HasSuffix(r.URL.Path, "/x"):
					return 201, map[string]any{"kind": "Role"}
				case r.Method == http.MethodGet:
					return 200, live.Object
				}
				return statusOf(404, metav1.StatusReasonNotFound, `roles.rbac.authorization.k8s.io "r" not found`)
			})
			d.options.Set = Set{"app", "shop"}
			err := d.ask(t.Context())
			if (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
				t.Errorf("error %v, want %q", err, test.err)
			}
			if e := d.Entries[1]; !e.unasked || e.Before == nil || e.Expected() != Configured {
				t.Errorf("it is %+v", e)
			}
			if want := "x is not checked by the server: what it needs is made first"; err == nil && strings.Join(*told, ",") != want {
				t.Errorf("it tells %q, want %q", *told, want)
			}
		})
	}
}

// TestEarlyField: a server that does not know a field yet, which a definition of the set brings, is
// asked again; what is no field of it is refused.
func TestEarlyField(t *testing.T) {
	d, _ := bound(t, crd+widget, nil)
	e := d.Entries[1]
	bad := refusal(500, "", "failed to create typed patch object: .spec.size: field not declared in schema")
	if d.isEarly(e, bad, 0) || d.isEarly(e, errors.New("lost"), 0) {
		t.Error("what was checked, or is lost, is asked for again")
	}
	if e.unasked = true; !d.isEarly(e, bad, 0) || d.isEarly(e, bad, schemaTime) {
		t.Error("it is not asked again for a while")
	}
}
