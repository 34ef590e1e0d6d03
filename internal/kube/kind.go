package kube

import (
	"net/url"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Kind is a kind of objects, as the API and people name it.
type Kind struct {
	// Group and Version are where the API has it; the core's group is "".
	Group, Version string
	// Plural is the name in paths, Singular what people say, Short what kubectl's users say.
	Plural, Singular, Short string
	// Global says that its objects lie in no namespace.
	Global bool
}

// The kinds that commands know by name.
var (
	Pods         = Kind{"", "v1", "pods", "pod", "po", false}
	Services     = Kind{"", "v1", "services", "service", "svc", false}
	Events       = Kind{"", "v1", "events", "event", "ev", false}
	ConfigMaps   = Kind{"", "v1", "configmaps", "configmap", "cm", false}
	Secrets      = Kind{"", "v1", "secrets", "secret", "", false}
	Namespaces   = Kind{"", "v1", "namespaces", "namespace", "ns", true}
	Deployments  = Kind{"apps", "v1", "deployments", "deployment", "deploy", false}
	StatefulSets = Kind{"apps", "v1", "statefulsets", "statefulset", "sts", false}
	ReplicaSets  = Kind{"apps", "v1", "replicasets", "replicaset", "rs", false}
	DaemonSets   = Kind{"apps", "v1", "daemonsets", "daemonset", "ds", false}
	Jobs         = Kind{"batch", "v1", "jobs", "job", "", false}
	Revisions    = Kind{"apps", "v1", "controllerrevisions", "controllerrevision", "", false}
	ProbeReports = Kind{"probity.run", "v1", "probereports", "probereport", "", false}
)

// Kinds are those that people name.
func Kinds() []Kind {
	return []Kind{Deployments, StatefulSets, DaemonSets, ReplicaSets, Jobs, Pods, Services, ConfigMaps, Secrets, Events, Namespaces}
}

// InSnapshots reports whether a [Snapshot] has the objects of a kind that people name.
func InSnapshots(kind Kind) bool {
	return slices.Contains([]Kind{Deployments, StatefulSets, DaemonSets, ReplicaSets, Jobs, Pods, Services}, kind)
}

// ParseKind finds a kind by any of its names, also with its group behind it, as in deployment.apps.
func ParseKind(name string) (Kind, bool) {
	name, group, _ := strings.Cut(strings.ToLower(name), ".")
	group = strings.TrimPrefix(group, "v1.")
	kinds := Kinds()
	i := slices.IndexFunc(kinds, func(k Kind) bool {
		return (group == "" || group == k.Group) && (name == k.Plural || name == k.Singular || name == k.Short && name != "")
	})
	if i < 0 {
		return Kind{}, false
	}
	return kinds[i], true
}

// Qualified is the kind as kubectl names it in what it did: pod, deployment.apps.
func (k Kind) Qualified() string {
	if k.Group == "" {
		return k.Singular
	}
	return k.Singular + "." + k.Group
}

// path is that of all objects of a kind in a namespace, or everywhere.
func (k Kind) path(namespace string) string {
	path := "/apis/" + k.Group + "/" + k.Version
	if k.Group == "" {
		path = "/api/" + k.Version
	}
	if namespace != "" && !k.Global {
		path += "/namespaces/" + url.PathEscape(namespace)
	}
	return path + "/" + k.Plural
}

// Ref names one object.
type Ref struct {
	Kind            Kind
	Namespace, Name string
}

func (r Ref) path() string { return r.Kind.path(r.Namespace) + "/" + url.PathEscape(r.Name) }

// String is kind/name, with namespace/ before it unless that is default.
func (r Ref) String() string {
	if r.Namespace != "" && r.Namespace != corev1.NamespaceDefault {
		return r.Namespace + "/" + r.Kind.Singular + "/" + r.Name
	}
	return r.Kind.Singular + "/" + r.Name
}

// RefTo names an object of a kind that [Snapshot] has.
func RefTo(object metav1.Object) Ref {
	kind := Pods
	switch object.(type) {
	case *corev1.Service:
		kind = Services
	case *appsv1.Deployment:
		kind = Deployments
	case *appsv1.StatefulSet:
		kind = StatefulSets
	case *appsv1.ReplicaSet:
		kind = ReplicaSets
	case *appsv1.DaemonSet:
		kind = DaemonSets
	case *batchv1.Job:
		kind = Jobs
	}
	return Ref{kind, object.GetNamespace(), object.GetName()}
}
