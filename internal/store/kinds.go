package store

import (
	"reflect"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// busyHistory is enough for the kinds that change most: a change of a Pod, or of a workload,
	// holds 3 KB and more.
	busyHistory = 1024
	// leaseHistory is short because a Lease changes every few seconds for ever, and only its latest
	// state says anything.
	leaseHistory = 256
)

// Kubernetes returns the built-in kinds that Probity works with, for [Options].Kinds. Add your own
// to them.
func Kubernetes() []KindDefinition {
	core, apps := corev1.SchemeGroupVersion, appsv1.SchemeGroupVersion
	return []KindDefinition{
		{Type: &corev1.Pod{}, GVK: core.WithKind("Pod"), Resource: "pods", Generation: specOf, History: busyHistory},
		{Type: &corev1.Event{}, GVK: core.WithKind("Event"), Resource: "events"},
		{Type: &corev1.Service{}, GVK: core.WithKind("Service"), Resource: "services"},
		{Type: &corev1.ConfigMap{}, GVK: core.WithKind("ConfigMap"), Resource: "configmaps"},
		{Type: &corev1.Secret{}, GVK: core.WithKind("Secret"), Resource: "secrets"},
		{Type: &corev1.Node{}, GVK: core.WithKind("Node"), Resource: "nodes"},
		{Type: &corev1.Namespace{}, GVK: core.WithKind("Namespace"), Resource: "namespaces"},
		{Type: &appsv1.Deployment{}, GVK: apps.WithKind("Deployment"), Resource: "deployments", Generation: specOf, History: busyHistory},
		{Type: &appsv1.ReplicaSet{}, GVK: apps.WithKind("ReplicaSet"), Resource: "replicasets", Generation: specOf, History: busyHistory},
		{Type: &appsv1.StatefulSet{}, GVK: apps.WithKind("StatefulSet"), Resource: "statefulsets", Generation: specOf, History: busyHistory},
		{
			Type: &discoveryv1.EndpointSlice{}, GVK: discoveryv1.SchemeGroupVersion.WithKind("EndpointSlice"), Resource: "endpointslices",
			Generation: contentOfSlice, History: busyHistory,
		},
		{Type: &coordinationv1.Lease{}, GVK: coordinationv1.SchemeGroupVersion.WithKind("Lease"), Resource: "leases", History: leaseHistory},
	}
}

// specOf is what the generation of most kinds counts the changes of.
func specOf(o Object) any {
	return reflect.ValueOf(o).Elem().FieldByName("Spec").Addr().Interface()
}

// contentOfSlice is all of an EndpointSlice but its metadata, and its labels.
func contentOfSlice(o Object) any {
	content := *o.(*discoveryv1.EndpointSlice)
	content.ObjectMeta = metav1.ObjectMeta{Labels: content.Labels}
	return content
}
