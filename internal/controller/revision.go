package controller

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/registry"
	"github.com/probity-run/probity/internal/workload"
)

// Kubernetes' annotations of Deployments and their ReplicaSets.
const (
	annotationRevision = "deployment.kubernetes.io/revision"
	annotationHistory  = "deployment.kubernetes.io/revision-history"
	annotationDesired  = "deployment.kubernetes.io/desired-replicas"
	annotationMax      = "deployment.kubernetes.io/max-replicas"
)

// ofEachSet are annotations that a ReplicaSet does not take over from its Deployment.
func ofEachSet() []string {
	return []string{corev1.LastAppliedConfigAnnotation, annotationRevision, annotationHistory, annotationDesired, annotationMax}
}

// createReplicaSet makes the ReplicaSet of the Deployment's template. If somebody else has its
// name, the next sync takes another one.
func (c *Controller) createReplicaSet(r *rollout, size int) error {
	set, err := newReplicaSet(r, size)
	if err != nil {
		return err
	}
	created, err := registry.Create(c.registry, set)
	if apierrors.IsAlreadyExists(err) {
		collisions := int32(1)
		if r.deployment.Status.CollisionCount != nil {
			collisions += *r.deployment.Status.CollisionCount
		}
		r.deployment = r.deployment.DeepCopy()
		r.deployment.Status.CollisionCount = &collisions
		return nil
	}
	if err != nil {
		return fmt.Errorf("cannot create ReplicaSet %s: %w", set.Name, err)
	}
	r.current, r.state.New, r.state.Created = created, new(stateOf(created)), true
	if size > 0 {
		c.recordScaling(r.deployment, workload.Scaling{Name: created.Name, To: size})
	}
	return c.showRevision(r)
}

func newReplicaSet(r *rollout, size int) (*appsv1.ReplicaSet, error) {
	d := r.deployment
	hash, err := templateHash(&d.Spec.Template, d.Status.CollisionCount)
	if err != nil {
		return nil, fmt.Errorf("cannot name the ReplicaSet: %w", err)
	}
	set := &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: d.Namespace, Name: d.Name + "-" + hash, OwnerReferences: []metav1.OwnerReference{controllerRef(d)},
			Labels: with(d.Spec.Template.Labels, appsv1.DefaultDeploymentUniqueLabelKey, hash), Annotations: map[string]string{},
		},
		Spec: appsv1.ReplicaSetSpec{
			Replicas: new(int32(size)), MinReadySeconds: d.Spec.MinReadySeconds, Selector: d.Spec.Selector.DeepCopy(), Template: *d.Spec.Template.DeepCopy(),
		},
	}
	set.Spec.Selector.MatchLabels = with(set.Spec.Selector.MatchLabels, appsv1.DefaultDeploymentUniqueLabelKey, hash)
	set.Spec.Template.Labels = with(set.Spec.Template.Labels, appsv1.DefaultDeploymentUniqueLabelKey, hash)
	takeOver(set, d, r.state.NextRevision())
	noteSize(set, r.state.Size())
	return set, nil
}

// keepRevision makes sure that the ReplicaSet of the template has the newest revision: an undo
// gives an old set a new number. It also takes over what may change without a new set.
func (c *Controller) keepRevision(r *rollout) error {
	next := r.current.DeepCopy()
	takeOver(next, r.deployment, r.state.NextRevision())
	next.Spec.MinReadySeconds = r.deployment.Spec.MinReadySeconds
	if !equality.Semantic.DeepEqual(next, r.current) {
		updated, err := registry.Update(c.registry, next)
		if err != nil {
			return fmt.Errorf("cannot update ReplicaSet %s: %w", next.Name, err)
		}
		r.current, r.sets[next.Name], r.state.New = updated, updated, new(stateOf(updated))
	}
	return c.showRevision(r)
}

// takeOver copies the Deployment's annotations to its set and gives that a revision, unless it has
// a newer one.
func takeOver(set *appsv1.ReplicaSet, d *appsv1.Deployment, revision int64) {
	if set.Annotations == nil {
		set.Annotations = map[string]string{}
	}
	own := ofEachSet()
	for name, value := range d.Annotations {
		if !slices.Contains(own, name) {
			set.Annotations[name] = value
		}
	}
	before := revisionOf(set)
	if before >= revision {
		return
	}
	set.Annotations[annotationRevision] = strconv.FormatInt(revision, 10)
	if before > 0 {
		history := append(strings.FieldsFunc(set.Annotations[annotationHistory], func(r rune) bool { return r == ',' }), strconv.FormatInt(before, 10))
		set.Annotations[annotationHistory] = strings.Join(history, ",")
	}
}

// showRevision shows the current set's revision on the Deployment.
func (c *Controller) showRevision(r *rollout) error {
	revision := r.current.Annotations[annotationRevision]
	if r.deployment.Annotations[annotationRevision] == revision {
		return nil
	}
	next := r.deployment.DeepCopy()
	next.Annotations = maps.Clone(next.Annotations)
	if next.Annotations == nil {
		next.Annotations = map[string]string{}
	}
	next.Annotations[annotationRevision] = revision
	updated, err := registry.Update(c.registry, next)
	if err != nil {
		return fmt.Errorf("cannot write the revision: %w", err)
	}
	r.deployment = updated
	return nil
}

// revisionOf is 0 for a set without a revision.
func revisionOf(set *appsv1.ReplicaSet) int64 {
	n, err := strconv.ParseInt(set.Annotations[annotationRevision], 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func noteSize(set *appsv1.ReplicaSet, size workload.DeploymentSize) {
	if set.Annotations == nil {
		set.Annotations = map[string]string{}
	}
	set.Annotations[annotationDesired] = strconv.Itoa(size.Desired)
	set.Annotations[annotationMax] = strconv.Itoa(size.Max)
}

// notedSize is nil if the set was not sized by a Deployment.
func notedSize(set *appsv1.ReplicaSet) *workload.DeploymentSize {
	desired, err := strconv.Atoi(set.Annotations[annotationDesired])
	if err != nil {
		return nil
	}
	limit, err := strconv.Atoi(set.Annotations[annotationMax])
	if err != nil {
		return nil
	}
	return &workload.DeploymentSize{Desired: desired, Max: limit}
}
