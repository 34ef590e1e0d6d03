// Package controller turns Deployments, ReplicaSets and StatefulSets into Pods.
//
// For now it makes the Pods of a first start: as many copies of the template as there are replicas. It does not roll, scale or replace them.
package controller

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/rand"

	"github.com/probity-run/probity/internal/manifest"
)

// Pods makes the Pods that an object asks for: a Pod itself, or the replicas of a Deployment, ReplicaSet or StatefulSet, owned by it. Other
// kinds ask for none. The objects are new and unnamed by UID; a replica of a Deployment or ReplicaSet has a generateName and no name.
func Pods(object runtime.Object) ([]*corev1.Pod, error) {
	switch o := object.(type) {
	case *corev1.Pod:
		return []*corev1.Pod{o.DeepCopy()}, nil
	case *appsv1.Deployment:
		hash, err := templateHash(&o.Spec.Template)
		if err != nil {
			return nil, fmt.Errorf("cannot name the Pods of Deployment %s: %w", o.Name, err)
		}
		labels := map[string]string{appsv1.DefaultDeploymentUniqueLabelKey: hash}
		return replicas(o, "Deployment", o.Spec.Replicas, &o.Spec.Template, func(pod *corev1.Pod, _ int) {
			pod.GenerateName = o.Name + "-" + hash + "-"
			pod.Labels = merged(pod.Labels, labels)
		}), nil
	case *appsv1.ReplicaSet:
		return replicas(o, "ReplicaSet", o.Spec.Replicas, &o.Spec.Template, func(pod *corev1.Pod, _ int) {
			pod.GenerateName = o.Name + "-"
		}), nil
	case *appsv1.StatefulSet:
		return replicas(o, "StatefulSet", o.Spec.Replicas, &o.Spec.Template, func(pod *corev1.Pod, i int) {
			pod.Name = fmt.Sprintf("%s-%d", o.Name, i)
			pod.Labels = merged(pod.Labels, map[string]string{appsv1.StatefulSetPodNameLabel: pod.Name, appsv1.PodIndexLabel: fmt.Sprint(i)})
		}), nil
	}
	return nil, nil
}

// replicas copies a template; name gives each copy its name and labels.
func replicas(owner metav1.Object, kind string, count *int32, template *corev1.PodTemplateSpec, name func(pod *corev1.Pod, i int)) []*corev1.Pod {
	n := int32(1) // Kubernetes' default (R205)
	if count != nil {
		n = *count
	}
	pods := make([]*corev1.Pod, 0, n)
	for i := range n {
		pod := &corev1.Pod{ObjectMeta: *template.ObjectMeta.DeepCopy(), Spec: *template.Spec.DeepCopy()}
		pod.Namespace = owner.GetNamespace()
		pod.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(owner, appsv1.SchemeGroupVersion.WithKind(kind))}
		name(pod, int(i))
		manifest.Default(pod)
		pods = append(pods, pod)
	}
	return pods
}

// templateHash is a short name for a template, equal for equal ones.
func templateHash(template *corev1.PodTemplateSpec) (string, error) {
	data, err := json.Marshal(template)
	if err != nil {
		return "", err
	}
	h := fnv.New32a()
	h.Write(data)
	return rand.SafeEncodeString(fmt.Sprint(h.Sum32())), nil
}

func merged(labels, more map[string]string) map[string]string {
	all := maps.Clone(labels)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, more)
	return all
}
