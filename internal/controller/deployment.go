package controller

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/registry"
	"github.com/probity-run/probity/internal/store"
	"github.com/probity-run/probity/internal/workload"
)

// rollout is what one sync of a Deployment works on.
type rollout struct {
	deployment *appsv1.Deployment
	sets       map[string]*appsv1.ReplicaSet // by name
	current    *appsv1.ReplicaSet            // of the Deployment's template, nil if there is none
	state      workload.RolloutObservation
}

// syncDeployment takes one step of a Deployment's rollout (R208) and writes its status.
func (c *Controller) syncDeployment(namespace, name string) (again time.Time, err error) {
	d, err := store.Get[*appsv1.Deployment](c.store, namespace, name)
	if err != nil {
		return time.Time{}, ifThere(err)
	}
	r, err := c.observe(d)
	if err != nil {
		return time.Time{}, err
	}
	if d.DeletionTimestamp == nil {
		err = c.advance(r)
	}
	status, again := r.state.Status(r.deployment, time.Now())
	next := r.deployment.DeepCopy()
	next.Status = status
	_, statusErr := store.UpdateStatus(c.store, next)
	return again, errors.Join(err, statusErr)
}

// advance keeps the books of revisions, takes the step that is due and clears the history.
func (c *Controller) advance(r *rollout) error {
	if r.current != nil {
		if err := c.keepRevision(r); err != nil {
			return err
		}
	}
	step := r.state.Next()
	if step.Create {
		return c.createReplicaSet(r, step.Size)
	}
	for _, s := range step.Scale {
		if err := c.scale(r, s); err != nil {
			return err
		}
	}
	if len(step.Scale) > 0 {
		return nil
	}
	limit := 10 // R205
	if r.deployment.Spec.RevisionHistoryLimit != nil {
		limit = int(*r.deployment.Spec.RevisionHistoryLimit)
	}
	for _, name := range r.state.Surplus(limit, r.state.Complete()) {
		if err := ifThere(store.Delete[*appsv1.ReplicaSet](c.store, r.deployment.Namespace, name, store.DeleteOptions{UID: r.sets[name].UID})); err != nil {
			return fmt.Errorf("cannot delete old ReplicaSet %s: %w", name, err)
		}
	}
	return nil
}

// scale sizes a ReplicaSet, notes for what size of the Deployment, and says so (R217).
func (c *Controller) scale(r *rollout, s workload.Scaling) error {
	next := r.sets[s.Name].DeepCopy()
	next.Spec.Replicas = new(int32(s.To))
	noteSize(next, r.state.Size())
	if _, err := registry.Update(c.registry, next); err != nil {
		return fmt.Errorf("cannot scale ReplicaSet %s: %w", s.Name, err)
	}
	if s.From != s.To {
		c.recordScaling(r.deployment, s)
	}
	return nil
}

func (c *Controller) recordScaling(d *appsv1.Deployment, s workload.Scaling) {
	direction := "up"
	if s.To < s.From {
		direction = "down"
	}
	c.record(d, deploymentController, corev1.EventTypeNormal, "ScalingReplicaSet", "Scaled %s replica set %s from %d to %d", direction, s.Name, s.From, s.To)
}

// observe gathers what there is of a Deployment.
func (c *Controller) observe(d *appsv1.Deployment) (*rollout, error) {
	sets, err := claim(c, d, d.Spec.Selector, func(*appsv1.ReplicaSet) bool { return true })
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(sets, func(a, b *appsv1.ReplicaSet) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
	})
	r := &rollout{deployment: d, sets: map[string]*appsv1.ReplicaSet{}}
	r.state.Desired, r.state.Paused = sizeOf(d.Spec.Replicas), d.Spec.Paused
	for _, set := range sets {
		r.sets[set.Name] = set
		if r.current == nil && workload.SameTemplate(&set.Spec.Template, &d.Spec.Template) {
			r.current, r.state.New = set, new(stateOf(set))
		} else {
			r.state.Old = append(r.state.Old, stateOf(set))
		}
		if f := failureOf(set); f != nil && (r.state.Failure == nil || set == r.current) {
			r.state.Failure = f
		}
	}
	return r, c.chooseStrategy(r)
}

// chooseStrategy reads the strategy; for what holds a fixed port it is StopFirst.
func (c *Controller) chooseStrategy(r *rollout) (err error) {
	d := r.deployment
	r.state.Strategy = workload.Recreate
	if d.Spec.Strategy.Type != appsv1.RecreateDeploymentStrategyType {
		r.state.Strategy = workload.Rolling
		limits := appsv1.RollingUpdateDeployment{}
		if d.Spec.Strategy.RollingUpdate != nil {
			limits = *d.Spec.Strategy.RollingUpdate
		}
		if r.state.Surge, r.state.Unavailable, err = workload.RollingUpdateLimits(limits.MaxSurge, limits.MaxUnavailable, r.state.Desired); err != nil {
			return err
		}
	}
	pods, err := c.podsOf(d, r)
	if err != nil {
		return err
	}
	if manifest.FixedPorts(&d.Spec.Template.ObjectMeta, &d.Spec.Template.Spec) || slices.ContainsFunc(pods, c.foundFixedPort) {
		r.state.Strategy = workload.StopFirst
	}
	for _, pod := range pods {
		if r.current == nil || !metav1.IsControlledBy(pod, r.current) {
			r.state.OldPods++
		}
	}
	return nil
}

// podsOf are the Pods of a Deployment that may run, also those that terminate after their
// ReplicaSet is gone.
func (c *Controller) podsOf(d *appsv1.Deployment, r *rollout) ([]*corev1.Pod, error) {
	selector, err := metav1.LabelSelectorAsSelector(d.Spec.Selector)
	if err != nil {
		return nil, err
	}
	owned := map[types.UID]bool{}
	for _, set := range r.sets {
		owned[set.UID] = true
	}
	pods, _ := store.List[*corev1.Pod](c.store, store.Selector{Namespace: d.Namespace, Labels: selector})
	return filter(pods, func(pod *corev1.Pod) bool {
		owner := metav1.GetControllerOfNoCopy(pod)
		if owner == nil || owner.Kind != "ReplicaSet" || !workload.MayRun(pod) {
			return false
		}
		return owned[owner.UID] || c.setOf(pod) == nil
	}), nil
}

// stateOf is what the pure core needs to know of a ReplicaSet.
func stateOf(set *appsv1.ReplicaSet) workload.ReplicaSetState {
	s := workload.ReplicaSetState{
		Name: set.Name, Size: sizeOf(set.Spec.Replicas), Created: set.CreationTimestamp.Time, Revision: revisionOf(set), Noted: notedSize(set),
		Replicas: int(set.Status.Replicas), Ready: int(set.Status.ReadyReplicas), Available: int(set.Status.AvailableReplicas),
	}
	if set.Status.TerminatingReplicas != nil {
		s.Terminating = int(*set.Status.TerminatingReplicas)
	}
	return s
}

func failureOf(set *appsv1.ReplicaSet) *appsv1.ReplicaSetCondition {
	for _, c := range set.Status.Conditions {
		if c.Type == appsv1.ReplicaSetReplicaFailure && c.Status == corev1.ConditionTrue {
			return &c
		}
	}
	return nil
}
