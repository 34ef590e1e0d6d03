package controller

import (
	"errors"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// TestOvertaken: what a controller finds because somebody else was faster is no error to show.
func TestOvertaken(t *testing.T) {
	resource := schema.GroupResource{Group: "apps", Resource: "deployments"}
	missing, conflict := apierrors.NewNotFound(resource, "web"), apierrors.NewConflict(resource, "web", errors.New("changed"))
	refused := apierrors.NewForbidden(resource, "web", errors.New("quota"))
	ending := apierrors.NewForbidden(resource, "web", errors.New("the namespace is being terminated"))
	ending.ErrStatus.Details.Causes = []metav1.StatusCause{{Type: corev1.NamespaceTerminatingCause}}
	for _, test := range []struct {
		err  error
		want bool
	}{
		{missing, true},
		{fmt.Errorf("cannot create ReplicaSet a: %w", conflict), true},
		{fmt.Errorf("cannot create a Pod: %w", ending), true},
		{errors.Join(fmt.Errorf("cannot create: %w", ending), missing), true},
		{refused, false},
		{errors.Join(ending, fmt.Errorf("cannot create: %w", refused)), false},
		{errors.New("disk full"), false},
	} {
		if got := overtaken(test.err); got != test.want {
			t.Errorf("%v: %v, want %v", test.err, got, test.want)
		}
	}
}
