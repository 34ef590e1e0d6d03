package controller

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/rand"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/registry"
	"github.com/probity-run/probity/internal/store"
)

// Pods are the Pods that an object asks for, so that a manifest can be checked before anything
// runs: a Pod itself, or the replicas of a Deployment, ReplicaSet or StatefulSet. Other kinds ask
// for none. A replica of a Deployment or ReplicaSet has a generateName and no name.
func Pods(object runtime.Object) ([]*corev1.Pod, error) {
	switch o := object.(type) {
	case *corev1.Pod:
		return []*corev1.Pod{o.DeepCopy()}, nil
	case *appsv1.Deployment:
		hash, err := templateHash(&o.Spec.Template, nil)
		if err != nil {
			return nil, fmt.Errorf("cannot name the Pods of Deployment %s: %w", o.Name, err)
		}
		return copies(sizeOf(o.Spec.Replicas), func(int) *corev1.Pod {
			pod := newPod(o, "Deployment", &o.Spec.Template)
			pod.GenerateName = o.Name + "-" + hash + "-"
			pod.Labels = with(pod.Labels, appsv1.DefaultDeploymentUniqueLabelKey, hash)
			return pod
		}), nil
	case *appsv1.ReplicaSet:
		return copies(sizeOf(o.Spec.Replicas), func(int) *corev1.Pod { return replicaOf(o) }), nil
	case *appsv1.StatefulSet:
		return copies(sizeOf(o.Spec.Replicas), func(i int) *corev1.Pod { return statefulPod(o, &o.Spec.Template, firstOrdinal(o)+i) }), nil
	}
	return nil, nil
}

// Count is how many Pods an object asks for. None of them is made.
func Count(object runtime.Object) int {
	switch o := object.(type) {
	case *corev1.Pod:
		return 1
	case *appsv1.Deployment:
		return sizeOf(o.Spec.Replicas)
	case *appsv1.ReplicaSet:
		return sizeOf(o.Spec.Replicas)
	case *appsv1.StatefulSet:
		return sizeOf(o.Spec.Replicas)
	}
	return 0
}

func copies(n int, pod func(i int) *corev1.Pod) []*corev1.Pod {
	pods := make([]*corev1.Pod, 0, n)
	for i := range n {
		pods = append(pods, pod(i))
	}
	return pods
}

// replicaOf is a new Pod of a ReplicaSet.
func replicaOf(set *appsv1.ReplicaSet) *corev1.Pod {
	pod := newPod(set, "ReplicaSet", &set.Spec.Template)
	pod.GenerateName = set.Name + "-"
	return pod
}

// statefulPod is the Pod of an ordinal: its name and what is derived from it are its identity.
func statefulPod(set *appsv1.StatefulSet, template *corev1.PodTemplateSpec, ordinal int) *corev1.Pod {
	pod := newPod(set, "StatefulSet", template)
	pod.Name = fmt.Sprintf("%s-%d", set.Name, ordinal)
	pod.Spec.Hostname, pod.Spec.Subdomain = pod.Name, set.Spec.ServiceName
	pod.Labels = with(pod.Labels, appsv1.StatefulSetPodNameLabel, pod.Name)
	pod.Labels[appsv1.PodIndexLabel] = fmt.Sprint(ordinal)
	return pod
}

// newPod copies a template into a Pod without a name.
func newPod(owner metav1.Object, kind string, template *corev1.PodTemplateSpec) *corev1.Pod {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: owner.GetNamespace(), Labels: maps.Clone(template.Labels), Annotations: maps.Clone(template.Annotations),
			Finalizers:      slices.Clone(template.Finalizers),
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(owner, appsv1.SchemeGroupVersion.WithKind(kind))},
		},
		Spec: *template.Spec.DeepCopy(),
	}
	manifest.Default(pod)
	return pod
}

// createPod makes a new Pod. It comes from the same file as author, the object that a person wrote:
// a Deployment, a ReplicaSet or a StatefulSet.
func (c *Controller) createPod(pod *corev1.Pod, author store.Object) (*corev1.Pod, error) {
	if file, ok := author.GetAnnotations()[manifest.AnnotationManifest]; ok {
		metav1.SetMetaDataAnnotation(&pod.ObjectMeta, manifest.AnnotationManifest, file)
	}
	return registry.Create(c.registry, pod)
}

// deletePod begins the deletion of a Pod, if it is still the same one.
func (c *Controller) deletePod(pod *corev1.Pod) error {
	return store.Delete[*corev1.Pod](c.store, pod.Namespace, pod.Name, store.DeleteOptions{UID: pod.UID})
}

// templateHash is a short name for a template, equal for equal ones. collisions, if not nil, gives
// it another one because somebody has that name.
func templateHash(template *corev1.PodTemplateSpec, collisions *int32) (string, error) {
	h := fnv.New32a()
	if err := json.NewEncoder(h).Encode(template); err != nil {
		return "", err
	}
	if collisions != nil {
		fmt.Fprint(h, *collisions)
	}
	return rand.SafeEncodeString(fmt.Sprint(h.Sum32())), nil
}

// with is a copy of labels and one more.
func with(labels map[string]string, name, value string) map[string]string {
	all := make(map[string]string, len(labels)+1)
	maps.Copy(all, labels)
	all[name] = value
	return all
}

// sizeOf is spec.replicas; absent, it means 1 (R205).
func sizeOf(replicas *int32) int {
	if replicas == nil {
		return 1
	}
	return int(*replicas)
}

func firstOrdinal(set *appsv1.StatefulSet) int {
	if set.Spec.Ordinals == nil {
		return 0
	}
	return int(set.Spec.Ordinals.Start)
}
