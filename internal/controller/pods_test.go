package controller

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

func template() corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "web"}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: "example"}}},
	}
}

func TestPods(t *testing.T) {
	meta := metav1.ObjectMeta{Name: "web", Namespace: "shop"}
	for name, test := range map[string]struct {
		object runtime.Object
		count  int
		owner  string
		name   string // prefix of the generated name, or the name of the last one
	}{
		"Pod":                   {&corev1.Pod{ObjectMeta: meta}, 1, "", "web"},
		"Deployment by default": {&appsv1.Deployment{ObjectMeta: meta, Spec: appsv1.DeploymentSpec{Template: template()}}, 1, "Deployment", "web-"},
		"Deployment":            {&appsv1.Deployment{ObjectMeta: meta, Spec: appsv1.DeploymentSpec{Replicas: new(int32(3)), Template: template()}}, 3, "Deployment", "web-"},
		"Deployment of none":    {&appsv1.Deployment{ObjectMeta: meta, Spec: appsv1.DeploymentSpec{Replicas: new(int32(0)), Template: template()}}, 0, "", ""},
		"ReplicaSet":            {&appsv1.ReplicaSet{ObjectMeta: meta, Spec: appsv1.ReplicaSetSpec{Replicas: new(int32(2)), Template: template()}}, 2, "ReplicaSet", "web-"},
		"StatefulSet":           {&appsv1.StatefulSet{ObjectMeta: meta, Spec: appsv1.StatefulSetSpec{Replicas: new(int32(2)), Template: template()}}, 2, "StatefulSet", "web-1"},
		"Service":               {&corev1.Service{ObjectMeta: meta}, 0, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			pods, err := Pods(test.object)
			if err != nil || len(pods) != test.count {
				t.Fatalf("%d Pods, %v, want %d", len(pods), err, test.count)
			}
			if test.count == 0 {
				return
			}
			last := pods[len(pods)-1]
			if last.Namespace != "shop" || !strings.HasPrefix(last.Name+last.GenerateName, test.name) {
				t.Errorf("Pod %s/%s%s, want %s… in shop", last.Namespace, last.Name, last.GenerateName, test.name)
			}
			owner := metav1.GetControllerOf(last)
			if (owner == nil) != (test.owner == "") || owner != nil && owner.Kind != test.owner {
				t.Errorf("owner = %+v, want kind %q", owner, test.owner)
			}
		})
	}
}

func TestTemplateHash(t *testing.T) {
	pods := func(change func(*corev1.PodTemplateSpec)) *corev1.Pod {
		d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "web"}, Spec: appsv1.DeploymentSpec{Template: template()}}
		change(&d.Spec.Template)
		pods, err := Pods(d)
		if err != nil {
			t.Fatal(err)
		}
		return pods[0]
	}
	same := func(*corev1.PodTemplateSpec) {}
	a, b := pods(same), pods(same)
	c := pods(func(s *corev1.PodTemplateSpec) { s.Spec.Containers[0].Image = "other" })
	const label = appsv1.DefaultDeploymentUniqueLabelKey
	if a.Labels[label] == "" || a.Labels[label] != b.Labels[label] || a.Labels[label] == c.Labels[label] {
		t.Errorf("hashes %q, %q of equal templates and %q of another", a.Labels[label], b.Labels[label], c.Labels[label])
	}
	if diff := cmp.Diff("web", a.Labels["app"]); diff != "" {
		t.Error(diff)
	}
}
