package program

import (
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/manifest"
)

// addAll adds the entries of an envFrom source, sorted by key.
func (e *Environment) addAll(namespace string, from corev1.EnvFromSource, objects Objects, field string) error {
	data := map[string]string{}
	switch {
	case from.ConfigMapRef != nil:
		ref := from.ConfigMapRef
		cm, ok := objects.ConfigMap(namespace, ref.Name)
		if !ok {
			return NotFound("configmap", ref.Name, ref.Optional)
		}
		maps.Copy(data, cm.Data)
	case from.SecretRef != nil:
		ref := from.SecretRef
		secret, ok := objects.Secret(namespace, ref.Name)
		if !ok {
			return NotFound("secret", ref.Name, ref.Optional)
		}
		for key, value := range SecretData(secret) {
			data[key] = string(value)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(data)) {
		if err := e.set(from.Prefix+key, data[key], field); err != nil {
			return err
		}
		e.secret[from.Prefix+key] = from.SecretRef != nil
	}
	return nil
}

// value is the value of one env entry; nil if it refers to something optional that does not exist.
func (e *Environment) value(pod *corev1.Pod, c *corev1.Container, v corev1.EnvVar, objects Objects, field string) (*string, error) {
	from := v.ValueFrom
	switch {
	case from == nil:
		value, err := manifest.Expand(v.Value, e.Lookup)
		if err != nil {
			return nil, &TooLongError{field, err}
		}
		return &value, nil
	case from.ConfigMapKeyRef != nil:
		ref := from.ConfigMapKeyRef
		cm, ok := objects.ConfigMap(pod.Namespace, ref.Name)
		if !ok {
			return nil, NotFound("configmap", ref.Name, ref.Optional)
		}
		value, ok := cm.Data[ref.Key]
		return keyed(value, ok, ref.Key, "ConfigMap", pod.Namespace, ref.Name, ref.Optional)
	case from.SecretKeyRef != nil:
		ref := from.SecretKeyRef
		secret, ok := objects.Secret(pod.Namespace, ref.Name)
		if !ok {
			return nil, NotFound("secret", ref.Name, ref.Optional)
		}
		value, ok := SecretData(secret)[ref.Key]
		return keyed(string(value), ok, ref.Key, "Secret", pod.Namespace, ref.Name, ref.Optional)
	case from.FieldRef != nil:
		return podField(pod, from.FieldRef.FieldPath)
	case from.ResourceFieldRef != nil:
		return resourceField(c, from.ResourceFieldRef)
	}
	return nil, fmt.Errorf("cannot evaluate env %s: its valueFrom names a source that Probity does not know", v.Name)
}

// NotFound is the error for a reference to an object that does not exist; nil if it is optional.
func NotFound(kind, name string, optional *bool) error {
	if optional != nil && *optional {
		return nil
	}
	return fmt.Errorf("%s %q not found", kind, name)
}

// keyed is the value of a key in an object; nil without error if it is missing and optional.
func keyed(value string, ok bool, key, kind, namespace, name string, optional *bool) (*string, error) {
	switch {
	case ok:
		return &value, nil
	case optional != nil && *optional:
		return nil, nil
	}
	return nil, fmt.Errorf("couldn't find key %s in %s %s/%s", key, kind, namespace, name)
}

// SecretData is a Secret's data with stringData on top, as the API server merges them.
func SecretData(s *corev1.Secret) map[string][]byte {
	data := maps.Clone(s.Data)
	if data == nil {
		data = map[string][]byte{}
	}
	for key, value := range s.StringData {
		data[key] = []byte(value)
	}
	return data
}
