package store

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// A dry run answers as the write would, with the same errors, and nothing moves.
func TestDryRun(t *testing.T) {
	tests := map[string]struct {
		write func(s *Store) (Object, error)
		check func(*corev1.Pod) bool
		wrong func(error) bool
	}{
		"create": {
			write: func(s *Store) (Object, error) {
				return Create(s, newPod("", func(p *corev1.Pod) { p.GenerateName, p.ResourceVersion = "a-", "7" }), DryRun)
			},
			check: func(p *corev1.Pod) bool {
				return len(p.Name) == 7 && p.UID != "" && p.Generation == 1 && p.ResourceVersion == ""
			},
		},
		"create what exists": {
			write: func(s *Store) (Object, error) { return Create(s, newPod("web"), DryRun) },
			wrong: apierrors.IsAlreadyExists,
		},
		"update": {
			write: func(s *Store) (Object, error) {
				return Update(s, newPod("web", func(p *corev1.Pod) { p.Spec.NodeName = "n" }), DryRun)
			},
			check: func(p *corev1.Pod) bool { return p.Spec.NodeName == "n" && p.Generation == 2 },
		},
		"update of an old state": {
			write: func(s *Store) (Object, error) {
				return Update(s, newPod("web", func(p *corev1.Pod) { p.ResourceVersion = "7" }), DryRun)
			},
			wrong: apierrors.IsConflict,
		},
		"status": {
			write: func(s *Store) (Object, error) {
				return UpdateStatus(s, newPod("web", func(p *corev1.Pod) { p.Status.Phase = "Failed" }), DryRun)
			},
			check: func(p *corev1.Pod) bool { return p.Status.Phase == "Failed" && p.Generation == 1 },
		},
		"modify": {
			write: func(s *Store) (Object, error) {
				return s.ModifyObject(newPod("web"), func(o Object) error { o.SetLabels(map[string]string{"a": "b"}); return nil }, DryRun)
			},
			check: func(p *corev1.Pod) bool { return p.Labels["a"] == "b" },
		},
		"delete": {
			write: func(s *Store) (Object, error) {
				last, gone, err := s.DeleteObject(newPod("web"), DeleteOptions{DryRun: true, Propagation: metav1.DeletePropagationOrphan})
				if !gone {
					t.Error("delete: want the Pod gone")
				}
				return last, err
			},
			check: func(p *corev1.Pod) bool { return p.Name == "web" },
		},
		"delete in the foreground": {
			write: func(s *Store) (Object, error) {
				last, gone, err := s.DeleteObject(newPod("web"), DeleteOptions{DryRun: true, Propagation: metav1.DeletePropagationForeground})
				if gone {
					t.Error("delete in the foreground: want the Pod left")
				}
				return last, err
			},
			check: func(p *corev1.Pod) bool { return p.DeletionTimestamp != nil && len(p.Finalizers) == 1 },
		},
		"delete what is not there": {
			write: func(s *Store) (Object, error) {
				last, _, err := s.DeleteObject(newPod("other"), DeleteOptions{DryRun: true})
				return last, err
			},
			wrong: apierrors.IsNotFound,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := newStore(t, Options{})
			web := create(t, s, newPod("web"))
			create(t, s, &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "owned", OwnerReferences: refsTo(web)}})
			before, version := s.ListObjects(&corev1.Pod{}, Selector{})
			got, err := tt.write(s)
			switch {
			case tt.wrong != nil:
				if !tt.wrong(err) {
					t.Errorf("error = %v, want another one", err)
				}
			case err != nil:
				t.Error(err)
			case !tt.check(got.(*corev1.Pod)):
				t.Errorf("got %+v", got)
			}
			after, now := s.ListObjects(&corev1.Pod{}, Selector{})
			if diff := cmp.Diff(before, after); diff != "" || now != version {
				t.Errorf("the store was changed, version %s to %s (-before +after):\n%s", version, now, diff)
			}
		})
	}
}
