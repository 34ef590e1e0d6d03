package system

import (
	"errors"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/registry"
	"github.com/probity-run/probity/internal/store"
)

// replacing is an applier whose Pod is to be replaced by one with a deadline, as a form asks for
// it.
func replacing(t *testing.T, a *applier) (live, next *corev1.Pod) {
	t.Helper()
	live, err := store.Get[*corev1.Pod](a.store, "default", "job")
	if err != nil {
		t.Fatal(err)
	}
	next = live.DeepCopy()
	manifest.PrepareForCreate(next)
	next.Spec.ActiveDeadlineSeconds = new(int64(77))
	return live, next
}

// gone ends the Pod.
func gone(t *testing.T, a *applier) {
	t.Helper()
	if err := store.Delete[*corev1.Pod](a.store, "default", "job", store.DeleteOptions{Grace: new(int64(0))}); err != nil {
		t.Fatal(err)
	}
}

func deadline(t *testing.T, a *applier) int64 {
	t.Helper()
	pod, err := store.Get[*corev1.Pod](a.store, "default", "job")
	if err != nil {
		t.Fatal(err)
	}
	if pod.Spec.ActiveDeadlineSeconds == nil {
		return 0
	}
	return *pod.Spec.ActiveDeadlineSeconds
}

// TestReplaceByOutlivesASave: a Pod that somebody replaces comes with what was asked for, also if
// its manifest is applied meanwhile; a manifest that has changed comes after it.
func TestReplaceByOutlivesASave(t *testing.T) {
	one, two := text(podText, "IMAGE=one"), text(podText, "IMAGE=two")
	for _, tt := range []struct {
		name, source, manifest string
		late                   bool // the old Pod has gone when it is applied
		deadline               int64
	}{
		{"the same while it ends", "f", one, false, 77},
		{"the same of another source", "g", one, false, 77},
		{"the same when it is gone", "f", one, true, 77},
		{"the same of another source when it is gone", "g", one, true, 77},
		{"a change while it ends", "f", two, false, 0},
		{"a change when it is gone", "f", two, true, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := newTestApplier()
			applied(t, a, "f", one)
			live, next := replacing(t, a)
			if err := a.replaceBy(live, next, registry.WriteOptions{}); err != nil {
				t.Fatal(err)
			}
			if !a.waits(manifest.Ref{Kind: "Pod", Namespace: "default", Name: "job"}) {
				t.Error("nothing waits")
			}
			if tt.late {
				gone(t, a)
			}
			applied(t, a, tt.source, tt.manifest)
			if !tt.late {
				gone(t, a)
			}
			if err := a.resume(); err != nil {
				t.Fatal(err)
			}
			if got := deadline(t, a); got != tt.deadline || len(a.waiting) != 0 {
				t.Errorf("the new Pod's deadline is %d, want %d; %d wait, want none", got, tt.deadline, len(a.waiting))
			}
		})
	}
}

// TestReplaceByRefuses: a Pod that ends already, for whatever reason, is not replaced by one made
// of what it was, and no Pod is deleted for one that could not be made.
func TestReplaceByRefuses(t *testing.T) {
	a := newTestApplier()
	applied(t, a, "f", text(podText, "IMAGE=one"))
	live, next := replacing(t, a)

	bad := next.DeepCopy()
	bad.Spec.Containers[0].Ports = []corev1.ContainerPort{{ContainerPort: 70000}}
	if err := a.replaceBy(live, bad, registry.WriteOptions{}); !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "70000") {
		t.Errorf("one that is invalid: %v", err)
	}
	if now, _ := replacing(t, a); now.DeletionTimestamp != nil || len(a.waiting) != 0 {
		t.Errorf("the old Pod ends for one that is invalid, or that waits: %v", a.waiting)
	}

	applied(t, a, "f", text(podText, "IMAGE=two"))
	if err := a.replaceBy(live, next, registry.WriteOptions{}); !errors.Is(err, errEnding) {
		t.Errorf("one in whose place that of the manifest comes: %v", err)
	}
	gone(t, a)
	if err := a.resume(); err != nil {
		t.Fatal(err)
	}
	now, again := replacing(t, a)
	if got := now.Spec.Containers[0].Image; got != "two" {
		t.Errorf("image %q, want that of the manifest", got)
	}

	if err := store.Delete[*corev1.Pod](a.store, "default", "job", store.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := a.replaceBy(now, again, registry.WriteOptions{}); !errors.Is(err, errEnding) || len(a.waiting) != 0 {
		t.Errorf("one that was deleted: %v, %v waits", err, a.waiting)
	}
}
