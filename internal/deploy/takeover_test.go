package deploy

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// conflictWith is the refusal of fields that managers keep, or without any of a version.
func conflictWith(managers ...string) (int, any) {
	code, body := statusOf(409, metav1.StatusReasonConflict, "the object has been modified")
	status := body.(metav1.Status)
	status.Details = &metav1.StatusDetails{}
	for _, manager := range managers {
		status.Details.Causes = append(status.Details.Causes, metav1.StatusCause{Type: metav1.CauseTypeFieldManagerConflict, Field: ".data.x", Message: "conflict with " + manager + " using v1"})
	}
	return code, status
}

// TestPlanOfKubectl: what kubectl apply keeps is taken over before it is applied, so it is no
// conflict of the plan; what anybody else keeps is one.
func TestPlanOfKubectl(t *testing.T) {
	live := map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "a", "uid": "u", "resourceVersion": "7"}}
	tests := map[string]struct {
		managers []string
		want     string // requests
		err      string
	}{
		"of kubectl apply":     {[]string{`"kubectl-client-side-apply"`}, "PATCH GET PATCH!", ""},
		"of another, too":      {[]string{`"kubectl-client-side-apply"`, `"hpa"`}, "PATCH GET", "is kept by hpa"},
		"of its subresource":   {[]string{`"kubectl-client-side-apply" with subresource "scale"`}, "PATCH GET", "is kept by kubectl-client-side-apply (scale)"},
		"somebody else's race": {nil, "PATCH PATCH PATCH GET", "the server refuses: the object has been modified"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var requests []string
				d, _ := bound(t, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n", func(r *http.Request) (int, any) {
					forced := r.URL.Query().Get("force") == "true"
					requests = append(requests, r.Method+map[bool]string{true: "!"}[forced])
					if r.Method == http.MethodPatch && r.URL.Query().Get("dryRun") != "All" {
						t.Errorf("it is no dry run: %s", r.URL)
					}
					if r.Method == http.MethodPatch && !forced {
						return conflictWith(test.managers...)
					}
					return 200, live
				})
				err := d.ask(t.Context())
				if (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
					t.Errorf("error %v, want %q", err, test.err)
				}
				if got := strings.Join(requests, " "); got != test.want {
					t.Errorf("the requests are %s, want %s", got, test.want)
				}
				if planned := d.Entries[0].Planned != nil; planned != (test.err == "") {
					t.Errorf("it is planned: %v", planned)
				}
			})
		})
	}
}

// TestTakeOverAgain: somebody who writes a status meanwhile does not fail it; who always is faster
// does, and that is no conflict about fields.
func TestTakeOverAgain(t *testing.T) {
	before := object(t, `
apiVersion: v1
kind: ConfigMap
metadata:
  name: a
  uid: u
  resourceVersion: "7"
  managedFields:
  - {manager: kubectl-client-side-apply, operation: Update, apiVersion: v1, fieldsType: FieldsV1, fieldsV1: {"f:data": {"f:x": {}}}}
`)
	for name, test := range map[string]struct {
		races  int
		result Result
	}{"three times": {3, Unchanged}, "always": {1000, Refused}} {
		t.Run(name, func(t *testing.T) {
			patches := 0
			d, _ := bound(t, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n", func(r *http.Request) (int, any) {
				if r.Method == http.MethodGet {
					return 200, before.Object
				}
				if patches++; patches <= test.races {
					return conflictWith()
				}
				return 200, map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "a", "uid": "u", "resourceVersion": "9"}}
			})
			d.Entries[0].Before, d.Entries[0].Planned = before, before
			err := d.Apply(t.Context())
			if _, ok := errors.AsType[*ConflictError](err); ok || (err == nil) != (test.result == Unchanged) {
				t.Errorf("error %v", err)
			}
			if got := d.Entries[0].Result; got != test.result {
				t.Errorf("it is %q, want %q", got, test.result)
			}
		})
	}
}
