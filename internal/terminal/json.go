package terminal

import (
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
)

// jsonLine prints changes of Pods and Events as kubectl get --watch --output-watch-events -o json
// would, one a line. Other kinds give none.
func jsonLine(change watch.EventType, object runtime.Object) ([]byte, error) {
	switch object.(type) {
	case *corev1.Pod, *corev1.Event:
	default:
		return nil, nil
	}
	line, err := json.Marshal(struct {
		Type   watch.EventType `json:"type"`
		Object runtime.Object  `json:"object"`
	}{change, object})
	if err != nil {
		return nil, fmt.Errorf("cannot print %T as JSON: %w", object, err)
	}
	return line, nil
}

// jsonExpired is what a watch of the API prints when it fell behind the changes: after it,
// everything there is comes as ADDED.
func jsonExpired(reason error) ([]byte, error) {
	status := apierrors.NewResourceExpired(reason.Error()).Status()
	status.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}
	return json.Marshal(metav1.WatchEvent{Type: string(watch.Error), Object: runtime.RawExtension{Object: &status}})
}
