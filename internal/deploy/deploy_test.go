package deploy

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/kube"
	"github.com/probity-run/probity/internal/manifest"
)

// object reads one of YAML.
func object(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	data, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	o := &unstructured.Unstructured{}
	if err := json.Unmarshal(data, o); err != nil {
		t.Fatal(err)
	}
	return o
}

// objects reads those of a file.
func objects(t *testing.T, text string) ([]*Object, error) {
	t.Helper()
	manifests, err := advisor.Read(strings.NewReader(text), nil, "-")
	if err != nil {
		t.Fatal(err)
	}
	return Objects(manifests)
}

// TestObjects: as they are written, in their order, and what no server takes is refused with its
// place.
func TestObjects(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"two documents":  {"# first\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: b}\n", "configmap/a@3 secret/b@7"},
		"a list":         {"apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: a}\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: b}\n", "configmap/a@1 configmap/b@1"},
		"JSON":           {`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"b"}}`, "configmap/a@1 configmap/b@1"},
		"a name to make": {"apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: a-}\n", "!<stdin>:1: ConfigMap \"a-\": an object that is applied needs a name"},
		"of Compose":     {"services:\n  web: {image: a, environment: {YES: a, ON: b}}\n", "deployment/web@2:3"},
		"twice":          {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n", "!<stdin>:5: configmap/a is there twice, at <stdin>:1 too"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			all, err := objects(t, test.text)
			if want, fails := strings.CutPrefix(test.want, "!"); fails {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("error %v, want %q", err, want)
				}
				return
			}
			var got []string
			for _, o := range all {
				got = append(got, o.String()+"@"+strings.TrimPrefix(o.Position.String(), "<stdin>:"))
			}
			if err != nil || strings.Join(got, " ") != test.want {
				t.Errorf("objects %v, %v, want %s", got, err, test.want)
			}
		})
	}
}

// TestUnwrapped: a service of Knative that cannot be converted is told, not left out.
func TestUnwrapped(t *testing.T) {
	manifests, err := advisor.Read(strings.NewReader("apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: a}\nspec: {template: {spec: 5}}\n"), nil, "-")
	if err != nil {
		t.Fatal(err)
	}
	all, err := Objects(manifests)
	if err != nil || len(all) != 1 {
		t.Fatalf("objects %v, %v", all, err)
	}
	if all, err = Unwrapped(all, manifests); err == nil || !strings.Contains(err.Error(), "must be a list with the container that gets the requests") {
		t.Errorf("objects %v, %v", all, err)
	}
}

// TestPlace: findings are about the objects that will be there, not about those of the default
// namespace that check takes them for.
func TestPlace(t *testing.T) {
	all, err := objects(t, "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api, namespace: default}\n")
	if err != nil {
		t.Fatal(err)
	}
	findings := make([]advisor.Finding, 3)
	for i, name := range []string{"web", "api", "other"} {
		findings[i].Object = manifest.Ref{Kind: "Deployment", Namespace: "default", Name: name}
	}
	Place(findings, all, "shop")
	for i, want := range []string{"shop", "default", "default"} {
		if got := findings[i].Object; got.Namespace != want {
			t.Errorf("%s is of %s, want %s", got, got.Namespace, want)
		}
	}
}

// TestRender: in the order of a deployment, as it was written, and the same bytes twice.
func TestRender(t *testing.T) {
	const text = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, annotations: {probity.run/ports: fixed}}
status: {replicas: 1}
spec: {template: {metadata: {annotations: {probity.run/command.web: ./web, other: stays}}, spec: {terminationGracePeriodSeconds: 12345678901}}}
---
apiVersion: v1
kind: Secret
metadata: {name: key}
data: {a: eA==}
`
	const want = `apiVersion: v1
data:
  a: eA==
kind: Secret
metadata:
  name: key
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template:
    metadata:
      annotations:
        other: stays
    spec:
      terminationGracePeriodSeconds: 12345678901
