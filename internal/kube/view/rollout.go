package view

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// RolloutError says that a rollout will not come to its end.
type RolloutError struct{ text string }

func (e *RolloutError) Error() string { return e.text }

// RolloutStatus is how far the rollout of a Deployment, a StatefulSet or a DaemonSet is, in the
// words of kubectl rollout status, and whether it is at its end. The error is a [*RolloutError].
func RolloutStatus(o metav1.Object) (text string, done bool, err error) {
	switch o := o.(type) {
	case *appsv1.Deployment:
		return deploymentStatus(o)
	case *appsv1.StatefulSet:
		return statefulSetStatus(o)
	case *appsv1.DaemonSet:
		return daemonSetStatus(o)
	}
	return "", false, &RolloutError{o.GetName() + " has no rollouts: that takes a Deployment, a StatefulSet or a DaemonSet"}
}

func deploymentStatus(d *appsv1.Deployment) (text string, done bool, err error) {
	if d.Generation > d.Status.ObservedGeneration {
		return "Waiting for deployment spec update to be observed...", false, nil
	}
	for _, c := range d.Status.Conditions {
		if c.Type == appsv1.DeploymentProgressing && c.Reason == "ProgressDeadlineExceeded" {
			return "", false, &RolloutError{fmt.Sprintf("deployment %q exceeded its progress deadline", d.Name)}
		}
	}
	s, waiting := d.Status, fmt.Sprintf("Waiting for deployment %q rollout to finish: ", d.Name)
	switch {
	case d.Spec.Replicas != nil && s.UpdatedReplicas < *d.Spec.Replicas:
		return fmt.Sprintf("%s%d out of %d new replicas have been updated...", waiting, s.UpdatedReplicas, *d.Spec.Replicas), false, nil
	case s.Replicas > s.UpdatedReplicas:
		return fmt.Sprintf("%s%d old replicas are pending termination...", waiting, s.Replicas-s.UpdatedReplicas), false, nil
	case s.AvailableReplicas < s.UpdatedReplicas:
		return fmt.Sprintf("%s%d of %d updated replicas are available...", waiting, s.AvailableReplicas, s.UpdatedReplicas), false, nil
	}
	return fmt.Sprintf("deployment %q successfully rolled out", d.Name), true, nil
}

func statefulSetStatus(o *appsv1.StatefulSet) (text string, done bool, err error) {
	if o.Spec.UpdateStrategy.Type == appsv1.OnDeleteStatefulSetStrategyType {
		return "", false, &RolloutError{fmt.Sprintf("rollout status is only available for RollingUpdate strategy type, and statefulset %q has OnDelete", o.Name)}
	}
	s, replicas := o.Status, int32(1)
	if o.Spec.Replicas != nil {
		replicas = *o.Spec.Replicas
	}
	partition := int32(0)
	if r := o.Spec.UpdateStrategy.RollingUpdate; r != nil && r.Partition != nil {
		partition = *r.Partition
	}
	switch {
	case s.ObservedGeneration == 0 || o.Generation > s.ObservedGeneration:
		return "Waiting for statefulset spec update to be observed...", false, nil
	case s.ReadyReplicas < replicas:
		return fmt.Sprintf("Waiting for %d pods to be ready...", replicas-s.ReadyReplicas), false, nil
	case partition > 0 && s.UpdatedReplicas < replicas-partition:
		return fmt.Sprintf("Waiting for partitioned roll out to finish: %d out of %d new pods have been updated...", s.UpdatedReplicas, replicas-partition), false, nil
	case partition > 0:
		return fmt.Sprintf("partitioned roll out complete: %d new pods have been updated...", s.UpdatedReplicas), true, nil
	case s.UpdateRevision != s.CurrentRevision:
		return fmt.Sprintf("waiting for statefulset rolling update to complete %d pods at revision %s...", s.UpdatedReplicas, s.UpdateRevision), false, nil
	}
	return fmt.Sprintf("statefulset rolling update complete %d pods at revision %s...", s.CurrentReplicas, s.CurrentRevision), true, nil
}

func daemonSetStatus(o *appsv1.DaemonSet) (text string, done bool, err error) {
	if o.Spec.UpdateStrategy.Type == appsv1.OnDeleteDaemonSetStrategyType {
		return "", false, &RolloutError{fmt.Sprintf("rollout status is only available for RollingUpdate strategy type, and daemonset %q has OnDelete", o.Name)}
	}
	s, waiting := o.Status, fmt.Sprintf("Waiting for daemon set %q rollout to finish: ", o.Name)
	switch {
	case o.Generation > s.ObservedGeneration:
		return "Waiting for daemon set spec update to be observed...", false, nil
	case s.UpdatedNumberScheduled < s.DesiredNumberScheduled:
		return fmt.Sprintf("%s%d out of %d new pods have been updated...", waiting, s.UpdatedNumberScheduled, s.DesiredNumberScheduled), false, nil
	case s.NumberAvailable < s.DesiredNumberScheduled:
		return fmt.Sprintf("%s%d of %d updated pods are available...", waiting, s.NumberAvailable, s.DesiredNumberScheduled), false, nil
	}
	return fmt.Sprintf("daemon set %q successfully rolled out", o.Name), true, nil
}

// SelectorOf selects the Pods of a workload or a Service by their labels.
func SelectorOf(o metav1.Object) (labels.Selector, error) {
	switch o := o.(type) {
	case *corev1.Service:
		if len(o.Spec.Selector) == 0 {
			return nil, fmt.Errorf("service %s has no selector, and so no Pods", o.Name)
		}
		return labels.SelectorFromSet(o.Spec.Selector), nil
	case *appsv1.Deployment:
		return metav1.LabelSelectorAsSelector(o.Spec.Selector)
	case *appsv1.StatefulSet:
		return metav1.LabelSelectorAsSelector(o.Spec.Selector)
	case *appsv1.ReplicaSet:
		return metav1.LabelSelectorAsSelector(o.Spec.Selector)
	case *appsv1.DaemonSet:
		return metav1.LabelSelectorAsSelector(o.Spec.Selector)
	case *batchv1.Job:
		return metav1.LabelSelectorAsSelector(o.Spec.Selector)
	}
	return nil, fmt.Errorf("%s selects no Pods", o.GetName())
}
