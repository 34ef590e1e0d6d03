package deploy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/probity-run/probity/internal/kube"
)

// Undo brings back what was before: what was created is deleted, what was configured gets the
// fields that were applied before. What holds data or other objects stays, and is told, and so does
// a Job that is complete. All is tried; the error joins what could not be undone, and matches
// [ErrNotKnown] if the server was lost.
func (d *Deployment) Undo(ctx context.Context) error {
	d.begun = d.options.Cluster.Now() // of what is restored
	var errs []error
	for _, e := range slices.Backward(d.Entries) {
		if err := d.undoOne(ctx, e); err != nil {
			if err = fmt.Errorf("cannot undo %s: %w", e.Object, err); meaningOf(err) == strange {
				err = fmt.Errorf("%w: %w", ErrNotKnown, err)
			}
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (d *Deployment) undoOne(ctx context.Context, e *Entry) error {
	switch {
	case e.Result == Created && spared(e.After) != "":
		d.report(Event{Kind: "undone", Object: e.Object, Text: "stays: " + spared(e.After)})
		return nil
	case e.Result == Created:
		return d.deleteAgain(ctx, e)
	case e.Result == Configured && e.Before == nil:
		d.report(Event{Kind: "undone", Object: e.Object, Text: "stays: it was there before, and how it was is not known"})
		return nil
	case e.Result == Configured:
		return d.restore(ctx, e)
	}
	return nil
}

// deleteAgain deletes what this deployment has created.
func (d *Deployment) deleteAgain(ctx context.Context, e *Entry) error {
	if e.kind().String() == "Job.batch" {
		live, err := d.read(ctx, e.At)
		if err != nil {
			return err
		}
		if live != nil && live.GetUID() == e.After.GetUID() && hasCondition(live.Object, "Complete") {
			d.report(Event{Kind: "undone", Object: e.Object, Text: "stays: it is complete, and what it has done stays done"})
			return nil
		}
	}
	uid, background := e.After.GetUID(), metav1.DeletePropagationBackground
	err := d.options.Cluster.Delete(ctx, e.At, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}, PropagationPolicy: &background})
	if err != nil && !isMissing(err) {
		return err
	}
	d.report(Event{Kind: "undone", Object: e.Object, Text: "deleted"})
	return nil
}

// restore applies what was applied before.
func (d *Deployment) restore(ctx context.Context, e *Entry) error {
	old, partly, err := restored(e.Before, e.After, Manager)
	if err != nil {
		return err
	}
	body, err := json.Marshal(old.Object)
	if err != nil {
		return err
	}
	answer, err := d.options.Cluster.Apply(ctx, e.At, body, kube.ApplyOptions{Manager: Manager, Force: true})
	if err != nil {
		return err
	}
	e.After, e.restored = answer.Object, true
	text := "restored"
	if partly {
		text += ", but for fields that others have taken since"
	}
	d.report(Event{Kind: "undone", Object: e.Object, Text: text})
	if e.GetKind() == "StatefulSet" {
		return d.unblock(ctx, e)
	}
	return nil
}

// unblock deletes the broken Pods of the revision that was undone. The controller of a StatefulSet
// does not: it waits until they are ready, which they never are.
func (d *Deployment) unblock(ctx context.Context, e *Entry) error {
	selector, _, _ := unstructured.NestedStringMap(e.After.Object, "spec", "selector", "matchLabels")
	if len(selector) == 0 {
		return nil
	}
	old, _, _ := unstructured.NestedString(e.Before.Object, "status", "updateRevision")
	var pods corev1.PodList
	options := metav1.ListOptions{LabelSelector: labels.SelectorFromSet(selector).String()}
	if err := d.options.Cluster.List(ctx, kube.Pods, e.GetNamespace(), options, &pods); err != nil {
		return err
	}
	var errs []error
	for _, pod := range pods.Items {
		if !blocks(&pod, e.After, old) {
			continue
		}
		at := kube.Ref{Kind: kube.Pods, Namespace: pod.Namespace, Name: pod.Name}
		err := d.options.Cluster.Delete(ctx, at, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &pod.UID}})
		if err != nil && !isMissing(err) {
			errs = append(errs, err)
			continue
		}
		d.report(Event{Kind: "undone", Object: e.Object, Text: "its Pod " + pod.Name + " is made anew: it would block the old revision"})
	}
	return errors.Join(errs...)
}

// blocks reports whether a Pod of a StatefulSet is not ready, and of another revision than the one
// that is wanted.
func blocks(pod *corev1.Pod, set metav1.Object, revision string) bool {
	ready := slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
	return metav1.IsControlledBy(pod, set) && pod.DeletionTimestamp == nil && !ready && pod.Labels["controller-revision-hash"] != revision
}
