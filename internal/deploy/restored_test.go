package deploy

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRestoredTheirs: what others have taken meanwhile, as kubectl scale and kubectl set image do,
// stays theirs; what is shared with them is restored.
func TestRestoredTheirs(t *testing.T) {
	before := object(t, `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
  annotations: {note: old}
  managedFields:
  - manager: probity
    operation: Apply
    fieldsV1: {"f:metadata": {"f:annotations": {"f:note": {}}}, "f:spec": {"f:replicas": {}, "f:paused": {}, "f:template": {"f:spec": {"f:containers": {'k:{"name":"web"}': {".": {}, "f:name": {}, "f:image": {}, "f:args": {}}}}}}}
spec:
  replicas: 3
  paused: true
  template: {spec: {containers: [{name: web, image: web:1, args: [x]}]}}
`)
	after := object(t, `
apiVersion: apps/v1
kind: Deployment
metadata:
  managedFields:
  - manager: probity
    operation: Apply
    fieldsV1: {"f:spec": {"f:paused": {}, "f:template": {"f:spec": {"f:containers": {'k:{"name":"web"}': {".": {}, "f:name": {}, "f:args": {}}}}}}}
  - {manager: kubectl, operation: Update, subresource: scale, fieldsV1: {"f:spec": {"f:replicas": {}}}}
  - {manager: kubectl-set, operation: Update, fieldsV1: {"f:metadata": {"f:annotations": {".": {}, "f:note": {}}}, "f:spec": {"f:paused": {}, "f:template": {"f:spec": {"f:containers": {'k:{"name":"web"}': {"f:image": {}}}}}}}}
`)
	want := object(t, `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  paused: true
  template: {spec: {containers: [{name: web, args: [x]}]}}
`)
	got, partly, err := restored(before, after, Manager)
	if err != nil || !partly {
		t.Fatalf("in part: %v, error %v", partly, err)
	}
	if diff := cmp.Diff(want.Object, got.Object); diff != "" {
		t.Errorf("restored (-want +got):\n%s", diff)
	}
}
