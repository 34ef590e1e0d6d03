package deploy

import (
	"context"
	"net/http"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/kube"
)

// statusOf is a refusal as a server answers it.
func statusOf(code int, reason metav1.StatusReason, message string) (int, any) {
	return code, metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status"}, Status: "Failure", Code: int32(code), Reason: reason, Message: message}
}

// bound is a deployment of objects whose plan is not asked for, and what it tells.
func bound(t *testing.T, text string, server answering) (*Deployment, *[]string) {
	t.Helper()
	all, err := objects(t, text)
	if err != nil {
		t.Fatal(err)
	}
	told := &[]string{}
	d := &Deployment{options: Options{Objects: all, Cluster: clusterOf(server), Report: func(e Event) {
		what := e.Text
		if e.Kind == "applied" {
			what = string(e.Result)
		}
		if e.Object != nil { // that it is interrupted is about none
			what = e.Object.GetName() + " " + what
		}
		*told = append(*told, what)
	}}}
	for _, o := range all {
		o.At = kube.Ref{Kind: kube.Kind{Version: "v1", Plural: "any", Singular: strings.ToLower(o.GetKind())}, Namespace: "shop", Name: o.GetName()}
		d.Entries = append(d.Entries, &Entry{Object: o, body: []byte("{}")})
	}
	return d, told
}

// TestApplyUnasked: what the server could not be asked about may have been there all the time. It
// is looked at before it is applied, and undoing deletes what was created, and nothing else.
func TestApplyUnasked(t *testing.T) {
	live := map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "a", "namespace": "shop", "uid": "u", "resourceVersion": "7"}}
	helm := map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "a", "annotations": map[string]any{"meta.helm.sh/release-name": "other"}}}
	applied := map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "a", "namespace": "shop", "uid": "u", "resourceVersion": "8"}}
	missing := func() (int, any) { return statusOf(404, metav1.StatusReasonNotFound, "no") }
	tests := map[string]struct {
		read   func() (int, any)
		code   int // of applying
		result Result
		want   string // requests
		told   string
		err    string
	}{
		"it is new":             {missing, 201, Created, "GET PATCH DELETE", "a created, a deleted", ""},
		"it was there":          {func() (int, any) { return 200, live }, 200, Configured, "GET PATCH PATCH", "a configured, a restored", ""},
		"it was there, unseen":  {missing, 200, Configured, "GET PATCH", "a configured, a stays: it was there before, and how it was is not known", ""},
		"somebody else has it":  {func() (int, any) { return 200, helm }, 200, Refused, "GET", "", "is kept by Helm, release other"},
		"nobody may look at it": {func() (int, any) { return statusOf(403, metav1.StatusReasonForbidden, "no") }, 200, Refused, "GET", "", "the server refuses: no"},
		"the server is lost":    {func() (int, any) { return 0, nil }, 200, NotApplied, "GET", "", "not known"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var requests []string
			d, told := bound(t, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n", func(r *http.Request) (int, any) {
				requests = append(requests, r.Method)
				if r.Method == http.MethodGet {
					return test.read()
				}
				return test.code, applied
			})
			d.Entries[0].unasked = true
			if err := d.Apply(t.Context()); (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
				t.Errorf("error %v, want %q", err, test.err)
			}
			if err := d.Undo(context.Background()); err != nil {
				t.Error(err)
			}
			if got := d.Entries[0].Result; got != test.result {
				t.Errorf("it is %q, want %q", got, test.result)
			}
			if got := strings.Join(requests, " "); got != test.want {
				t.Errorf("the requests are %s, want %s", got, test.want)
			}
			if got := strings.Join(*told, ", "); got != test.told {
				t.Errorf("it tells %q, want %q", got, test.told)
			}
		})
	}
}