`
	for range 2 {
		all, err := objects(t, text)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range all {
			Strip(o)
		}
		Sort(all)
		var out bytes.Buffer
		if err := Render(&out, all); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, out.String()); diff != "" {
			t.Errorf("rendered (-want +got):\n%s", diff)
		}
	}
}

// TestSteps: what others need comes before them; custom kinds come before workloads, and so do Jobs
// that have to finish first.
func TestSteps(t *testing.T) {
	var all []*Object
	for _, kind := range []string{"Widget", "Ingress", "Deployment", "Pod", "ConfigMap", "ReplicaSet", "Namespace", "Role", "ClusterRole", "CustomResourceDefinition", "Job", "Service"} {
		all = append(all, &Object{Unstructured: &unstructured.Unstructured{Object: map[string]any{"kind": kind}}})
	}
	all = append(all, &Object{Unstructured: &unstructured.Unstructured{Object: map[string]any{"kind": "Job"}}, before: true})
	var got []string
	for _, step := range steps(all) {
		var kinds []string
		for _, o := range step {
			kinds = append(kinds, o.GetKind())
		}
		got = append(got, strings.Join(kinds, " "))
	}
	want := []string{"Namespace", "CustomResourceDefinition", "Role ClusterRole", "ConfigMap", "Service", "Widget", "Job", "Deployment ReplicaSet", "Pod", "Job", "Ingress"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
}

// refusal is what a server says.
func refusal(code int, reason metav1.StatusReason, message string) error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{Code: int32(code), Reason: reason, Message: message}}
}

// TestMeaning: the messages are those of kube-apiserver 1.36.
func TestMeaning(t *testing.T) {
	tests := map[string]struct {
		err  error
		want meaning
	}{
		"a conflict":           {refusal(409, metav1.StatusReasonConflict, `Apply failed with 1 conflict: conflict with "kubectl"`), conflicted},
		"an unknown field":     {refusal(500, "", `failed to create typed patch object (default/web; apps/v1, Kind=Deployment): .spec.replica: field not declared in schema`), badInput},
		"an invalid value":     {refusal(422, metav1.StatusReasonInvalid, `Deployment.apps "web" is invalid: spec.replicas: Invalid value: -1`), badInput},
		"an immutable field":   {refusal(422, metav1.StatusReasonInvalid, `Deployment.apps "web" is invalid: spec.selector: Invalid value: {}: field is immutable`), immutable},
		"a StatefulSet":        {refusal(422, metav1.StatusReasonInvalid, `StatefulSet.apps "s" is invalid: spec: Forbidden: updates to statefulset spec for fields other than 'replicas' are forbidden`), immutable},
		"a webhook is away":    {refusal(500, metav1.StatusReasonInternalError, `Internal error occurred: failed calling webhook "policy.example.com": failed to call webhook: Post "https://x": dial tcp: refused`), webhookDown},
		"a webhook says no":    {refusal(403, metav1.StatusReasonForbidden, `admission webhook "policy.example.com" denied the request: no`), refusedByIt},
		"no right":             {refusal(403, metav1.StatusReasonForbidden, `deployments.apps "web" is forbidden: User "jane" cannot patch resource "deployments" in API group "apps" in the namespace "shop"`), forbidden},
		"a quota":              {refusal(403, metav1.StatusReasonForbidden, `pods "web" is forbidden: exceeded quota: small, requested: pods=1, used: pods=1, limited: pods=1`), refusedByIt},
		"no namespace":         {refusal(404, metav1.StatusReasonNotFound, `namespaces "shop" not found`), unchecked},
		"no credentials":       {refusal(401, metav1.StatusReasonUnauthorized, "Unauthorized"), strange},
		"the server is broken": {refusal(http.StatusServiceUnavailable, metav1.StatusReasonServiceUnavailable, "etcd is away"), strange},
		"it has no time":       {refusal(http.StatusTooManyRequests, metav1.StatusReasonTooManyRequests, "too many requests"), refusedByIt},
		"no server":            {errors.New("connection refused"), strange},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := meaningOf(test.err); got != test.want {
				t.Errorf("it means %q, want %q", got, test.want)
			}
		})
	}
}

// TestConflicts: one message for all of them, with who keeps each field, how and since when.
func TestConflicts(t *testing.T) {
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	live := object(t, `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  managedFields:
  - {manager: kubectl, operation: Update, subresource: scale, time: "2026-11-28T09:00:00Z"}
  - {manager: kubectl, operation: Update, time: "2026-11-28T11:00:00Z"}
