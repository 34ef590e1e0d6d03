package survey

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/probity-run/probity/internal/advisor/cluster"
)

// TestPatchText: a patch names what changes and nothing else, and what goes is null.
func TestPatchText(t *testing.T) {
	text, err := PatchText(cluster.Patch{
		Before: []byte(`{"metadata":{"annotations":{"gone":"x"}},"spec":{"template":{"spec":{"containers":[{"name":"log"},{"name":"web","livenessProbe":{"failureThreshold":1,"periodSeconds":1}}]}}}}`),
		After:  []byte(`{"metadata":{"annotations":{}},"spec":{"template":{"spec":{"containers":[{"name":"log"},{"name":"web","livenessProbe":{"failureThreshold":3,"periodSeconds":1}}]}}}}`),
		Like:   &appsv1.Deployment{},
	})
	const want = `metadata:
  annotations:
    gone: null
spec:
  template:
    spec:
      containers:
      - livenessProbe:
          failureThreshold: 3
        name: web
`
	if err != nil || text != want {
		t.Errorf("%v:\n%s\nwant\n%s", err, text, want)
	}
}
