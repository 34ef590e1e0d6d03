package system

import (
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/registry"
	"github.com/probity-run/probity/internal/store"
)

// waitingPod is a Pod that is created later, and how.
type waitingPod struct {
	*corev1.Pod
	options registry.WriteOptions
}

// create makes an object that is not there. The Pod that waits is made in the place of one that is
// the same to its manifest: somebody has asked for its probes.
func (a *applier) create(ref manifest.Ref, before, desired *wish) (verb string, err error) {
	if err := ensureNamespace(a.registry, desired.object.GetNamespace()); err != nil {
		return "", err
	}
	next, options := desired.noted(), registry.WriteOptions{}
	if a.waitsFor(ref, before, desired) {
		next, options = a.waiting[ref].Pod, a.waiting[ref].options
	}
	_, err = a.registry.CreateObject(next, options)
	if full, ok := errors.AsType[*tooManyPods](err); ok {
		a.wait(ref, waitingPod{next.(*corev1.Pod), options})
		return verbWaits + full.Error(), nil
	}
	if err != nil {
		return "", err
	}
	a.dropOne(ref) // it would come again when this one is deleted
	return verbCreated, nil
}

// replace ends a bare Pod that its manifest wants otherwise; resume starts the other one.
func (a *applier) replace(ref manifest.Ref, live *corev1.Pod, before, desired *wish) (verb string, err error) {
	if live.DeletionTimestamp == nil || !a.waitsFor(ref, before, desired) {
		a.wait(ref, waitingPod{Pod: desired.noted().(*corev1.Pod)}) // before it is deleted, so that asked tells of it in time
	}
	err = store.Delete[*corev1.Pod](a.store, live.Namespace, live.Name, store.DeleteOptions{UID: live.UID})
	return verbReplaced, ignoreNotFound(err) // it may have gone just now
}

// waitsFor reports whether the Pod that waits is that of the same manifest, and so is to stay what
// it is: its probes may be those that somebody has asked for since. before is what its source said
// last, for a Pod that does not carry it.
func (a *applier) waitsFor(ref manifest.Ref, before, desired *wish) bool {
	pod, waits := a.waiting[ref]
	if !waits {
		return false
	}
	if noted, err := lastApplied(pod.Pod, desired); err == nil && noted != nil {
		before = noted
	}
	return before != nil && before.same(desired)
}

// errEnding refuses to replace a Pod that others have ended: what they want instead of it, what was
// read of it does not say.
var errEnding = errors.New("it is ending already; wait for the one that takes its place, and change that")

// replaceBy deletes a Pod, as it is, and has resume start another one of its name. One that could
// not be made is refused, and the Pod stays.
func (a *applier) replaceBy(live, next *corev1.Pod, options registry.WriteOptions) error {
	ref := manifest.Object{Resource: next}.Ref()
	now, err := store.Get[*corev1.Pod](a.store, live.Namespace, live.Name)
	if err != nil {
		return err
	}
	if _, waits := a.waiting[ref]; waits || now.DeletionTimestamp != nil {
		return errEnding
	}
	if err := a.check(next, options); err != nil {
		return err
	}
	a.wait(ref, waitingPod{next, options})
	err = store.Delete[*corev1.Pod](a.store, live.Namespace, live.Name, store.DeleteOptions{UID: live.UID})
	if err != nil {
		a.dropOne(ref)
	}
	return err
}

// check refuses a Pod that could not be made if the one of its name were gone, which may also have
// the last place.
func (a *applier) check(next *corev1.Pod, options registry.WriteOptions) error {
	options.DryRun = true
	_, err := a.registry.CreateObject(next, options)
	if _, full := errors.AsType[*tooManyPods](err); full || apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// resume starts the Pods whose predecessors are gone, as far as there is a place for them.
func (a *applier) resume() error {
	var errs []error
	for ref, pod := range a.waiting {
		if _, err := a.store.GetObject(pod.Pod); !apierrors.IsNotFound(err) {
			continue
		}
		_, err := a.registry.CreateObject(pod.Pod, pod.options)
		if _, full := errors.AsType[*tooManyPods](err); full {
			break
		}
		a.dropOne(ref)
		if err != nil {
			errs = append(errs, fmt.Errorf("cannot create %s: %w", ref, err))
		}
	}
	return errors.Join(errs...)
}

// wait has resume start a Pod.
func (a *applier) wait(ref manifest.Ref, pod waitingPod) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.waiting[ref] = pod
}

// waits reports whether a Pod waits. It is safe for concurrent use.
func (a *applier) waits(ref manifest.Ref) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, waits := a.waiting[ref]
	return waits
}

// dropOne has resume start one Pod less.
func (a *applier) dropOne(ref manifest.Ref) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.waiting, ref)
}

// dropWaiting has resume start nothing.
func (a *applier) dropWaiting() {
	a.mu.Lock()
	defer a.mu.Unlock()
	clear(a.waiting)
}
