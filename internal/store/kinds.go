package store

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
)

// Kubernetes returns the built-in kinds that Probity works with, for [Options].Kinds. Add your own
// to them.
func Kubernetes() []KindDefinition {
	core, apps := corev1.SchemeGroupVersion, appsv1.SchemeGroupVersion
	return []KindDefinition{
		{Type: &corev1.Pod{}, GVK: core.WithKind("Pod"), Resource: "pods"},
		{Type: &corev1.Event{}, GVK: core.WithKind("Event"), Resource: "events"},
		{Type: &corev1.Service{}, GVK: core.WithKind("Service"), Resource: "services"},
		{Type: &corev1.ConfigMap{}, GVK: core.WithKind("ConfigMap"), Resource: "configmaps"},
		{Type: &corev1.Secret{}, GVK: core.WithKind("Secret"), Resource: "secrets"},
		{Type: &corev1.Node{}, GVK: core.WithKind("Node"), Resource: "nodes"},
		{Type: &corev1.Namespace{}, GVK: core.WithKind("Namespace"), Resource: "namespaces"},
		{Type: &appsv1.Deployment{}, GVK: apps.WithKind("Deployment"), Resource: "deployments"},
		{Type: &appsv1.ReplicaSet{}, GVK: apps.WithKind("ReplicaSet"), Resource: "replicasets"},
		{Type: &appsv1.StatefulSet{}, GVK: apps.WithKind("StatefulSet"), Resource: "statefulsets"},
		{Type: &discoveryv1.EndpointSlice{}, GVK: discoveryv1.SchemeGroupVersion.WithKind("EndpointSlice"), Resource: "endpointslices"},
	}
}
