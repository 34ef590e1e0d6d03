package survey

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/advisor/cluster"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/ownership"
)

// TestDocumentOf: what an apply sets and nothing else, but for what the same manager has applied
// before; who keeps it is named, and what an apply cannot do is a text.
func TestDocumentOf(t *testing.T) {
	const before = `{"metadata":{"labels":{"a":"b"}},"spec":{"replicas":2,"template":{"spec":{"containers":[{"name":"log"},{"name":"web","image":"w","livenessProbe":{"failureThreshold":1,"periodSeconds":1,"initialDelaySeconds":9}}]}}}}`
	const after = `{"metadata":{"labels":{"a":"b"}},"spec":{"replicas":2,"template":{"spec":{"containers":[{"name":"log"},{"name":"web","image":"w","livenessProbe":{"failureThreshold":3,"periodSeconds":1}}]}}}}`
	managed := func(manager, operation, fields string) metav1.ManagedFieldsEntry {
		return metav1.ManagedFieldsEntry{Manager: manager, Operation: metav1.ManagedFieldsOperationType(operation), FieldsV1: metav1.NewFieldsV1(fields)}
	}
	inProbe := func(fields string) string {
		return `{"f:spec":{"f:template":{"f:spec":{"f:containers":{"k:{\"name\":\"web\"}":{".":{},"f:name":{},"f:livenessProbe":{` + fields + `}}}}}}}`
	}
	const head, tail = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n  namespace: shop\nspec:\n", "  template:\n    spec:\n      containers:\n      - livenessProbe:\n"
	const sets = "          failureThreshold: 3\n          initialDelaySeconds: 0\n"
	const merges = "          failureThreshold: 3\n          initialDelaySeconds: null\n"
	kubectl := ownership.Kept{Field: `spec.template.spec.containers[name="web"].livenessProbe.failureThreshold`, Manager: "kubectl"}
	tests := map[string]struct {
		kind          string
		owner         string
		before, after string
		managed       []metav1.ManagedFieldsEntry
		want          Document
	}{
		"of nobody": {want: Document{Text: head + tail + sets + "        name: web\n"}},
		"of kubectl": {
			managed: []metav1.ManagedFieldsEntry{managed("kubectl", "Update", inProbe(`"f:failureThreshold":{},"f:periodSeconds":{}`)), managed("hpa", "Update", `{"f:spec":{"f:replicas":{}}}`)},
			want:    Document{Text: head + tail + sets + "        name: web\n", Kept: []ownership.Kept{kubectl}},
		},
		"after another fix": {
			managed: []metav1.ManagedFieldsEntry{managed("probity", "Apply", inProbe(`"f:periodSeconds":{}`))},
			want:    Document{Text: head + tail + sets + "          periodSeconds: 1\n        name: web\n"},
		},
		"of probity deploy": {
			managed: []metav1.ManagedFieldsEntry{managed("probity", "Apply", `{"f:spec":{"f:selector":{}}}`)},
			want:    Document{Text: "spec:\n" + tail + merges + "        name: web\n", Unfit: "kept by probity deploy: change it in its file"},
		},
		"of Helm": {
			owner: "Helm, release shop",
			want:  Document{Text: "spec:\n" + tail + merges + "        name: web\n", Unfit: "kept by Helm, release shop: change it there"},
		},
		"a Pod": {
			kind: "Pod", before: `{"spec":{"a":1}}`, after: `{"spec":{"a":2}}`,
			want: Document{Text: "spec:\n  a: 2\n", Unfit: "a Pod does not change once it is there: make it anew"},
		},
		"what goes": {
			before: `{"metadata":{"annotations":{"gone":"x"}}}`, after: `{"metadata":{"annotations":{}}}`,
			want: Document{Text: "metadata:\n  annotations:\n    gone: null\n", Unfit: "an apply takes nothing away, here metadata.annotations.gone: edit the object"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := cluster.Patch{
				APIVersion: "apps/v1", Object: manifest.Ref{Kind: "Deployment", Namespace: "shop", Name: "web"}, Owner: test.owner, Managed: test.managed,
				Before: []byte(before), After: []byte(after), Like: &appsv1.Deployment{},
			}
			if test.kind != "" {
				p.Object.Kind = test.kind
			}
			if test.before != "" {
				p.Before, p.After = []byte(test.before), []byte(test.after)
			}
			got, err := DocumentOf(p)
			if diff := cmp.Diff(test.want, got); err != nil || diff != "" {
				t.Errorf("error %v (-want +got):\n%s", err, diff)
			}
		})
	}
}
