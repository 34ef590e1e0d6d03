package manifest

import (
	"cmp"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// PrepareForCreate clears what only a server sets, as the API server does before it creates an
// object: the status, the UID and their like. A Node may come with its status. Load has done it for
// what it returns. It is not for updates, which have to keep all that: see [PrepareForUpdate].
func PrepareForCreate(r Resource) {
	r.SetUID("")
	r.SetResourceVersion("")
	r.SetGeneration(0)
	r.SetCreationTimestamp(metav1.Time{})
	r.SetDeletionTimestamp(nil)
	r.SetDeletionGracePeriodSeconds(nil)
	r.SetManagedFields(nil)
	r.SetSelfLink("")
	switch o := r.(type) {
	case *corev1.Pod:
		o.Status = corev1.PodStatus{}
	case *corev1.Service:
		o.Status = corev1.ServiceStatus{}
	case *appsv1.Deployment:
		o.Status = appsv1.DeploymentStatus{}
	case *appsv1.ReplicaSet:
		o.Status = appsv1.ReplicaSetStatus{}
	case *appsv1.StatefulSet:
		o.Status = appsv1.StatefulSetStatus{}
	case *corev1.Namespace:
		o.Status = corev1.NamespaceStatus{}
		if !slices.Contains(o.Spec.Finalizers, corev1.FinalizerKubernetes) {
			o.Spec.Finalizers = append(o.Spec.Finalizers, corev1.FinalizerKubernetes)
		}
	}
}

// PrepareForUpdate carries over from the old state of an object what a writer may leave out or
// cannot change, as the API server does before it updates one: what only a server sets, the
// addresses and node ports that a Service was given, and what keeps a Namespace. What a Service was
// given and its new type has not is dropped. Both are of one type. The status is not its business:
// who stores the update keeps it.
func PrepareForUpdate(old, new Resource) {
	keepMeta(old, new)
	switch n := new.(type) {
	case *corev1.Service:
		keepAllocated(&old.(*corev1.Service).Spec, &n.Spec)
		dropUnneeded(&old.(*corev1.Service).Spec, &n.Spec)
	case *corev1.Namespace:
		n.Spec.Finalizers = slices.Clone(old.(*corev1.Namespace).Spec.Finalizers)
	}
}

// keepMeta leaves to [ValidateUpdate] what the API server refuses: another UID, and a deletion by
// an update.
func keepMeta(old, new Resource) {
	new.SetGeneration(old.GetGeneration())
	new.SetCreationTimestamp(old.GetCreationTimestamp())
	new.SetUID(cmp.Or(new.GetUID(), old.GetUID()))
	if deleted := old.GetDeletionTimestamp(); deleted != nil {
		new.SetDeletionTimestamp(deleted)
	}
	if grace := old.GetDeletionGracePeriodSeconds(); grace != nil && new.GetDeletionGracePeriodSeconds() == nil {
		new.SetDeletionGracePeriodSeconds(grace)
	}
}

func hasAddress(s *corev1.ServiceSpec) bool { return s.Type != corev1.ServiceTypeExternalName }

func hasNodePorts(s *corev1.ServiceSpec) bool {
	return s.Type == corev1.ServiceTypeNodePort || s.Type == corev1.ServiceTypeLoadBalancer
}

// dropUnneeded takes away what a Service had by its old type and has not by the new one, unless the
// writer changes that as well: then it is a mistake.
func dropUnneeded(old, new *corev1.ServiceSpec) {
	if hasAddress(old) && !hasAddress(new) && old.ClusterIP == new.ClusterIP && slices.Equal(old.ClusterIPs, new.ClusterIPs) {
		new.ClusterIP, new.ClusterIPs, new.IPFamilies, new.IPFamilyPolicy = "", nil, nil, nil
	}
	if hasNodePorts(old) && !hasNodePorts(new) {
		given := []int32{0}
		for _, p := range old.Ports {
			given = append(given, p.NodePort)
		}
		for i, p := range new.Ports {
			if slices.Contains(given, p.NodePort) {
				new.Ports[i].NodePort = 0
			}
		}
	}
	if isExternal(old) && !isExternal(new) && old.ExternalTrafficPolicy == new.ExternalTrafficPolicy {
		new.ExternalTrafficPolicy = ""
	}
	balanced := func(s *corev1.ServiceSpec) bool { return s.Type == corev1.ServiceTypeLoadBalancer }
	if balanced(old) && !balanced(new) {
		new.AllocateLoadBalancerNodePorts, new.LoadBalancerClass, new.HealthCheckNodePort = nil, nil, 0
	}
}

// keepAllocated carries over what a Service was given as long as it is of a type that has it.
func keepAllocated(old, new *corev1.ServiceSpec) {
	if hasAddress(old) && hasAddress(new) {
		new.ClusterIP = cmp.Or(new.ClusterIP, old.ClusterIP)
		if len(new.ClusterIPs) == 0 && new.ClusterIP == old.ClusterIP {
			new.ClusterIPs = slices.Clone(old.ClusterIPs)
		}
	}
	if !hasNodePorts(old) || !hasNodePorts(new) {
		return
	}
	given := map[string]int32{}
	for _, p := range old.Ports {
		given[fmt.Sprint(p.Port, p.Protocol)] = p.NodePort
	}
	for i, p := range new.Ports {
		given[fmt.Sprint(p.Port, p.Protocol)], new.Ports[i].NodePort = 0, cmp.Or(p.NodePort, given[fmt.Sprint(p.Port, p.Protocol)])
	}
	new.HealthCheckNodePort = cmp.Or(new.HealthCheckNodePort, old.HealthCheckNodePort)
}
