package controller

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/store"
)

// Who reports an Event, in Kubernetes' names.
const (
	deploymentController  = "deployment-controller"
	replicaSetController  = "replicaset-controller"
	statefulSetController = "statefulset-controller"
	endpointsController   = "endpoint-slice-controller"
)

// record adds an Event about an object of the store.
func (c *Controller) record(about store.Object, component, eventType, reason, format string, args ...any) {
	version, kind := about.GetObjectKind().GroupVersionKind().ToAPIVersionAndKind()
	c.store.Record(store.Occurrence{
		About: corev1.ObjectReference{
			APIVersion: version, Kind: kind, Namespace: about.GetNamespace(), Name: about.GetName(), UID: about.GetUID(), ResourceVersion: about.GetResourceVersion(),
		},
		Type: eventType, Reason: reason, Message: fmt.Sprintf(format, args...), Component: component,
	})
}
