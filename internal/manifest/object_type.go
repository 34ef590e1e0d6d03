package manifest

import (
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/printable"
)

// objectType is a type of objects that this package reads: its apiVersion, its kind, and how to
// make an empty one.
type objectType struct {
	apiVersion string
	kind       string
	make       func() Resource
}

func objectTypes() []objectType {
	return []objectType{
		{"v1", "Pod", func() Resource { return &corev1.Pod{} }},
		{"v1", "Service", func() Resource { return &corev1.Service{} }},
		{"v1", "ConfigMap", func() Resource { return &corev1.ConfigMap{} }},
		{"v1", "Secret", func() Resource { return &corev1.Secret{} }},
		{"apps/v1", "Deployment", func() Resource { return &appsv1.Deployment{} }},
		{"apps/v1", "ReplicaSet", func() Resource { return &appsv1.ReplicaSet{} }},
		{"apps/v1", "StatefulSet", func() Resource { return &appsv1.StatefulSet{} }},
	}
}

// findType looks a type up. Without a match it returns which field is wrong and how, or "" for a
// kind that is none of ours. A group with a dot in it belongs to someone else, whose Service need
// not be a Kubernetes Service.
func findType(apiVersion, name string) (k objectType, ok bool, wrong, problem string) {
	return findAmong(objectTypes(), apiVersion, name)
}

func findAmong(types []objectType, apiVersion, name string) (k objectType, ok bool, wrong, problem string) {
	ours := !strings.Contains(strings.SplitN(apiVersion, "/", 2)[0], ".")
	var names []string
	for _, k := range types {
		switch {
		case k.kind == name && k.apiVersion == apiVersion:
			return k, true, "", ""
		case k.kind == name && ours:
			return objectType{}, false, "apiVersion", wrongVersion(apiVersion, k)
		case k.apiVersion == apiVersion:
			names = append(names, k.kind)
		}
	}
	if guess := Closest(name, names); guess != "" {
		return objectType{}, false, "kind", fmt.Sprintf("there is no kind %s in %s, did you mean %s?", printable.Quote(name), printable.Cut(apiVersion), guess)
	}
	return objectType{}, false, "", ""
}

func wrongVersion(apiVersion string, k objectType) string {
	if apiVersion == "" {
		return fmt.Sprintf("missing, add \"apiVersion: %s\"", k.apiVersion)
	}
	return fmt.Sprintf("there is no %s in %s, use \"apiVersion: %s\"", k.kind, printable.Quote(apiVersion), k.apiVersion)
}

// template finds the pods that an object describes; see Object.Template.
func template(r Resource) (meta *metav1.ObjectMeta, spec *corev1.PodSpec, prefix string, ok bool) {
	const inController = "spec.template"
	switch o := r.(type) {
	case *corev1.Pod:
		return &o.ObjectMeta, &o.Spec, "", true
	case *appsv1.Deployment:
		return &o.Spec.Template.ObjectMeta, &o.Spec.Template.Spec, inController, true
	case *appsv1.ReplicaSet:
		return &o.Spec.Template.ObjectMeta, &o.Spec.Template.Spec, inController, true
	case *appsv1.StatefulSet:
		return &o.Spec.Template.ObjectMeta, &o.Spec.Template.Spec, inController, true
	}
	return lenientTemplate(r)
}
