package cli

import (
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
)

// jsonLine prints changes of Pods and Events as kubectl get --watch --output-watch-events -o json would, one a line. Other kinds give none.
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

// eventLine prints a line per Event, for people without a terminal.
func eventLine(change watch.EventType, object runtime.Object) ([]byte, error) {
	event, ok := object.(*corev1.Event)
	if !ok || change != watch.Added {
		return nil, nil
	}
	return []byte(eventText(event)), nil
}
