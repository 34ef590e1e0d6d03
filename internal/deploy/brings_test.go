package deploy

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

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

// TestEarlyAccount: a Pod in a namespace of the set is sent again until its default account is
// there, which controllers make; elsewhere, or after a while, it is refused.
func TestEarlyAccount(t *testing.T) {
	const space = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---\n"
	noDefault := refusal(403, metav1.StatusReasonForbidden, `pods "x" is forbidden: error looking up service account shop/default: serviceaccount "default" not found`)
	for name, test := range map[string]struct {
		text    string
		unasked bool
		err     error
		since   time.Duration
		want    bool
	}{
		"a namespace of the set":  {space + pod, true, noDefault, 0, true},
		"that was there before":   {space + pod, false, noDefault, 0, false},
		"for too long":            {space + pod, true, noDefault, accountTime, false},
		"of nobody":               {pod, true, noDefault, 0, false},
		"another account":         {space + pod, true, refusal(403, metav1.StatusReasonForbidden, `pods "x" is forbidden: error looking up service account shop/s: serviceaccount "s" not found`), 0, false},
		"what is no Pod any more": {space + pod, true, refusal(403, metav1.StatusReasonForbidden, `pods "x" is forbidden: exceeded quota`), 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			d, _ := bound(t, test.text, nil)
			e := d.Entries[len(d.Entries)-1]
			if e.unasked = test.unasked; d.isEarly(e, test.err, test.since) != test.want {
				t.Errorf("it is sent again: %v, want %v", !test.want, test.want)
			}
		})
	}
}

// TestAskSet: who may not write the set down hears it before anything is sent, unless the set
// brings its namespace.
func TestAskSet(t *testing.T) {
	const space = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---\n"
	no := func() (int, any) {
		return statusOf(403, metav1.StatusReasonForbidden, `secrets "probity.app" is forbidden: User "jane" cannot patch resource "secrets" in API group ""`)
	}
	missing := func() (int, any) { return statusOf(404, metav1.StatusReasonNotFound, `namespaces "shop" not found`) }
	for name, test := range map[string]struct {
		text   string
		answer func() (int, any)
		set    string
		err    string
	}{
		"allowed":            {account, func() (int, any) { return 201, map[string]any{"kind": "Secret"} }, "app", ""},
		"forbidden":          {account, no, "app", "cannot write down the set app (--no-set deploys without): secrets \"probity.app\" is forbidden"},
		"its own namespace":  {space + account, missing, "app", ""},
		"no such namespace":  {account, missing, "app", `namespaces "shop" not found`},
		"without a set":      {account, no, "", ""},
		"the server is lost": {account, func() (int, any) { return 0, nil }, "app", "connection refused"},
	} {
		t.Run(name, func(t *testing.T) {
			d, _ := bound(t, test.text, func(r *http.Request) (int, any) {
				switch {
				case strings.HasSuffix(r.URL.Path, "/probity.app") && r.URL.Query().Get("dryRun") == "All":
					return test.answer()
				case r.URL.Query().Get("dryRun") != "All":
					t.Errorf("it sends %s %s", r.Method, r.URL)
				}
				return 201, map[string]any{"kind": "Any"}
			})
			d.contents, d.options.Set = contentsOf(nil), Set{test.set, "shop"}
			if err := d.ask(t.Context()); (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
				t.Errorf("error %v, want %q", err, test.err)
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
