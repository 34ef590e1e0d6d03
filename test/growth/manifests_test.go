//go:build !race

package growth

import (
	"encoding/json"
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/yaml"
)

// container is one with probes of which check says something.
func container(name string) corev1.Container {
	probe := &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Port: intstr.FromInt32(8080)}}, TimeoutSeconds: 20}
	return corev1.Container{
		Name: name, Image: "x", Command: []string{"true"}, Ports: []corev1.ContainerPort{{ContainerPort: 8080}},
		ReadinessProbe: probe, LivenessProbe: probe,
	}
}

func pod(name string, change func(*corev1.PodSpec)) *corev1.Pod {
	p := &corev1.Pod{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"app": name}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{container("c")}},
	}
	if change != nil {
		change(&p.Spec)
	}
	return p
}

func service(name string, ports int) *corev1.Service {
	s := &corev1.Service{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Service"}, ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: corev1.ServiceSpec{Selector: map[string]string{"app": name}},
	}
	for i := range ports {
		s.Spec.Ports = append(s.Spec.Ports, corev1.ServicePort{Name: fmt.Sprint("p", i), Port: int32(1000 + i), TargetPort: intstr.FromInt32(8080)})
	}
	return s
}

func deployment(name string, replicas int) *appsv1.Deployment {
	template := pod(name, nil)
	return &appsv1.Deployment{
		TypeMeta: metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"}, ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: appsv1.DeploymentSpec{
			Replicas: new(int32(replicas)), Selector: &metav1.LabelSelector{MatchLabels: template.Labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: template.Labels}, Spec: template.Spec},
		},
	}
}

// the shapes of a manifest of a size, as objects.
func containersOfAPod(n int) []any {
	return []any{pod("p", func(s *corev1.PodSpec) {
		s.Containers = nil
		for i := range n {
			s.Containers = append(s.Containers, container(fmt.Sprint("c", i)))
		}
	})}
}

func portsOfAContainer(n int) []any {
	return []any{pod("p", func(s *corev1.PodSpec) {
		for i := range n {
			s.Containers[0].Ports = append(s.Containers[0].Ports, corev1.ContainerPort{Name: fmt.Sprint("p", i), ContainerPort: int32(10000 + i)})
		}
	})}
}

func variablesOfAContainer(n int) []any {
	return []any{pod("p", func(s *corev1.PodSpec) {
		for i := range n {
			s.Containers[0].Env = append(s.Containers[0].Env, corev1.EnvVar{Name: fmt.Sprint("V", i), Value: fmt.Sprintf("$(V%d)x", i/2)})
		}
	})}
}

func portsOfAService(n int) []any { return []any{pod("a", nil), service("a", n)} }

func pods(n int) (objects []any) {
	for i := range n {
		objects = append(objects, pod(fmt.Sprint("p", i), nil))
	}
	return objects
}

func workloadsWithServices(n int) (objects []any) {
	for i := range n {
		name := fmt.Sprint("w", i)
		objects = append(objects, deployment(name, 2), service(name, 1))
	}
	return objects
}

// list is one object that holds all of them.
func list(objects []any) []any {
	return []any{map[string]any{"apiVersion": "v1", "kind": "List", "items": objects}}
}

// documents are the objects one after the other, line is a list of them without a line break, and
// inYAML is what people write.
func documents(objects []any) string {
	var text strings.Builder
	for _, o := range objects {
		data, err := json.MarshalIndent(o, "", " ")
		if err != nil {
			panic(err) // objects can always be written
		}
		text.Write(append(data, '\n'))
	}
	return text.String()
}

func line(objects []any) string {
	data, err := json.Marshal(list(objects)[0])
	if err != nil {
		panic(err)
	}
	return string(data)
}

func inYAML(objects []any) string {
	var text strings.Builder
	for _, o := range objects {
		data, err := yaml.Marshal(o)
		if err != nil {
			panic(err)
		}
		text.WriteString("---\n" + string(data))
	}
	return text.String()
}
