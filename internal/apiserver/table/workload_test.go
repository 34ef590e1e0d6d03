package table

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/store"
)

func TestWorkloads(t *testing.T) {
	var template corev1.PodTemplateSpec
	template.Spec.Containers = []corev1.Container{{Name: "web", Image: "web:1"}, {Name: "log", Image: "log:2"}}
	template.Spec.InitContainers = []corev1.Container{{Name: "first", Image: "first:1"}}
	selector := &metav1.LabelSelector{
		MatchLabels:      map[string]string{"app": "web"},
		MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "tier", Operator: metav1.LabelSelectorOpIn, Values: []string{"b", "a"}}},
	}
	wrong := &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "tier", Operator: "Near"}}}
	tests := map[string]struct {
		object store.Object
		want   string
	}{
		"Deployment": {
			&appsv1.Deployment{
				ObjectMeta: named("web"), Spec: appsv1.DeploymentSpec{Replicas: new(int32(3)), Selector: selector, Template: template},
				Status: appsv1.DeploymentStatus{ReadyReplicas: 2, UpdatedReplicas: 1, AvailableReplicas: 4, Replicas: 5},
			},
			"web|2/3|1|4|5m|web,log|web:1,log:2|app=web,tier in (a,b)",
		},
		"Deployment of none":                  {&appsv1.Deployment{ObjectMeta: named("web"), Spec: appsv1.DeploymentSpec{Replicas: new(int32(0))}}, "web|0/0|0|0|5m|||"},
		"Deployment that selects all":         {&appsv1.Deployment{ObjectMeta: named("web"), Spec: appsv1.DeploymentSpec{Selector: &metav1.LabelSelector{}}}, "web|0/1|0|0|5m|||"},
		"Deployment with an invalid selector": {&appsv1.Deployment{ObjectMeta: named("web"), Spec: appsv1.DeploymentSpec{Selector: wrong}}, "web|0/1|0|0|5m|||<invalid>"},
		"ReplicaSet": {
			&appsv1.ReplicaSet{
				ObjectMeta: named("web-5d4f"), Spec: appsv1.ReplicaSetSpec{Replicas: new(int32(3)), Selector: selector, Template: template},
				Status: appsv1.ReplicaSetStatus{Replicas: 2, ReadyReplicas: 1, AvailableReplicas: 4},
			},
			"web-5d4f|3|2|1|5m|web,log|web:1,log:2|app=web,tier in (a,b)",
		},
		"ReplicaSet that selects all":         {&appsv1.ReplicaSet{ObjectMeta: named("web"), Spec: appsv1.ReplicaSetSpec{Selector: &metav1.LabelSelector{}}}, "web|1|0|0|5m|||<none>"},
		"ReplicaSet with an invalid selector": {&appsv1.ReplicaSet{ObjectMeta: named("web"), Spec: appsv1.ReplicaSetSpec{Selector: wrong}}, "web|1|0|0|5m|||<error>"},
		"StatefulSet": {
			&appsv1.StatefulSet{
				ObjectMeta: named("db"), Spec: appsv1.StatefulSetSpec{Replicas: new(int32(2)), Template: template},
				Status: appsv1.StatefulSetStatus{Replicas: 2, ReadyReplicas: 1},
			},
			"db|1/2|5m|web,log|web:1,log:2",
		},
		"Scale": {
			&autoscalingv1.Scale{ObjectMeta: named("web"), Spec: autoscalingv1.ScaleSpec{Replicas: 3}, Status: autoscalingv1.ScaleStatus{Replicas: 2}}, "web|3|2|5m",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, cellsOf(t, test.object)); diff != "" {
				t.Errorf("cells (-want +got):\n%s", diff)
			}
		})
	}
}

func TestControllerRevision(t *testing.T) {
	owner := func(version, kind string, controller *bool) metav1.OwnerReference {
		return metav1.OwnerReference{APIVersion: version, Kind: kind, Name: "db", Controller: controller}
	}
	tests := map[string]struct {
		owners []metav1.OwnerReference
		want   string
	}{
		"its controller":            {[]metav1.OwnerReference{owner("v1", "Pod", nil), owner("apps/v1", "StatefulSet", new(true))}, "db-7f|statefulset.apps/db|4|5m"},
		"of the core group":         {[]metav1.OwnerReference{owner("v1", "Pod", new(true))}, "db-7f|pod/db|4|5m"},
		"of a wrong version":        {[]metav1.OwnerReference{owner("a/b/c", "Pod", new(true))}, "db-7f|pod/db|4|5m"},
		"of no kind":                {[]metav1.OwnerReference{owner("v1", "", new(true))}, "db-7f|db|4|5m"},
		"owned, but not controlled": {[]metav1.OwnerReference{owner("apps/v1", "StatefulSet", new(false))}, "db-7f|<none>|4|5m"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			revision := &appsv1.ControllerRevision{ObjectMeta: named("db-7f"), Revision: 4}
			revision.OwnerReferences = test.owners
			if diff := cmp.Diff(test.want, cellsOf(t, revision)); diff != "" {
				t.Errorf("cells (-want +got):\n%s", diff)
			}
		})
	}
}