`)
	web := &Object{Unstructured: live, At: kube.Ref{Kind: kube.Deployments, Name: "web"}}
	err := &apierrors.StatusError{ErrStatus: metav1.Status{Reason: metav1.StatusReasonConflict, Code: 409, Details: &metav1.StatusDetails{Causes: []metav1.StatusCause{
		{Type: metav1.CauseTypeFieldManagerConflict, Field: ".spec.replicas", Message: `conflict with "kubectl" with subresource "scale" using apps/v1`},
		{Type: metav1.CauseTypeFieldManagerConflict, Field: `.spec.template.spec.containers[name="web"].image`, Message: `conflict with "argocd-controller"`},
	}}}}
	conflicts := conflictsOf(web, err, live)
	const scale = "deployment/web spec.replicas is kept by kubectl (scale, 3 h ago)"
	if got, want := (&ConflictError{conflicts[:1], now}).Error(), scale+": leave it out of the file, or take it with --force-conflicts"; got != want {
		t.Errorf("it says\n%s\nwant\n%s", got, want)
	}
	want := scale + "\n" + `deployment/web spec.template.spec.containers[name="web"].image is kept by argocd-controller` + "\nleave them out of the files, or take them with --force-conflicts"
	if got := (&ConflictError{conflicts, now}).Error(); got != want {
		t.Errorf("it says\n%s\nwant\n%s", got, want)
	}
}

// TestRestored: undoing applies the fields that were applied before, and those that were taken,
// with the values of before; what others keep is not among them.
func TestRestored(t *testing.T) {
	before := object(t, `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
  labels: {a: old, b: theirs}
  managedFields:
  - manager: probity
    operation: Apply
    fieldsV1: {"f:metadata": {"f:labels": {"f:a": {}}}, "f:spec": {"f:template": {"f:spec": {"f:containers": {'k:{"name":"web"}': {".": {}, "f:name": {}, "f:image": {}, "f:args": {}}}}}}}
spec:
  replicas: 3
  paused: true
  template: {spec: {containers: [{name: web, image: web:1, args: [x], terminationMessagePath: /x}, {name: sidecar, image: s}]}}
`)
	after := object(t, `
apiVersion: apps/v1
kind: Deployment
metadata:
  managedFields:
  - manager: probity
    operation: Apply
    fieldsV1: {"f:spec": {"f:replicas": {}, "f:minReadySeconds": {}, "f:template": {"f:spec": {"f:containers": {'k:{"name":"web"}': {".": {}, "f:name": {}, "f:image": {}}}}}}}
  - {manager: hpa, operation: Update, fieldsV1: {"f:spec": {"f:paused": {}}}}
`)
	want := object(t, `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop, labels: {a: old}}
spec:
  replicas: 3
  template: {spec: {containers: [{name: web, image: web:1, args: [x]}]}}
`)
	got, partly, err := restored(before, after, Manager)
	if err != nil || partly {
		t.Fatalf("in part: %v, error %v", partly, err)
	}
	if diff := cmp.Diff(want.Object, got.Object); diff != "" {
		t.Errorf("restored (-want +got):\n%s", diff)
	}
}

// TestDifference: without what the server keeps for itself; of a Secret only which values change.
func TestDifference(t *testing.T) {
	secret := func(version, a, b string) *unstructured.Unstructured {
		return object(t, "apiVersion: v1\nkind: Secret\nmetadata: {name: key, resourceVersion: "+version+", managedFields: []}\ndata: {a: "+a+", b: "+b+"}\n")
	}
	same, err := Difference("secret/key", secret(`"1"`, "eA==", "eQ=="), secret(`"2"`, "eA==", "eQ=="))
	if err != nil || len(same) > 0 {
		t.Errorf("no difference is %q, %v", same, err)
	}
	got, err := Difference("secret/key", secret(`"1"`, "eA==", "eQ=="), secret(`"2"`, "eA==", "eg=="))
	if err != nil {
		t.Fatal(err)
	}
	if text := string(got); !strings.Contains(text, "-  b: ••••\n+  b: •••• (changed)\n") || strings.Contains(text, "==") {
		t.Errorf("the difference is\n%s", text)
	}
	if got, err = Difference("secret/key", nil, secret(`"2"`, "eA==", "eg==")); err != nil || !strings.Contains(string(got), "+  a: ••••") || strings.Contains(string(got), "==") {
		t.Errorf("a new Secret is\n%s, %v", got, err)
	}
	applied := secret(`"1"`, "eA==", "eQ==")
	applied.SetAnnotations(map[string]string{lastApplied: `{"data":{"a":"eA==","b":"eQ=="}}`})
	planned := secret(`"2"`, "eA==", "eg==")
	planned.SetAnnotations(map[string]string{lastApplied: `{"data":{"b":"eg=="}}`})
	if got, err = Difference("secret/key", applied, planned); err != nil || strings.Contains(string(got), "==") {
		t.Errorf("of a Secret of kubectl apply it is\n%s, %v", got, err)
	}
}
