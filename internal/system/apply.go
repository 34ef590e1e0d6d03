package system

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/validation"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/registry"
	"github.com/probity-run/probity/internal/store"
)

// applier brings the store to what manifests say, like kubectl apply with --prune: what a manifest
// did not change is left as it is, also if others have changed it meanwhile (a scale, a restart).
// It notes on each object what the manifest says of it, as kubectl does, so that both can go on
// where the other one left off. It belongs to one goroutine.
type applier struct {
	registry *registry.Registry
	store    *store.Store
	// served is called when the Services are made and the Pods are not, so that these find in their
	// environment where those are served
	served func()
	places places

	mu sync.Mutex // held by that goroutine to change the fields below, by others to read them
	// by source: what its manifests asked for last
	applied map[string]map[manifest.Ref]*wish
	// bare Pods that start when their predecessors are gone, or when there is a place for them
	waiting map[manifest.Ref]waitingPod
}

// wish is what a manifest asks for.
type wish struct {
	// object is all of it, with defaults, and configuration what was written, as kubectl notes it.
	object        store.Object
	configuration string
}

func newApplier(r *registry.Registry, objects *store.Store) *applier {
	return &applier{registry: r, store: objects, served: func() {}, applied: map[string]map[manifest.Ref]*wish{}, waiting: map[manifest.Ref]waitingPod{}}
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
// for each. Services come first: programs are to find all of them.
func (a *applier) apply(source string, m *manifests, prune bool) (lines []string, err error) {
	a.places.note(m.set.Objects)
	before, now := a.applied[source], map[manifest.Ref]*wish{}
	var errs []error
	say := func(ref manifest.Ref, verb string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("cannot apply %s: %w", ref, err))
			return
		}
		lines = append(lines, strings.ToLower(ref.Kind)+"/"+ref.Name+" "+verb)
	}
	isService := func(o manifest.Object) bool { return o.Ref().Kind == "Service" }
	verbs := make([]string, len(m.set.Objects))
	for _, services := range []bool{true, false} {
		for i, object := range m.set.Objects {
			if isService(object) != services {
				continue
			}
			desired, err := desired(object)
			if err != nil {
				return lines, err
			}
			ref := object.Ref()
			now[ref] = desired
			if verbs[i], err = a.applyOne(ref, before[ref], desired); err != nil {
				say(ref, "", err)
				verbs[i] = ""
				// The next one goes on from what was applied, not from what was refused.
				if now[ref] = before[ref]; now[ref] == nil {
					delete(now, ref)
				}
			}
		}
		if services {
			a.served()
		}
	}
	for i, object := range m.set.Objects { // in the order of the files
		if verbs[i] != "" {
			say(object.Ref(), verbs[i], nil)
		}
	}
	for _, ref := range a.note(source, now, prune) {
		_, _, err := a.store.DeleteObject(before[ref].object, store.DeleteOptions{})
		say(ref, verbPruned, ignoreNotFound(err))
	}
	return lines, errors.Join(errs...)
}

// note notes what a source asks for now, and returns what it does not ask for any more. Without
// prune it is as if it still did.
func (a *applier) note(source string, now map[manifest.Ref]*wish, prune bool) (gone []manifest.Ref) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for ref, wish := range a.applied[source] {
		if _, still := now[ref]; still {
			continue
		}
		if !prune {
			now[ref] = wish
			continue
		}
		delete(a.waiting, ref)
		gone = append(gone, ref)
	}
	a.applied[source] = now
	slices.SortFunc(gone, func(x, y manifest.Ref) int { return strings.Compare(x.String(), y.String()) })
	return gone
}

