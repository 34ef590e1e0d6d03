package draft

import (
	"cmp"
	"encoding/json"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/probity-run/probity/internal/manifest"
)

// NewService is what is typed for a service that is made of a command, or of an image.
type NewService struct {
	// Name of its Deployment and its Service, and Namespace of both: default if it is empty.
	Name, Namespace string
	// Command has the words of its program, Image is what a cluster runs. Without an image that has
	// the name of the service.
	Command, Image string
	// Port at which it listens; empty: no Service. Replicas is 1 if it is empty.
	Port, Replicas string
}

// Objects are its Deployment without probes and, if it has a port, its Service. What is wrong with
// the fields is attached to them: name, namespace, command, image, port, replicas.
func (n NewService) Objects() (load Workload, service *corev1.Service, errs []Error) {
	fail := func(field, path, value, problem string) {
		errs = append(errs, Error{field, path + ": Invalid value: " + strconv.Quote(value) + ": " + problem})
	}
	name, command := strings.TrimSpace(n.Name), strings.TrimSpace(n.Command)
	labels := map[string]string{"app": name}
	if name == "" {
		labels = nil
	}
	replicas := int32(1)
	if text := strings.TrimSpace(n.Replicas); text != "" {
		number, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			fail("replicas", "spec.replicas", text, "must be a whole number")
		}
		replicas = int32(number)
	}
	namespace, image := cmp.Or(strings.TrimSpace(n.Namespace), metav1.NamespaceDefault), strings.TrimSpace(n.Image)
	c := corev1.Container{Name: name, Image: cmp.Or(image, name)}
	if text := strings.TrimSpace(n.Port); text != "" {
		number, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			fail("port", "spec.template.spec.containers[0].ports[0].containerPort", text, "must be a number")
		}
		c.Ports = []corev1.ContainerPort{{Name: "http", ContainerPort: int32(number)}}
		service = &corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace},
			Spec:       corev1.ServiceSpec{Selector: labels, Ports: []corev1.ServicePort{{Port: int32(number), TargetPort: intstr.FromString("http")}}},
		}
		service.SetGroupVersionKind(schema.GroupVersionKind{Version: "v1", Kind: "Service"})
	}
	annotations := map[string]string{manifest.AnnotationCommand + name: command}
	if command == "" && image == "" {
		errs = append(errs, Error{"command", "the command is missing: what starts the program, as in ./server --verbose; or name an image"})
	} else if command == "" {
		annotations = nil
	} else if _, err := manifest.SplitWords(command); err != nil {
		fail("command", "metadata.annotations["+manifest.AnnotationCommand+name+"]", command, err.Error())
	}
	deployment := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels, Annotations: annotations},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{c}},
			},
		},
	}
	deployment.SetGroupVersionKind(appsv1.SchemeGroupVersion.WithKind("Deployment"))
	load = Workload{Resource: deployment}
	if text, err := json.Marshal((Workload{Resource: deployment}).configuration()); err == nil { // numbers and texts always have a JSON form
		load.Written = string(text)
	}
	manifest.Default(deployment)
	return load, service, errs
}

// NewServiceField is the field of the form that an error of the Deployment is about, by its text;
// "" if there is none.
func NewServiceField(text string) string {
	path, _, _ := strings.Cut(text, ": ")
	switch {
	case path == "metadata.namespace":
		return "namespace"
	case strings.HasSuffix(path, "containers[0].image") && !strings.Contains(text, "Required"): // else it has no name
		return "image"
	case path == "metadata.name", strings.HasSuffix(path, "containers[0].name"), strings.HasSuffix(path, "containers[0].image"), strings.Contains(path, "elector"),
		strings.Contains(path, "labels"):
		return "name"
	case path == "spec.replicas":
		return "replicas"
	case strings.Contains(path, ".ports["), strings.HasPrefix(path, "spec.ports"):
		return "port"
	case strings.Contains(path, "annotations"):
		return "command"
	}
	return ""
}
