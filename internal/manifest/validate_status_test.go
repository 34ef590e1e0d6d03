package manifest

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestValidateStatusUpdate(t *testing.T) {
	namespace := func(phase corev1.NamespacePhase, deleted bool) *corev1.Namespace {
		n := &corev1.Namespace{Status: corev1.NamespaceStatus{Phase: phase}}
		if deleted {
			n.DeletionTimestamp = new(metav1.Now())
		}
		return n
	}
	pod := func(class corev1.PodQOSClass, observed int64) *corev1.Pod {
		return &corev1.Pod{Status: corev1.PodStatus{QOSClass: class, ObservedGeneration: observed}}
	}
	deployment := func(s appsv1.DeploymentStatus) *appsv1.Deployment { return &appsv1.Deployment{Status: s} }
	for name, tt := range map[string]struct {
		old, new Resource
		want     []string
	}{
		"Pod":                    {pod("BestEffort", 1), pod("BestEffort", 2), nil},
		"Pod of another class":   {pod("BestEffort", 1), pod("Burstable", -1), []string{"status.observedGeneration: Invalid value: -1: must be a non-negative integer", `status.qosClass: Invalid value: "Burstable": field is immutable`}},
		"Namespace":              {namespace("Active", false), namespace("Active", false), nil},
		"Namespace that ends":    {namespace("Terminating", true), namespace("Terminating", true), nil},
		"Namespace of no phase":  {namespace("Active", false), namespace("", false), []string{"status.Phase: Invalid value: \"\": may only be 'Active' if `deletionTimestamp` is empty"}},
		"Namespace brought back": {namespace("Terminating", true), namespace("Active", true), []string{"status.Phase: Invalid value: \"Active\": may only be 'Terminating' if `deletionTimestamp` is not empty"}},
		"Deployment": {
			deployment(appsv1.DeploymentStatus{CollisionCount: new(int32(1))}),
			deployment(appsv1.DeploymentStatus{Replicas: 3, UpdatedReplicas: 3, ReadyReplicas: 2, AvailableReplicas: 2, UnavailableReplicas: 7, CollisionCount: new(int32(2))}), nil,
		},
		"Deployment of numbers that are too large": {
			deployment(appsv1.DeploymentStatus{CollisionCount: new(int32(1))}),
			deployment(appsv1.DeploymentStatus{Replicas: 3, UpdatedReplicas: 4, ReadyReplicas: 5, AvailableReplicas: 6, UnavailableReplicas: -1}), []string{
				"status.unavailableReplicas: Invalid value: -1: must be greater than or equal to 0",
				"status.updatedReplicas: Invalid value: 4: cannot be greater than status.replicas", "status.readyReplicas: Invalid value: 5: cannot be greater than status.replicas",
				"status.availableReplicas: Invalid value: 6: cannot be greater than status.replicas", "status.availableReplicas: Invalid value: 6: cannot be greater than readyReplicas",
				"status.collisionCount: Invalid value: 0: cannot be decremented",
			},
		},
		"ReplicaSet": {&appsv1.ReplicaSet{}, &appsv1.ReplicaSet{Status: appsv1.ReplicaSetStatus{Replicas: 1, FullyLabeledReplicas: 2, ReadyReplicas: 1, AvailableReplicas: 1, TerminatingReplicas: new(int32(-1))}}, []string{
			"status.terminatingReplicas: Invalid value: -1: must be greater than or equal to 0", "status.fullyLabeledReplicas: Invalid value: 2: cannot be greater than status.replicas",
		}},
		"StatefulSet": {
			&appsv1.StatefulSet{Status: appsv1.StatefulSetStatus{CollisionCount: new(int32(1))}},
			&appsv1.StatefulSet{Status: appsv1.StatefulSetStatus{Replicas: 2, CurrentReplicas: 3, AvailableReplicas: 1, ObservedGeneration: -1, CollisionCount: new(int32(1))}}, []string{
				"status.observedGeneration: Invalid value: -1: must be greater than or equal to 0", "status.currentReplicas: Invalid value: 3: cannot be greater than status.replicas",
				"status.availableReplicas: Invalid value: 1: cannot be greater than status.readyReplicas",
			},
		},
		"a kind without rules": {&corev1.Service{}, &corev1.Service{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, err := range ValidateStatusUpdate(tt.old, tt.new) {
				got = append(got, err.Error())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
		})
	}
}
