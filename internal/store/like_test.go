package store

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestLike(t *testing.T) {
	s := newStore(t, Options{})
	created := create(t, s, newPod("web"))
	var like Object = &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"}}
	if got, err := s.GetLike(like); err != nil || got.GetUID() != created.UID {
		t.Errorf("GetLike = %v, %v, want the Pod", got, err)
	}
	if err := s.DeleteLike(like, DeleteOptions{UID: "another"}); !apierrors.IsConflict(err) {
		t.Errorf("DeleteLike with another UID = %v, want Conflict", err)
	}
	if err := s.DeleteLike(like, DeleteOptions{}); err != nil {
		t.Errorf("DeleteLike = %v", err)
	}
	if _, err := s.GetLike(like); !apierrors.IsNotFound(err) {
		t.Errorf("GetLike after the deletion: %v, want NotFound", err)
	}
}
