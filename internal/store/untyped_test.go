package store

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestUntyped(t *testing.T) {
	s := newStore(t, Options{})
	created := create(t, s, newPod("web"))
	var same Object = &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"}}
	if got, err := s.GetObject(same); err != nil || got.GetUID() != created.UID {
		t.Errorf("GetObject = %v, %v, want the Pod", got, err)
	}
	if err := s.DeleteObject(same, DeleteOptions{UID: "another"}); !apierrors.IsConflict(err) {
		t.Errorf("DeleteObject with another UID = %v, want Conflict", err)
	}
	if err := s.DeleteObject(same, DeleteOptions{}); err != nil {
		t.Errorf("DeleteObject = %v", err)
	}
	if _, err := s.GetObject(same); !apierrors.IsNotFound(err) {
		t.Errorf("GetObject after the deletion: %v, want NotFound", err)
	}
}
