package store

import (
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
	// Fields, if not nil, must match: metadata.name and metadata.namespace of all kinds;
	// status.phase, status.podIP, spec.nodeName and spec.restartPolicy of Pods; involvedObject.* of
	// Events, and their reason, type, source and reportingComponent. Others count as empty.
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
	switch name {
	case "metadata.name":
		return f.o.GetName()
	case "metadata.namespace":
		return f.o.GetNamespace()
	}
	switch o := f.o.(type) {
	case *corev1.Pod:
		return podField(o, name)
	case *corev1.Event:
		return eventField(o, name)
	}
	return ""
}

func podField(pod *corev1.Pod, name string) string {
	switch name {
	case "status.phase":
		return string(pod.Status.Phase)
	case "status.podIP":
		return pod.Status.PodIP
	case "spec.nodeName":
		return pod.Spec.NodeName
	case "spec.restartPolicy":
		return string(pod.Spec.RestartPolicy)
	}
	return ""
}

func eventField(event *corev1.Event, name string) string {
	switch name {
	case "involvedObject.kind":
		return event.InvolvedObject.Kind
	case "involvedObject.namespace":
		return event.InvolvedObject.Namespace
	case "involvedObject.name":
		return event.InvolvedObject.Name
	case "involvedObject.uid":
		return string(event.InvolvedObject.UID)
	case "involvedObject.apiVersion":
		return event.InvolvedObject.APIVersion
	case "involvedObject.resourceVersion":
		return event.InvolvedObject.ResourceVersion
	case "involvedObject.fieldPath":
		return event.InvolvedObject.FieldPath
	case "reason":
		return event.Reason
	case "type":
		return event.Type
	case "source":
		return event.Source.Component
	case "reportingComponent":
		return event.ReportingController
	}
	return ""
}
