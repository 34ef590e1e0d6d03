package manifest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"

	corev1 "k8s.io/api/core/v1"
	utiljson "k8s.io/apimachinery/pkg/util/json"
)

// Configuration returns what someone wrote of the object, as kubectl apply notes it in the
// annotation [corev1.LastAppliedConfigAnnotation], byte for byte: JSON with sorted keys, no
// defaults but the namespace, annotations without that one, and a newline. An object that
// [DecodeLenient] returned has none: it is not for running.
func (o Object) Configuration() (string, error) {
	var tree map[string]any
	if err := utiljson.Unmarshal(o.written, &tree); err != nil { // numbers become what they are for kubectl
		return "", fmt.Errorf("cannot read what was written of %s: %w", o.Ref(), err)
	}
	tree["apiVersion"], tree["kind"] = o.Resource.GetObjectKind().GroupVersionKind().ToAPIVersionAndKind()
	meta, _ := tree["metadata"].(map[string]any)
	if meta == nil {
		meta = map[string]any{}
		tree["metadata"] = meta
	}
	meta["namespace"] = o.Resource.GetNamespace()
	annotations, _ := meta["annotations"].(map[string]any)
	if annotations == nil {
		annotations = map[string]any{}
		meta["annotations"] = annotations
	}
	delete(annotations, corev1.LastAppliedConfigAnnotation)
	var text bytes.Buffer
	if err := json.NewEncoder(&text).Encode(tree); err != nil {
		return "", fmt.Errorf("cannot write %s: %w", o.Ref(), err)
	}
	return text.String(), nil
}

// DecodeConfiguration reads what [Object.Configuration] returned, or kubectl wrote, into an object
// of like's type: without defaults, and without what only a server sets. The stringData of a Secret
// is in its data.
func DecodeConfiguration(text string, like Resource) (Resource, error) {
	r := reflect.New(reflect.TypeOf(like).Elem()).Interface().(Resource)
	if err := json.Unmarshal([]byte(text), r); err != nil {
		return nil, fmt.Errorf("cannot read the configuration that was applied last of %s %s: %w", like.GetObjectKind().GroupVersionKind().Kind, like.GetName(), err)
	}
	PrepareForCreate(r)
	if secret, ok := r.(*corev1.Secret); ok {
		defaultSecret(secret)
	}
	return r, nil
}
