package system

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/registry"
	"github.com/probity-run/probity/internal/store"
)

// applier brings the store to what manifests say, like kubectl apply with --prune: what a manifest
// did not change is left as it is, also if others have changed it meanwhile (a scale, a restart).
// It belongs to one goroutine.
type applier struct {
	registry *registry.Registry
	store    *store.Store
	// by source: what its manifests asked for last
	applied map[string]map[manifest.Ref]store.Object
	// bare Pods that start when their predecessors are gone, or when there is a place for them
	waiting map[manifest.Ref]*corev1.Pod
}

func newApplier(r *registry.Registry, objects *store.Store) *applier {
	return &applier{registry: r, store: objects, applied: map[string]map[manifest.Ref]store.Object{}, waiting: map[manifest.Ref]*corev1.Pod{}}
}

// The words of kubectl apply for what became of an object.
const (
	verbCreated    = "created"
	verbConfigured = "configured"
	verbUnchanged  = "unchanged"
	verbPruned     = "pruned"
	verbReplaced   = "replaced" // a Pod cannot be changed: another one starts when it is gone
	verbWaits      = "waits for a place: "
)

// apply makes the objects of a source, which is a set of files, and takes away those that the
// source does not ask for any more; without prune those stay until the next time. It returns a line
// for each. Services come first: what starts a program tells it their addresses.
func (a *applier) apply(source string, m *manifests, prune bool) (lines []string, err error) {
	before, now := a.applied[source], map[manifest.Ref]store.Object{}
	var errs []error
	say := func(ref manifest.Ref, verb string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("cannot apply %s: %w", ref, err))
			return
		}
		lines = append(lines, strings.ToLower(ref.Kind)+"/"+ref.Name+" "+verb)
	}
	for _, object := range servicesFirst(m.set.Objects) {
		desired, err := desired(object)
		if err != nil {
			return lines, err
		}
		now[object.Ref()] = desired
		verb, err := a.applyOne(object, a.lastWish(source, object.Ref()), desired)
		say(object.Ref(), verb, err)
	}
	for _, ref := range slices.SortedFunc(maps.Keys(before), func(x, y manifest.Ref) int { return strings.Compare(x.String(), y.String()) }) {
		if _, still := now[ref]; still {
			continue
		}
		if prune {
			delete(a.waiting, ref)
			say(ref, verbPruned, ignoreNotFound(a.store.DeleteObject(before[ref], store.DeleteOptions{})))
		} else {
			now[ref] = before[ref]
		}
	}
	a.applied[source] = now
	return lines, errors.Join(errs...)
}

// servicesFirst are objects in the order in which they are made.
func servicesFirst(objects []manifest.Object) []manifest.Object {
	rank := func(o manifest.Object) int {
		if _, ok := o.Resource.(*corev1.Service); ok {
			return 0
		}
		return 1
	}
	return slices.SortedStableFunc(slices.Values(objects), func(a, b manifest.Object) int { return rank(a) - rank(b) })
}

// lastWish is what the manifests of a source asked for last about an object, or else those of
// another source, as of all the files of a run when one of them is applied. It is nil if there was
// no wish.
func (a *applier) lastWish(source string, ref manifest.Ref) store.Object {
	if wish := a.applied[source][ref]; wish != nil {
		return wish
	}
	for _, other := range slices.Sorted(maps.Keys(a.applied)) {
		if wish := a.applied[other][ref]; wish != nil {
			return wish
		}
	}
	return nil
}

// applyOne makes one object, or changes the one there is where the manifest was changed.
func (a *applier) applyOne(object manifest.Object, before, desired store.Object) (verb string, err error) {
	live, err := a.store.GetObject(desired)
	switch {
	case apierrors.IsNotFound(err):
		_, err := registry.Create(a.registry, desired)
		if full, ok := errors.AsType[*tooManyPods](err); ok {
			a.waiting[object.Ref()] = desired.(*corev1.Pod)
			return verbWaits + full.Error(), nil
		}
		return verbCreated, err
	case err != nil:
		return "", err
	}
	if pod, ok := desired.(*corev1.Pod); ok {
		return a.replace(object.Ref(), live.(*corev1.Pod), before, pod)
	}
	if before != nil && sameWish(before, desired) {
		return verbUnchanged, nil
	}
	next := merge(live, before, desired, object.Has("spec.replicas"))
	updated, err := registry.Update(a.registry, next)
	if err != nil {
		return "", err
	}
	if updated.GetResourceVersion() == live.GetResourceVersion() {
		return verbUnchanged, nil
	}
	return verbConfigured, nil
}

// replace ends a bare Pod that its manifest wants otherwise; resume starts the other one.
func (a *applier) replace(ref manifest.Ref, live *corev1.Pod, before store.Object, desired *corev1.Pod) (verb string, err error) {
	if live.DeletionTimestamp == nil && before != nil && sameWish(before, desired) {
		return verbUnchanged, nil
	}
	a.waiting[ref] = desired
	return verbReplaced, store.Delete[*corev1.Pod](a.store, live.Namespace, live.Name, store.DeleteOptions{UID: live.UID})
}

// resume starts the Pods whose predecessors are gone, as far as there is a place for them.
func (a *applier) resume() error {
	var errs []error
	for ref, pod := range a.waiting {
		if _, err := a.store.GetObject(pod); !apierrors.IsNotFound(err) {
			continue
		}
		_, err := registry.Create(a.registry, pod)
		if _, full := errors.AsType[*tooManyPods](err); full {
			break
		}
		delete(a.waiting, ref)
		if err != nil {
			errs = append(errs, fmt.Errorf("cannot create %s: %w", ref, err))
		}
	}
	return errors.Join(errs...)
}

// sameWish reports whether two manifests want the same of an object.
func sameWish(a, b store.Object) bool { return equality.Semantic.DeepEqual(a, b) }

// merge is the live object with what changed from one manifest to the next. Labels and annotations
// of others stay, and so do the replicas if the manifest does not say how many.
func merge(live, before, desired store.Object, saysReplicas bool) store.Object {
	next := desired.DeepCopyObject().(store.Object)
	next.SetResourceVersion(live.GetResourceVersion())
	next.SetUID(live.GetUID())
	next.SetFinalizers(live.GetFinalizers())
	next.SetOwnerReferences(live.GetOwnerReferences())
	var labels, annotations map[string]string
	if before != nil {
		labels, annotations = before.GetLabels(), before.GetAnnotations()
	}
	next.SetLabels(mergeMap(live.GetLabels(), labels, desired.GetLabels()))
	next.SetAnnotations(mergeMap(live.GetAnnotations(), annotations, desired.GetAnnotations()))
	from, to := reflect.ValueOf(live).Elem(), reflect.ValueOf(next).Elem()
	if status := to.FieldByName("Status"); status.IsValid() {
		status.Set(from.FieldByName("Status"))
	}
	if spec := to.FieldByName("Spec"); spec.IsValid() && !saysReplicas && spec.FieldByName("Replicas").IsValid() {
		spec.FieldByName("Replicas").Set(from.FieldByName("Spec").FieldByName("Replicas"))
	}
	return next
}

// mergeMap is live without what only before had, and with what desired has.
func mergeMap(live, before, desired map[string]string) map[string]string {
	merged := maps.Clone(live)
	maps.DeleteFunc(merged, func(key, _ string) bool { _, ours := before[key]; return ours })
	if merged == nil {
		merged = map[string]string{}
	}
	maps.Copy(merged, desired)
	return merged
}

func ignoreNotFound(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
