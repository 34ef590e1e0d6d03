package store

import (
	"cmp"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
)

// Selector selects objects. The zero value selects all.
type Selector struct {
	// Namespace, if not empty, is the only one.
	Namespace string
	// Labels, if not nil, must match.
	Labels labels.Selector
	// Fields, if not nil, must match. One that the kind has not counts as empty; [SelectableField]
	// tells.
	Fields fields.Selector
}

// Matches reports whether the selector selects the object.
func (sel Selector) Matches(o Object) bool {
	if sel.Namespace != "" && sel.Namespace != o.GetNamespace() {
		return false
	}
	if sel.Labels != nil && !sel.Labels.Matches(labels.Set(o.GetLabels())) {
		return false
	}
	return sel.Fields == nil || sel.Fields.Empty() || sel.Fields.Matches(fieldsOf{o})
}

// fieldsOf reads the fields of an object when a selector asks for them.
type fieldsOf struct{ o Object }

// Has implements [fields.Fields].
func (f fieldsOf) Has(name string) bool { return f.Get(name) != "" }

// Get implements [fields.Fields].
func (f fieldsOf) Get(name string) string {
	if value, known := fieldOf(f.o, name); known {
		return value
	}
	return ""
}

// SelectableField reports whether objects of o's kind can be selected by a field. They are those of
// Kubernetes: metadata.name and metadata.namespace of all kinds, and a few of some.
func SelectableField(o Object, name string) bool {
	_, known := fieldOf(o, name)
	return known
}

// HasOwnFields reports whether o's kind can be selected by more than name and namespace.
func HasOwnFields(o Object) bool {
	switch o.(type) {
	case *corev1.Pod, *corev1.Event, *corev1.Node, *corev1.Namespace, *corev1.Secret, *corev1.Service, *appsv1.ReplicaSet:
		return true
	}
	return false
}

// fieldOf returns the value of a field of an object.
func fieldOf(o Object, name string) (value string, known bool) {
	switch name {
	case "metadata.name":
		return o.GetName(), true
	case "metadata.namespace":
		return o.GetNamespace(), true
	}
	switch o := o.(type) {
	case *corev1.Pod:
		return podField(o, name)
	case *corev1.Event:
		return eventField(o, name)
	case *corev1.Node:
		return strconv.FormatBool(o.Spec.Unschedulable), name == "spec.unschedulable"
	case *corev1.Namespace:
		return string(o.Status.Phase), name == "status.phase"
	case *corev1.Secret:
		return string(o.Type), name == "type"
	case *corev1.Service:
		return serviceField(o, name)
	case *appsv1.ReplicaSet:
		return strconv.Itoa(int(o.Status.Replicas)), name == "status.replicas"
	}
	return "", false
}

func podField(pod *corev1.Pod, name string) (value string, known bool) {
	switch name {
	case "status.phase":
		return string(pod.Status.Phase), true
	case "status.podIP":
		return pod.Status.PodIP, true
	case "status.podIPs": // known, but Kubernetes gives it no value
		return "", true
	case "status.nominatedNodeName":
		return pod.Status.NominatedNodeName, true
	case "spec.nodeName":
		return pod.Spec.NodeName, true
	case "spec.restartPolicy":
		return string(pod.Spec.RestartPolicy), true
	case "spec.schedulerName":
		return pod.Spec.SchedulerName, true
	case "spec.serviceAccountName":
		return pod.Spec.ServiceAccountName, true
	case "spec.hostNetwork":
		return strconv.FormatBool(pod.Spec.HostNetwork), true
	}
	return "", false
}

func serviceField(service *corev1.Service, name string) (value string, known bool) {
	switch name {
	case "spec.clusterIP":
		return service.Spec.ClusterIP, true
	case "spec.type":
		return string(service.Spec.Type), true
	}
	return "", false
}

func eventField(event *corev1.Event, name string) (value string, known bool) {
	if field, ok := strings.CutPrefix(name, "involvedObject."); ok {
		return referenceField(&event.InvolvedObject, field)
	}
	switch name {
	case "reason":
		return event.Reason, true
	case "type":
		return event.Type, true
	case "source":
		return cmp.Or(event.Source.Component, event.ReportingController), true
	case "reportingComponent":
		return event.ReportingController, true
	}
	return "", false
}

// EventsField returns the name by which this package knows a field of an Event of events.k8s.io/v1,
// which has others than one of v1, and whether Events can be selected by it there.
func EventsField(name string) (core string, known bool) {
	switch name {
	case "metadata.name", "metadata.namespace", "reason", "type":
		return name, true
	case "reportingController":
		return "reportingComponent", true
	}
	field, ok := strings.CutPrefix(name, "regarding.")
	if !ok {
		return "", false
	}
	_, known = referenceField(&corev1.ObjectReference{}, field)
	return "involvedObject." + field, known
}

func referenceField(ref *corev1.ObjectReference, name string) (value string, known bool) {
	switch name {
	case "kind":
		return ref.Kind, true
	case "namespace":
		return ref.Namespace, true
	case "name":
		return ref.Name, true
	case "uid":
		return string(ref.UID), true
	case "apiVersion":
		return ref.APIVersion, true
	case "resourceVersion":
		return ref.ResourceVersion, true
	case "fieldPath":
		return ref.FieldPath, true
	}
	return "", false
}
