package workload

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestProgressOf(t *testing.T) {
	deployment := func(generation int64, status appsv1.DeploymentStatus) *appsv1.Deployment {
		return &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Generation: generation}, Spec: appsv1.DeploymentSpec{Replicas: new(int32(3))}, Status: status}
	}
	set := func(strategy appsv1.StatefulSetUpdateStrategy, status appsv1.StatefulSetStatus) *appsv1.StatefulSet {
		return &appsv1.StatefulSet{Spec: appsv1.StatefulSetSpec{Replicas: new(int32(3)), UpdateStrategy: strategy}, Status: status}
	}
	partition := appsv1.StatefulSetUpdateStrategy{RollingUpdate: &appsv1.RollingUpdateStatefulSetStrategy{Partition: new(int32(2))}}
	done := appsv1.DeploymentStatus{ObservedGeneration: 2, Replicas: 3, UpdatedReplicas: 3, AvailableReplicas: 3}
	stuck := appsv1.DeploymentStatus{ObservedGeneration: 2, Replicas: 4, UpdatedReplicas: 1, AvailableReplicas: 3, Conditions: []appsv1.DeploymentCondition{
		{Type: appsv1.DeploymentProgressing, Status: corev1.ConditionFalse, Message: "it has timed out progressing"},
	}}
	for name, test := range map[string]struct {
		object metav1.Object
		want   Progress
		text   string
	}{
		"a new Deployment":      {deployment(1, appsv1.DeploymentStatus{}), Progress{Desired: 3}, "0/3, 0 of 3 updated"},
		"complete":              {deployment(2, done), Progress{Desired: 3, Updated: 3, Available: 3, Complete: true}, "3/3"},
		"an edit not seen yet":  {deployment(3, done), Progress{Desired: 3, Updated: 3, Available: 3, Changed: true}, "3/3, a change is rolled out"},
		"an old Pod is left":    {deployment(2, appsv1.DeploymentStatus{ObservedGeneration: 2, Replicas: 4, UpdatedReplicas: 3, AvailableReplicas: 3}), Progress{Desired: 3, Updated: 3, Available: 3}, "3/3"},
		"stuck":                 {deployment(2, stuck), Progress{Desired: 3, Updated: 1, Available: 3, Stuck: "it has timed out progressing"}, "3/3, 1 of 3 updated"},
		"no replicas wanted":    {&appsv1.Deployment{Spec: appsv1.DeploymentSpec{Replicas: new(int32(0))}}, Progress{Complete: true}, "0/0"},
		"a StatefulSet":         {set(appsv1.StatefulSetUpdateStrategy{}, appsv1.StatefulSetStatus{CurrentRevision: "a", UpdateRevision: "a", Replicas: 3, AvailableReplicas: 3}), Progress{Desired: 3, Updated: 3, Available: 3, Complete: true}, "3/3"},
		"one that rolls":        {set(appsv1.StatefulSetUpdateStrategy{}, appsv1.StatefulSetStatus{CurrentRevision: "a", UpdateRevision: "b", Replicas: 3, AvailableReplicas: 3, UpdatedReplicas: 1}), Progress{Desired: 3, Updated: 1, Available: 3}, "3/3, 1 of 3 updated"},
		"one with a partition":  {set(partition, appsv1.StatefulSetStatus{CurrentRevision: "a", UpdateRevision: "b", Replicas: 3, AvailableReplicas: 3, UpdatedReplicas: 1}), Progress{Desired: 3, Updated: 3, Available: 3, Complete: true}, "3/3"},
		"one before its update": {set(partition, appsv1.StatefulSetStatus{CurrentRevision: "a", UpdateRevision: "b", Replicas: 3, AvailableReplicas: 3}), Progress{Desired: 3, Updated: 2, Available: 3}, "3/3, 2 of 3 updated"},
		"a DaemonSet": {&appsv1.DaemonSet{Status: appsv1.DaemonSetStatus{DesiredNumberScheduled: 2, CurrentNumberScheduled: 2, UpdatedNumberScheduled: 2, NumberAvailable: 2}},
			Progress{Desired: 2, Updated: 2, Available: 2, Complete: true}, "2/2"},
		"one on an old Pod": {&appsv1.DaemonSet{Status: appsv1.DaemonSetStatus{DesiredNumberScheduled: 2, CurrentNumberScheduled: 2, UpdatedNumberScheduled: 1, NumberAvailable: 2}},
			Progress{Desired: 2, Updated: 1, Available: 2}, "2/2, 1 of 2 updated"},
		"a ReplicaSet": {&appsv1.ReplicaSet{Spec: appsv1.ReplicaSetSpec{Replicas: new(int32(2))}, Status: appsv1.ReplicaSetStatus{Replicas: 2, AvailableReplicas: 1}}, Progress{Desired: 2, Updated: 2, Available: 1}, "1/2"},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := ProgressOf(test.object)
			if diff := cmp.Diff(test.want, got); diff != "" || !ok {
				t.Error(ok, diff)
			}
			if got.String() != test.text {
				t.Errorf("it reads %q, want %q", got, test.text)
			}
		})
	}
	if _, ok := ProgressOf(&corev1.Pod{}); ok {
		t.Error("a Pod is taken for a workload")
	}
}
