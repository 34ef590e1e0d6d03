package controller

import (
	"errors"
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/store"
	"github.com/probity-run/probity/internal/workload"
)

// syncReplicaSet gives a ReplicaSet as many Pods as it wants. What a sync makes or deletes is
// counted by the next one, which it causes.
func (c *Controller) syncReplicaSet(namespace, name string) (again time.Time, err error) {
	set, err := store.Get[*appsv1.ReplicaSet](c.store, namespace, name)
	if err != nil {
		return time.Time{}, ifThere(err)
	}
	pods, err := claim(c, set, set.Spec.Selector, func(pod *corev1.Pod) bool { return !workload.IsFinished(pod) })
	if err != nil {
		return time.Time{}, err
	}
	now := time.Now()
	count, again := workload.CountReplicas(pods, set.Spec.MinReadySeconds, now)
	failed := failure{}
	if set.DeletionTimestamp == nil {
		var at time.Time
		at, failed = c.manageReplicas(set, pods, count, now)
		again = workload.Sooner(again, at)
	}
	return again, errors.Join(failed.err, c.writeReplicaSetStatus(set, pods, count, failed, now))
}

// ifThere turns the error of an object that is gone into none: there is nothing to sync.
func ifThere(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// failure is why Pods could not be made or deleted; the reason is Kubernetes'.
type failure struct {
	reason string
	err    error
}

// manageReplicas makes the Pods that are missing or deletes those that are too many. again is when
// more can be made.
func (c *Controller) manageReplicas(set *appsv1.ReplicaSet, pods []*corev1.Pod, count workload.ReplicaCount, now time.Time) (again time.Time, failed failure) {
	create, remove := workload.ReplicaStep(sizeOf(set.Spec.Replicas), count, c.stopsFirst(set, pods))
	finished := filter(pods, func(p *corev1.Pod) bool { return workload.IsFinished(p) && p.DeletionTimestamp == nil })
	for _, pod := range workload.Superseded(finished) {
		if err := ifThere(c.deletePod(pod)); err != nil {
			return time.Time{}, failure{"FailedDelete", fmt.Errorf("cannot delete finished Pod %s: %w", pod.Name, err)}
		}
	}
	if remove > 0 {
		return time.Time{}, c.deleteReplicas(set, filter(pods, workload.IsActive), remove, now)
	}
	if at := workload.ReplaceAt(finished, now); create > 0 && !at.IsZero() {
		return at, failure{}
	}
	for range create {
		pod, err := c.createPod(replicaOf(set), c.authorOf(set))
		if err != nil {
			c.record(set, replicaSetController, corev1.EventTypeWarning, "FailedCreate", "Error creating: %v", err)
			return time.Time{}, failure{"FailedCreate", fmt.Errorf("cannot create a Pod: %w", err)}
		}
		c.record(set, replicaSetController, corev1.EventTypeNormal, "SuccessfulCreate", "Created pod: %s", pod.Name)
	}
	return time.Time{}, failure{}
}

func (c *Controller) deleteReplicas(set *appsv1.ReplicaSet, active []*corev1.Pod, n int, now time.Time) failure {
	for _, pod := range workload.PodsToDelete(active, n, c.activeOnNode(set), now) {
		if err := ifThere(c.deletePod(pod)); err != nil {
			c.record(set, replicaSetController, corev1.EventTypeWarning, "FailedDelete", "Error deleting: %v", err)
			return failure{"FailedDelete", fmt.Errorf("cannot delete Pod %s: %w", pod.Name, err)}
		}
		c.record(set, replicaSetController, corev1.EventTypeNormal, "SuccessfulDelete", "Deleted pod: %s", pod.Name)
	}
	return failure{}
}

// activeOnNode counts the active Pods of a set and of its Deployment's other sets on each node
// (R218).
func (c *Controller) activeOnNode(set *appsv1.ReplicaSet) map[string]int {
	activeOnNode := map[string]int{}
	deployment := metav1.GetControllerOfNoCopy(set)
	pods, _ := store.List[*corev1.Pod](c.store, store.Selector{Namespace: set.Namespace})
	for _, pod := range filter(pods, workload.IsActive) {
		other := c.setOf(pod)
		if other == nil {
			continue
		}
		owner := metav1.GetControllerOfNoCopy(other)
		if other.UID == set.UID || deployment != nil && owner != nil && owner.UID == deployment.UID {
			activeOnNode[pod.Spec.NodeName]++
		}
	}
	return activeOnNode
}

// stopsFirst reports whether a Pod of a set may start only when its predecessor is gone.
func (c *Controller) stopsFirst(set *appsv1.ReplicaSet, pods []*corev1.Pod) bool {
	return manifest.FixedPorts(&set.Spec.Template.ObjectMeta, &set.Spec.Template.Spec) || slices.ContainsFunc(filter(pods, workload.MayRun), c.foundFixedPort)
}

// authorOf is the object that a person wrote: the set's Deployment, or the set itself.
func (c *Controller) authorOf(set *appsv1.ReplicaSet) store.Object {
	owner := metav1.GetControllerOfNoCopy(set)
	if owner == nil {
		return set
	}
	d, err := store.Get[*appsv1.Deployment](c.store, set.Namespace, owner.Name)
	if err != nil || d.UID != owner.UID {
		return set
	}
	return d
}

func (c *Controller) writeReplicaSetStatus(set *appsv1.ReplicaSet, pods []*corev1.Pod, n workload.ReplicaCount, failed failure, now time.Time) error {
	next := set.DeepCopy()
	labelled := 0
	for _, pod := range filter(pods, workload.IsActive) {
		if selects(set.Spec.Template.Labels, pod.Labels) {
			labelled++
		}
	}
	next.Status = appsv1.ReplicaSetStatus{
		Replicas: int32(n.Replicas), FullyLabeledReplicas: int32(labelled), ReadyReplicas: int32(n.Ready), AvailableReplicas: int32(n.Available),
		TerminatingReplicas: new(int32(n.Terminating)), ObservedGeneration: set.Generation, Conditions: failed.condition(set.Status.Conditions, now),
	}
	if _, err := store.UpdateStatus(c.store, next); err != nil {
		return fmt.Errorf("cannot write the status: %w", err)
	}
	return nil
}

// condition is the ReplicaFailure condition, which lasts as long as the failure does.
func (f failure) condition(before []appsv1.ReplicaSetCondition, now time.Time) []appsv1.ReplicaSetCondition {
	if f.err == nil {
		return nil
	}
	for _, c := range before {
		if c.Type == appsv1.ReplicaSetReplicaFailure && c.Reason == f.reason {
			return before
		}
	}
	return []appsv1.ReplicaSetCondition{{
		Type: appsv1.ReplicaSetReplicaFailure, Status: corev1.ConditionTrue, Reason: f.reason, Message: f.err.Error(),
		LastTransitionTime: metav1.NewTime(now.Truncate(time.Second)),
	}}
}

// filter is a new slice of what keep keeps.
func filter[T any](all []T, keep func(T) bool) []T {
	return slices.DeleteFunc(slices.Clone(all), func(e T) bool { return !keep(e) })
}
