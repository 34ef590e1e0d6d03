package store

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

func TestUntyped(t *testing.T) {
	s := newStore(t, Options{})
	created := create(t, s, newPod("web"))
	var same Object = &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"}}
	if got, err := s.GetObject(same); err != nil || got.GetUID() != created.UID {
		t.Errorf("GetObject = %v, %v, want the Pod", got, err)
	}
	changed, err := s.ModifyObject(same, func(o Object) error { o.SetLabels(map[string]string{"app": "web"}); return nil })
	if err != nil || changed.GetLabels()["app"] != "web" {
		t.Errorf("ModifyObject = %v, %v, want the label", changed, err)
	}
	list, version := s.ListObjects(&corev1.Pod{}, Selector{Labels: labels.SelectorFromSet(labels.Set{"app": "web"})})
	if len(list) != 1 || list[0].GetName() != "web" || version != changed.GetResourceVersion() {
		t.Errorf("ListObjects = %v at %s, want the Pod at %s", list, version, changed.GetResourceVersion())
	}
	if _, _, err := s.DeleteObject(same, DeleteOptions{UID: "another"}); !apierrors.IsConflict(err) {
		t.Errorf("DeleteObject with another UID = %v, want Conflict", err)
	}
	if last, gone, err := s.DeleteObject(same, DeleteOptions{}); err != nil || !gone || last.GetUID() != created.UID {
		t.Errorf("DeleteObject = %v, %v, %v, want the Pod as it was", last, gone, err)
	}
	create(t, s, newPod("web", onNode))
	if last, gone, err := s.DeleteObject(same, DeleteOptions{}); err != nil || gone || last.GetDeletionTimestamp() == nil {
		t.Errorf("DeleteObject of a Pod that runs = %v, %v, %v, want it marked", last, gone, err)
	}
	finish(t, s, "web")
	if _, err := s.GetObject(same); !apierrors.IsNotFound(err) {
		t.Errorf("GetObject after the deletion: %v, want NotFound", err)
	}
}
