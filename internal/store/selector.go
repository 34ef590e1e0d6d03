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
	// Fields, if not nil, must match: metadata.name and metadata.namespace of all kinds; status.phase and spec.nodeName of Pods; involvedObject.kind,
	// .name, .namespace and .uid, reason and type of Events. Others count as empty.
	Fields fields.Selector
}

// Matches says whether the selector selects the object.
func (sel Selector) Matches(o Object) bool {
	if sel.Namespace != "" && sel.Namespace != o.GetNamespace() {
		return false
	}
	if sel.Labels != nil && !sel.Labels.Matches(labels.Set(o.GetLabels())) {
		return false
	}
	return sel.Fields == nil || sel.Fields.Empty() || sel.Fields.Matches(fieldsOf(o))
}

func fieldsOf(o Object) fields.Set {
	set := fields.Set{"metadata.name": o.GetName(), "metadata.namespace": o.GetNamespace()}
	switch o := o.(type) {
	case *corev1.Pod:
		set["status.phase"] = string(o.Status.Phase)
		set["spec.nodeName"] = o.Spec.NodeName
	case *corev1.Event:
		set["involvedObject.kind"] = o.InvolvedObject.Kind
		set["involvedObject.name"] = o.InvolvedObject.Name
		set["involvedObject.namespace"] = o.InvolvedObject.Namespace
		set["involvedObject.uid"] = string(o.InvolvedObject.UID)
		set["reason"] = o.Reason
		set["type"] = o.Type
	}
	return set
}
