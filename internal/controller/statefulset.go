package controller

import (
	"errors"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/store"
	"github.com/probity-run/probity/internal/workload"
)

// syncStatefulSet takes one step of a StatefulSet and writes its status.
func (c *Controller) syncStatefulSet(namespace, name string) (again time.Time, err error) {
	set, err := store.Get[*appsv1.StatefulSet](c.store, namespace, name)
	if err != nil {
		return time.Time{}, ifThere(err)
	}
	pods, err := claim(c, set, set.Spec.Selector, func(pod *corev1.Pod) bool { return workload.OrdinalOf(set, pod) >= 0 })
	if err != nil {
		return time.Time{}, err
	}
	revisions, err := c.revisionsOf(set)
	if err != nil {
		return time.Time{}, err
	}
	now := time.Now()
	state := workload.StatefulSetState{Set: set, Pods: pods, Current: revisions.current.Name, Update: revisions.update.Name}
	step := state.Next(now)
	err = c.carryOut(set, step, revisions)
	next := set.DeepCopy()
	next.Status = state.Status(now)
	next.Status.CollisionCount = revisions.collisions
	_, statusErr := store.UpdateStatus(c.store, next)
	return step.Again, errors.Join(err, statusErr, c.truncateHistory(set, pods, revisions))
}

func (c *Controller) carryOut(set *appsv1.StatefulSet, step workload.StatefulStep, revisions *revisions) error {
	for _, pod := range step.Delete {
		if err := c.deleteStateful(set, pod); err != nil {
			return err
		}
	}
	for _, ordinal := range step.Create {
		if err := c.createStateful(set, ordinal, revisions); err != nil {
			return err
		}
	}
	return nil
}

func (c *Controller) createStateful(set *appsv1.StatefulSet, ordinal workload.Ordinal, revisions *revisions) error {
	template, err := revisions.template(ordinal.Revision)
	if err != nil {
		return err
	}
	pod := statefulPod(set, template, ordinal.Number)
	pod.Labels[appsv1.StatefulSetRevisionLabel] = ordinal.Revision
	if _, err := c.createPod(pod, set); err != nil {
		c.record(set, statefulSetController, corev1.EventTypeWarning, "FailedCreate", "create Pod %s in StatefulSet %s failed error: %v", pod.Name, set.Name, err)
		return fmt.Errorf("cannot create Pod %s: %w", pod.Name, err)
	}
	c.record(set, statefulSetController, corev1.EventTypeNormal, "SuccessfulCreate", "create Pod %s in StatefulSet %s successful", pod.Name, set.Name)
	return nil
}

func (c *Controller) deleteStateful(set *appsv1.StatefulSet, pod *corev1.Pod) error {
	switch pod.Status.Phase {
	case corev1.PodFailed:
		c.record(set, statefulSetController, corev1.EventTypeWarning, "RecreatingFailedPod", "StatefulSet %s/%s is recreating failed Pod %s", set.Namespace, set.Name, pod.Name)
	case corev1.PodSucceeded:
		c.record(set, statefulSetController, corev1.EventTypeNormal, "RecreatingTerminatedPod", "StatefulSet %s/%s is recreating terminated Pod %s", set.Namespace, set.Name, pod.Name)
	}
	if err := ifThere(c.deletePod(pod)); err != nil {
		c.record(set, statefulSetController, corev1.EventTypeWarning, "FailedDelete", "delete Pod %s in StatefulSet %s failed error: %v", pod.Name, set.Name, err)
		return fmt.Errorf("cannot delete Pod %s: %w", pod.Name, err)
	}
	c.record(set, statefulSetController, corev1.EventTypeNormal, "SuccessfulDelete", "delete Pod %s in StatefulSet %s successful", pod.Name, set.Name)
	return nil
}
