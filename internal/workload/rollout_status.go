package workload

import (
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Reasons of a Deployment's conditions (R212, R213).
const (
	reasonAvailable   = "MinimumReplicasAvailable"
	reasonUnavailable = "MinimumReplicasUnavailable"
	reasonCreated     = "NewReplicaSetCreated"
	reasonFound       = "FoundNewReplicaSet"
	reasonUpdated     = "ReplicaSetUpdated"
	reasonComplete    = "NewReplicaSetAvailable"
	reasonTimedOut    = "ProgressDeadlineExceeded"
	reasonPaused      = "DeploymentPaused"
	reasonResumed     = "DeploymentResumed"
)

// RolloutObservation is what a sync saw and did, for the Deployment's status.
type RolloutObservation struct {
	Rollout
	// Created says that the sync made the new ReplicaSet, as the sync before did not know it.
	Created bool
	// Failure is why a ReplicaSet cannot make Pods, nil if each can.
	Failure *appsv1.ReplicaSetCondition
}

// Status is the Deployment's status now (R211–R214). again is when to look again although nothing
// happens, because the progress deadline is due then; zero means never.
func (o *RolloutObservation) Status(d *appsv1.Deployment, now time.Time) (status appsv1.DeploymentStatus, again time.Time) {
	status = *d.Status.DeepCopy()
	o.count(&status)
	status.ObservedGeneration = d.Generation
	o.setAvailable(&status, now)
	o.setFailure(&status)
	if limit := deadline(d); limit > 0 {
		again = o.setProgressing(&status, d, limit, now)
	} else {
		status.Conditions = without(status.Conditions, appsv1.DeploymentProgressing)
	}
	return status, again
}

// Complete reports whether the rollout is over: all wanted Pods are updated, there and available,
// and none is left over (R214).
func (o *RolloutObservation) Complete() bool {
	total := sum(o.sets(), func(s ReplicaSetState) int { return s.Replicas })
	return o.New != nil && o.New.Replicas == o.Desired && total == o.Desired && o.available() == o.Desired
}

func (o *RolloutObservation) count(status *appsv1.DeploymentStatus) {
	sets := o.sets()
	total, available := sum(sets, func(s ReplicaSetState) int { return s.Replicas }), o.available()
	status.Replicas = int32(total)
	status.UpdatedReplicas = 0
	if o.New != nil {
		status.UpdatedReplicas = int32(o.New.Replicas)
	}
	status.ReadyReplicas = int32(sum(sets, func(s ReplicaSetState) int { return s.Ready }))
	status.AvailableReplicas = int32(available)
	status.UnavailableReplicas = int32(max(total-available, 0))
	status.TerminatingReplicas = new(int32(sum(sets, func(s ReplicaSetState) int { return s.Terminating })))
}

// setAvailable is R212.
func (o *RolloutObservation) setAvailable(status *appsv1.DeploymentStatus, now time.Time) {
	if o.available() >= o.Desired-o.Unavailable {
		set(status, newCondition(appsv1.DeploymentAvailable, corev1.ConditionTrue, reasonAvailable, "Deployment has minimum availability.", now))
		return
	}
	set(status, newCondition(appsv1.DeploymentAvailable, corev1.ConditionFalse, reasonUnavailable, "Deployment does not have minimum availability.", now))
}

func (o *RolloutObservation) setFailure(status *appsv1.DeploymentStatus) {
	if o.Failure == nil {
		status.Conditions = without(status.Conditions, appsv1.DeploymentReplicaFailure)
		return
	}
	condition := newCondition(appsv1.DeploymentReplicaFailure, o.Failure.Status, o.Failure.Reason, o.Failure.Message, o.Failure.LastTransitionTime.Time)
	set(status, condition)
}

// setProgressing is R213. A rollout that was complete stays so whatever its Pods do, until the
// Deployment gets another template.
func (o *RolloutObservation) setProgressing(status *appsv1.DeploymentStatus, d *appsv1.Deployment, limit time.Duration, now time.Time) (again time.Time) {
	current := condition(status.Conditions, appsv1.DeploymentProgressing)
	wasComplete := current != nil && current.Reason == reasonComplete && status.Replicas == status.UpdatedReplicas
	progress := func(status corev1.ConditionStatus, reason, message string) appsv1.DeploymentCondition {
		return newCondition(appsv1.DeploymentProgressing, status, reason, message, now)
	}
	switch {
	case o.Created:
		renew(status, progress(corev1.ConditionTrue, reasonCreated, fmt.Sprintf("Created new replica set %q", o.New.Name)))
	case o.Paused:
		if current == nil || current.Reason != reasonTimedOut {
			set(status, progress(corev1.ConditionUnknown, reasonPaused, "Deployment is paused"))
		}
		return time.Time{}
	case current != nil && current.Reason == reasonPaused:
		set(status, progress(corev1.ConditionUnknown, reasonResumed, "Deployment is resumed"))
	case current == nil && o.New != nil && !o.Complete():
		set(status, progress(corev1.ConditionTrue, reasonFound, fmt.Sprintf("Found new replica set %q", o.New.Name)))
	case wasComplete:
	case o.Complete():
		set(status, progress(corev1.ConditionTrue, reasonComplete, o.subject(d)+" has successfully progressed."))
	case progressed(&d.Status, status):
		renew(status, progress(corev1.ConditionTrue, reasonUpdated, o.subject(d)+" is progressing."))
	case current != nil && current.Reason != reasonComplete && !now.Before(current.LastUpdateTime.Add(limit)):
		set(status, progress(corev1.ConditionFalse, reasonTimedOut, o.subject(d)+" has timed out progressing."))
	}
	current = condition(status.Conditions, appsv1.DeploymentProgressing)
	if current == nil || current.Reason == reasonComplete || current.Reason == reasonTimedOut {
		return time.Time{}
	}
	return current.LastUpdateTime.Add(limit)
}

// subject is what conditions are about.
func (o *RolloutObservation) subject(d *appsv1.Deployment) string {
	if o.New == nil {
		return fmt.Sprintf("Deployment %q", d.Name)
	}
	return fmt.Sprintf("ReplicaSet %q", o.New.Name)
}

// progressed reports whether there are more updated, fewer old, more ready or more available Pods
// than before (R213).
func progressed(before, now *appsv1.DeploymentStatus) bool {
	return now.UpdatedReplicas > before.UpdatedReplicas ||
		now.Replicas-now.UpdatedReplicas < before.Replicas-before.UpdatedReplicas ||
		now.ReadyReplicas > before.ReadyReplicas ||
		now.AvailableReplicas > before.AvailableReplicas
}

// deadline is progressDeadlineSeconds; 0 means none, which the largest number says as well.
func deadline(d *appsv1.Deployment) time.Duration {
	switch s := d.Spec.ProgressDeadlineSeconds; {
	case s == nil:
		return 600 * time.Second // R205
	case *s == 1<<31-1:
		return 0
	default:
		return time.Duration(*s) * time.Second
	}
}

func newCondition(t appsv1.DeploymentConditionType, status corev1.ConditionStatus, reason, message string, now time.Time) appsv1.DeploymentCondition {
	at := metav1.NewTime(now.Truncate(time.Second))
	return appsv1.DeploymentCondition{
		Type: t, Status: status, Reason: reason, Message: message, LastUpdateTime: at, LastTransitionTime: at,
	}
}

func condition(all []appsv1.DeploymentCondition, t appsv1.DeploymentConditionType) *appsv1.DeploymentCondition {
	if i := slices.IndexFunc(all, func(c appsv1.DeploymentCondition) bool { return c.Type == t }); i >= 0 {
		return new(all[i])
	}
	return nil
}

// set writes a condition, unless one of the same status and reason is there: that one stays as it
// is.
func set(status *appsv1.DeploymentStatus, c appsv1.DeploymentCondition) {
	if before := condition(status.Conditions, c.Type); before == nil || before.Status != c.Status || before.Reason != c.Reason {
		renew(status, c)
	}
}

// renew writes a condition anew; its transition time moves with the status only.
func renew(status *appsv1.DeploymentStatus, c appsv1.DeploymentCondition) {
	if before := condition(status.Conditions, c.Type); before != nil && before.Status == c.Status {
		c.LastTransitionTime = before.LastTransitionTime
	}
	status.Conditions = append(without(status.Conditions, c.Type), c)
}

func without(all []appsv1.DeploymentCondition, t appsv1.DeploymentConditionType) []appsv1.DeploymentCondition {
	return slices.DeleteFunc(slices.Clone(all), func(c appsv1.DeploymentCondition) bool { return c.Type == t })
}