// applyOne makes one object, or changes the one there is where the manifest was changed.
func (a *applier) applyOne(ref manifest.Ref, before, desired *wish) (verb string, err error) {
	live, err := a.store.GetObject(desired.object)
	switch {
	case apierrors.IsNotFound(err):
		return a.create(ref, before, desired)
	case err != nil:
		return "", err
	}
	if before == nil {
		if before, err = lastApplied(live, desired); err != nil {
			return "", err
		}
	}
	if pod, ok := live.(*corev1.Pod); ok && (pod.DeletionTimestamp != nil || before == nil || !before.same(desired)) {
		return a.replace(ref, pod, before, desired)
	}
	if before != nil && before.same(desired) && before.configuration == desired.configuration {
		return verbUnchanged, nil
	}
	next, err := merge(live, before, desired)
	if err != nil {
		return "", err
	}
	updated, err := a.registry.UpdateObject(next, registry.WriteOptions{Manager: registry.Manager})
	if err != nil {
		return "", err
	}
	if updated.GetResourceVersion() == live.GetResourceVersion() {
		return verbUnchanged, nil
	}
	return verbConfigured, nil
}

// askedPod is a Pod that the manifests ask for. If it waits, one of its name in the store is
// another one, which it replaces.
type askedPod struct {
	pod   *corev1.Pod
	waits bool
}

// asked lists the Pods that the manifests ask for, by their names. It is safe for concurrent use.
func (a *applier) asked() (pods []askedPod) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, wishes := range a.applied {
		for ref, wish := range wishes {
			if pod, ok := wish.object.(*corev1.Pod); ok {
				_, waits := a.waiting[ref]
				pods = append(pods, askedPod{pod, waits})
			}
		}
	}
	slices.SortFunc(pods, func(x, y askedPod) int { return strings.Compare(podKey(x.pod), podKey(y.pod)) })
	return slices.CompactFunc(pods, func(x, y askedPod) bool { return podKey(x.pod) == podKey(y.pod) }) // of several sources
}

func podKey(pod *corev1.Pod) string { return pod.Namespace + "/" + pod.Name }

// same reports whether two manifests want the same of an object, however they say it.
func (w *wish) same(other *wish) bool { return equality.Semantic.DeepEqual(w.object, other.object) }

// noted is the object that is wanted, and on it what its manifest says.
func (w *wish) noted() store.Object {
	object := w.object.DeepCopyObject().(store.Object)
	w.note(object)
	return object
}

// note writes what the manifest says on an object, unless that is more than an API server takes of
// annotations: a large ConfigMap would be refused for its note alone. What was applied is known
// here all the same; who applies another source then finds nothing, as after kubectl create.
func (w *wish) note(object store.Object) {
	annotate(object, corev1.LastAppliedConfigAnnotation, w.configuration)
	annotations := object.GetAnnotations()
	if validation.ValidateAnnotationsSize(annotations) != nil {
		delete(annotations, corev1.LastAppliedConfigAnnotation)
	}
}

// lastApplied is what was applied last of a live object, by manifests of another source or by
// kubectl. It is nil if nothing was.
func lastApplied(live store.Object, desired *wish) (*wish, error) {
	configuration := live.GetAnnotations()[corev1.LastAppliedConfigAnnotation]
	if configuration == "" {
		return nil, nil
	}
	object, err := manifest.DecodeConfiguration(configuration, live)
	if err != nil {
		return nil, err
	}
	manifest.Default(object)
	object.GetObjectKind().SetGroupVersionKind(live.GetObjectKind().GroupVersionKind())
	annotate(object, manifest.AnnotationManifest, desired.object.GetAnnotations()[manifest.AnnotationManifest])
	return &wish{object, configuration}, nil
}

// merge is the live object with what changed from one manifest to the next.
func merge(live store.Object, before, desired *wish) (store.Object, error) {
	var from manifest.Resource
	if before != nil {
		var err error
		if from, err = manifest.DecodeConfiguration(before.configuration, live); err != nil {
			return nil, err
		}
	}
	to, err := manifest.DecodeConfiguration(desired.configuration, live)
	if err != nil {
		return nil, err
	}
	next := manifest.Merge(live, from, to).(store.Object)
	annotate(next, manifest.AnnotationManifest, desired.object.GetAnnotations()[manifest.AnnotationManifest])
	desired.note(next)
	return next, nil
}

func ignoreNotFound(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
