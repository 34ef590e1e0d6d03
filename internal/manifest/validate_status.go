package manifest

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// ValidateStatusUpdate returns what the API server would find wrong with the new status of an
// object, in its words: numbers that do not go together, and what cannot be changed. The health of
// devices and images of volumes are not looked into. Both are of one type.
func ValidateStatusUpdate(old, new Resource) field.ErrorList {
	path := field.NewPath("status")
	switch n := new.(type) {
	case *corev1.Pod:
		return validatePodStatus(old.(*corev1.Pod), n, path)
	case *corev1.Node:
		return validateNodeStatus(&n.Status, path)
	case *corev1.Service:
		return validateServiceStatus(old.(*corev1.Service), n, path)
	case *corev1.Namespace:
		return validateNamespaceStatus(n, path)
	case *appsv1.Deployment:
		errs := validateDeploymentStatus(&n.Status, path)
		return append(errs, validateCollisions(old.(*appsv1.Deployment).Status.CollisionCount, n.Status.CollisionCount, path)...)
	case *appsv1.ReplicaSet:
		return validateReplicaSetStatus(&n.Status, path)
	case *appsv1.StatefulSet:
		errs := validateStatefulSetStatus(&n.Status, path)
		return append(errs, validateCollisions(old.(*appsv1.StatefulSet).Status.CollisionCount, n.Status.CollisionCount, path)...)
	}
	return nil
}

// validateNamespaceStatus has the path of the API server, capital letter and all.
func validateNamespaceStatus(n *corev1.Namespace, path *field.Path) field.ErrorList {
	switch deleted := n.DeletionTimestamp != nil; {
	case !deleted && n.Status.Phase != corev1.NamespaceActive:
		return field.ErrorList{field.Invalid(path.Child("Phase"), n.Status.Phase, "may only be 'Active' if `deletionTimestamp` is empty")}
	case deleted && n.Status.Phase != corev1.NamespaceTerminating:
		return field.ErrorList{field.Invalid(path.Child("Phase"), n.Status.Phase, "may only be 'Terminating' if `deletionTimestamp` is not empty")}
	}
	return nil
}

// statusCount is a number of a workload's status. A part is one of so many replicas.
type statusCount struct {
	name  string
	value int64
	part  bool
}

func validateDeploymentStatus(s *appsv1.DeploymentStatus, path *field.Path) field.ErrorList {
	counts := []statusCount{
		{"observedGeneration", s.ObservedGeneration, false}, {"replicas", int64(s.Replicas), false}, {"updatedReplicas", int64(s.UpdatedReplicas), true},
		{"readyReplicas", int64(s.ReadyReplicas), true}, {"availableReplicas", int64(s.AvailableReplicas), true}, {"unavailableReplicas", int64(s.UnavailableReplicas), false},
		{"terminatingReplicas", valueOf(s.TerminatingReplicas), false}, {"collisionCount", valueOf(s.CollisionCount), false},
	}
	return append(validateCounts(path, s.Replicas, counts), validateAvailable(path, s.AvailableReplicas, s.ReadyReplicas, "readyReplicas")...)
}

func validateReplicaSetStatus(s *appsv1.ReplicaSetStatus, path *field.Path) field.ErrorList {
	counts := []statusCount{
		{"replicas", int64(s.Replicas), false}, {"fullyLabeledReplicas", int64(s.FullyLabeledReplicas), true}, {"readyReplicas", int64(s.ReadyReplicas), true},
		{"availableReplicas", int64(s.AvailableReplicas), true}, {"observedGeneration", s.ObservedGeneration, false}, {"terminatingReplicas", valueOf(s.TerminatingReplicas), false},
	}
	return append(validateCounts(path, s.Replicas, counts), validateAvailable(path, s.AvailableReplicas, s.ReadyReplicas, "readyReplicas")...)
}

func validateStatefulSetStatus(s *appsv1.StatefulSetStatus, path *field.Path) field.ErrorList {
	counts := []statusCount{
		{"replicas", int64(s.Replicas), false}, {"readyReplicas", int64(s.ReadyReplicas), true}, {"currentReplicas", int64(s.CurrentReplicas), true},
		{"updatedReplicas", int64(s.UpdatedReplicas), true}, {"availableReplicas", int64(s.AvailableReplicas), true},
		{"observedGeneration", s.ObservedGeneration, false}, {"collisionCount", valueOf(s.CollisionCount), false},
	}
	return append(validateCounts(path, s.Replicas, counts), validateAvailable(path, s.AvailableReplicas, s.ReadyReplicas, "status.readyReplicas")...)
}

func validateCounts(path *field.Path, replicas int32, counts []statusCount) field.ErrorList {
	var errs field.ErrorList
	for _, c := range counts {
		errs = append(errs, nonNegative(path.Child(c.name), c.value)...)
	}
	for _, c := range counts {
		if c.part && c.value > int64(replicas) {
			errs = append(errs, field.Invalid(path.Child(c.name), c.value, "cannot be greater than status.replicas"))
		}
	}
	return errs
}

// validateAvailable calls the ready ones what the API server calls them.
func validateAvailable(path *field.Path, available, ready int32, name string) field.ErrorList {
	if available <= ready {
		return nil
	}
	return field.ErrorList{field.Invalid(path.Child("availableReplicas"), available, "cannot be greater than "+name)}
}

// validateCollisions is about a number that only grows, else names that are taken would be tried
// again.
func validateCollisions(old, new *int32, path *field.Path) field.ErrorList {
	if old == nil || new != nil && *new >= *old {
		return nil
	}
	return field.ErrorList{field.Invalid(path.Child("collisionCount"), valueOf(new), "cannot be decremented")}
}

// valueOf counts an absent number as 0.
func valueOf(number *int32) int64 {
	if number == nil {
		return 0
	}
	return int64(*number)
}
