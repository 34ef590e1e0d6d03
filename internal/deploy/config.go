package deploy

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// annotationConfig on a Pod template is a hash of what it reads of the set, so that a change of
// that is a change of the template.
const annotationConfig = prefix + "config"

// configHash is how many bytes of a hash are kept: enough to tell changes, too few to tell much of
// a secret.
const configHash = 8

// config names a ConfigMap or a Secret.
type config struct{ kind, name string }

// String is how people name it: configmap/settings.
func (c config) String() string { return strings.ToLower(c.kind) + "/" + c.name }

// template is the Pod template of an object whose Pods are made anew when it changes; nil if it is
// no such object.
func template(o *unstructured.Unstructured) map[string]any {
	switch o.GroupVersionKind().GroupKind().String() {
	case "Deployment.apps", "StatefulSet.apps", "DaemonSet.apps":
		found, _, _ := unstructured.NestedFieldNoCopy(o.Object, "spec", "template")
		fields, _ := found.(map[string]any)
		return fields
	}
	return nil
}

// readBy are the ConfigMaps and Secrets that the Pods of a template read, in the order of their
// names.
func readBy(template map[string]any) []config {
	var pods corev1.PodTemplateSpec
	if runtime.DefaultUnstructuredConverter.FromUnstructured(template, &pods) != nil {
		return nil // the server says what is wrong with it
	}
	found := map[config]bool{}
	for _, c := range slices.Concat(pods.Spec.InitContainers, pods.Spec.Containers) {
		for _, from := range c.EnvFrom {
			if from.ConfigMapRef != nil {
				found[config{"ConfigMap", from.ConfigMapRef.Name}] = true
			}
			if from.SecretRef != nil {
				found[config{"Secret", from.SecretRef.Name}] = true
			}
		}
		for _, variable := range c.Env {
			if from := variable.ValueFrom; from != nil && from.ConfigMapKeyRef != nil {
				found[config{"ConfigMap", from.ConfigMapKeyRef.Name}] = true
			}
			if from := variable.ValueFrom; from != nil && from.SecretKeyRef != nil {
				found[config{"Secret", from.SecretKeyRef.Name}] = true
			}
		}
	}
	for _, v := range pods.Spec.Volumes {
		if v.ConfigMap != nil {
			found[config{"ConfigMap", v.ConfigMap.Name}] = true
		}
		if v.Secret != nil {
			found[config{"Secret", v.Secret.SecretName}] = true
		}
		if v.Projected == nil {
			continue
		}
		for _, source := range v.Projected.Sources {
			if source.ConfigMap != nil {
				found[config{"ConfigMap", source.ConfigMap.Name}] = true
			}
			if source.Secret != nil {
				found[config{"Secret", source.Secret.Name}] = true
			}
		}
	}
	return slices.SortedFunc(maps.Keys(found), func(a, b config) int { return strings.Compare(a.String(), b.String()) })
}

// content is what Pods can read of a ConfigMap or a Secret.
func content(o *unstructured.Unstructured) map[string]any {
	part := map[string]any{}
	for _, name := range []string{"data", "binaryData", "stringData"} {
		if value, ok := o.Object[name]; ok {
			part[name] = value
		}
	}
	return part
}

// stampConfig writes the hash of what they read of the set into templates of bound objects. What
// lies in the cluster and not in the set does not count.
func stampConfig(objects []*Object) error {
	for _, o := range objects {
		pods := template(o.Unstructured)
		if pods == nil {
			continue
		}
		read := []any{}
		for _, c := range readBy(pods) {
			for _, by := range objects {
				if isConfig(by, c, o.GetNamespace()) {
					read = append(read, c.String(), content(by.Unstructured))
				}
			}
		}
		if len(read) == 0 {
			continue
		}
		text, err := json.Marshal(read) // keys are sorted
		if err != nil {
			return fmt.Errorf("cannot hash what %s reads: %w", o, err)
		}
		sum := sha256.Sum256(text)
		if err := unstructured.SetNestedField(pods, hex.EncodeToString(sum[:configHash]), "metadata", "annotations", annotationConfig); err != nil {
			return fmt.Errorf("%s: %s: cannot stamp its template: %w", o.Position, o, err)
		}
	}
	return nil
}

// isConfig reports whether an object is a ConfigMap or Secret of a namespace.
func isConfig(o *Object, c config, namespace string) bool {
	return o.kind().Group == "" && o.GetKind() == c.kind && o.GetName() == c.name && o.GetNamespace() == namespace
}

// changesTemplate reports whether an entry that is there already gets another Pod template.
func changesTemplate(e *Entry) bool {
	return !reflect.DeepEqual(template(e.Before), template(e.Planned))
}

// tellUnrestarted tells which Pods keep what they have read, although that changes: nothing makes
// them anew, because their template stays as it is.
func (d *Deployment) tellUnrestarted() {
	for _, e := range d.Entries {
		if e.Before == nil || e.Planned == nil || template(e.Planned) == nil || changesTemplate(e) {
			continue
		}
		for _, c := range readBy(template(e.Planned)) {
			for _, by := range d.Entries {
				if isConfig(by.Object, c, e.GetNamespace()) && by.Before != nil && by.Planned != nil && !reflect.DeepEqual(content(by.Before), content(by.Planned)) {
					d.report(Event{Kind: "note", Text: fmt.Sprintf("nothing restarts: %s reads %s, which changes, and its template does not (--restart-on-config)", e.Object, by.Object)})
				}
			}
		}
	}
}
