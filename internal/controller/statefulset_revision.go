package controller

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/probity-run/probity/internal/registry"
	"github.com/probity-run/probity/internal/store"
	"github.com/probity-run/probity/internal/workload"
)

// labelRevisionHash tells the revisions of a StatefulSet apart.
const labelRevisionHash = "controller.kubernetes.io/hash"

// revisions are the templates that a StatefulSet had, the oldest first, as ControllerRevisions: the
// Pods below a partition keep an old one.
type revisions struct {
	all             []*appsv1.ControllerRevision
	current, update *appsv1.ControllerRevision
	collisions      *int32
}

// revisionData is what a ControllerRevision holds: a patch that brings the template back, as
// Kubernetes writes it and kubectl applies it for an undo.
type revisionData struct {
	Spec revisionSpec `json:"spec"`
}

type revisionSpec struct {
	Template revisionTemplate `json:"template"`
}

type revisionTemplate struct {
	Patch string `json:"$patch"`
	corev1.PodTemplateSpec
}

// revisionsOf finds or makes the revision of a set's template, and finds the one before the update
// that is under way.
func (c *Controller) revisionsOf(set *appsv1.StatefulSet) (*revisions, error) {
	all, err := claim(c, set, set.Spec.Selector, func(*appsv1.ControllerRevision) bool { return true })
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b *appsv1.ControllerRevision) int {
		return cmp.Or(cmp.Compare(a.Revision, b.Revision), cmp.Compare(a.Name, b.Name))
	})
	r := &revisions{all: all, collisions: set.Status.CollisionCount}
	if err := c.findUpdate(set, r); err != nil {
		return nil, fmt.Errorf("cannot keep the revision of the template: %w", err)
	}
	r.current = r.update
	if i := slices.IndexFunc(r.all, func(o *appsv1.ControllerRevision) bool { return o.Name == set.Status.CurrentRevision }); i >= 0 {
		r.current = r.all[i]
	}
	return r, nil
}

// findUpdate finds the revision of the template as it is now. An old one, as after an undo, becomes
// the newest.
func (c *Controller) findUpdate(set *appsv1.StatefulSet, r *revisions) error {
	data, err := json.Marshal(revisionData{revisionSpec{revisionTemplate{"replace", set.Spec.Template}}})
	if err != nil {
		return err
	}
	number := int64(1)
	if len(r.all) > 0 {
		number = r.all[len(r.all)-1].Revision + 1
	}
	for i, revision := range slices.Backward(r.all) {
		if string(revision.Data.Raw) != string(data) {
			continue
		}
		r.update = revision
		if i == len(r.all)-1 {
			return nil
		}
		next := revision.DeepCopy()
		next.Revision = number
		r.update, err = registry.Update(c.registry, next)
		r.all[i] = r.update
		return err
	}
	return c.createRevision(set, r, number, data)
}

func (c *Controller) createRevision(set *appsv1.StatefulSet, r *revisions, number int64, data []byte) error {
	for {
		hash, err := templateHash(&set.Spec.Template, r.collisions)
		if err != nil {
			return err
		}
		created, err := registry.Create(c.registry, &appsv1.ControllerRevision{
			ObjectMeta: metav1.ObjectMeta{
				Namespace: set.Namespace, Name: set.Name + "-" + hash, OwnerReferences: []metav1.OwnerReference{controllerRef(set)},
				Labels: with(set.Spec.Template.Labels, labelRevisionHash, hash),
			},
			Data: runtime.RawExtension{Raw: data}, Revision: number,
		})
		if apierrors.IsAlreadyExists(err) {
			collisions := int32(1)
			if r.collisions != nil {
				collisions += *r.collisions
			}
			r.collisions = &collisions
			continue
		}
		r.update, r.all = created, append(r.all, created)
		return err
	}
}

// template is the Pod template of a revision.
func (r *revisions) template(name string) (*corev1.PodTemplateSpec, error) {
	i := slices.IndexFunc(r.all, func(o *appsv1.ControllerRevision) bool { return o.Name == name })
	if i < 0 {
		return nil, fmt.Errorf("cannot find ControllerRevision %s, which somebody has deleted", name)
	}
	var data revisionData
	if err := json.Unmarshal(r.all[i].Data.Raw, &data); err != nil {
		return nil, fmt.Errorf("cannot read ControllerRevision %s: %w", name, err)
	}
	return &data.Spec.Template.PodTemplateSpec, nil
}

// truncateHistory deletes the oldest revisions beyond the limit that no Pod has.
func (c *Controller) truncateHistory(set *appsv1.StatefulSet, pods []*corev1.Pod, r *revisions) error {
	live := map[string]bool{r.current.Name: true, r.update.Name: true}
	for _, pod := range pods {
		live[workload.RevisionOf(pod)] = true
	}
	old := filter(r.all, func(o *appsv1.ControllerRevision) bool { return !live[o.Name] })
	limit := 10 // R205
	if set.Spec.RevisionHistoryLimit != nil {
		limit = int(*set.Spec.RevisionHistoryLimit)
	}
	var errs []error
	for _, revision := range old[:max(len(old)-limit, 0)] {
		err := store.Delete[*appsv1.ControllerRevision](c.store, revision.Namespace, revision.Name, store.DeleteOptions{UID: revision.UID})
		errs = append(errs, ifThere(err))
	}
	return errors.Join(errs...)
}
