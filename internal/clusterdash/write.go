package clusterdash

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/strategicpatch"

	"github.com/probity-run/probity/internal/apiserver"
	"github.com/probity-run/probity/internal/dashboard"
	"github.com/probity-run/probity/internal/kube"
	"github.com/probity-run/probity/internal/store"
)

const (
	// writeTries is how often a change is tried when others write the same object meanwhile, such
	// as a controller its status.
	writeTries = 5
	// mirrorTime is how long a change is waited for to be seen by the watch.
	mirrorTime = 3 * time.Second
)

// Apply implements [dashboard.Writer]: a server-side apply to what was read just now. Conflicts
// are found here before, because an apply takes away nothing that others own: if something of that
// has to go, a patch takes it away in the same step as it brings the rest, and the apply that
// follows makes the fields those of the dashboard.
func (v *view) Apply(ctx context.Context, like store.Object, change func(store.Object) (dashboard.Wanted, error), force bool) (store.Object, error) {
	for try := 1; ; try++ {
		updated, err := v.apply(ctx, like, change, force)
		if !isOvertaken(err) || try == writeTries {
			if err == nil {
				v.await(ctx, updated)
			}
			return updated, err
		}
	}
}

// isOvertaken reports whether a write was refused because the object was written meanwhile.
func isOvertaken(err error) bool {
	return apierrors.IsConflict(err) && !apierrors.HasStatusCause(err, metav1.CauseTypeFieldManagerConflict)
}

func (v *view) apply(ctx context.Context, like store.Object, change func(store.Object) (dashboard.Wanted, error), force bool) (store.Object, error) {
	kind := like.GetObjectKind().GroupVersionKind()
	at := kube.RefTo(like)
	live := empty(like)
	if err := v.client.Get(ctx, at, live); err != nil {
		return nil, err
	}
	live.GetObjectKind().SetGroupVersionKind(kind)
	wanted, err := change(live.DeepCopyObject().(store.Object))
	if err != nil {
		return nil, err
	}
	plan, err := v.fields.Plan(live, wanted.Object, wanted.Written, dashboard.Manager, force)
	if err != nil {
		return nil, err
	}
	plan.Applied.SetResourceVersion(live.GetResourceVersion())
	if plan.TakesAway {
		if err := v.takeAway(ctx, at, live, plan); err != nil {
			return nil, err
		}
		force = true // it is changed, whoever writes the object from now on
		plan.Applied.SetResourceVersion("")
	}
	return v.send(ctx, at, plan.Applied, force, like)
}

// takeAway makes an object what it shall be by a patch, if it is still as it was read.
func (v *view) takeAway(ctx context.Context, at kube.Ref, live store.Object, plan apiserver.Plan) error {
	patch, err := patchBetween(live, plan.Object)
	if err != nil {
		return err
	}
	return v.client.PatchAs(ctx, at, dashboard.Manager, types.StrategicMergePatchType, patch, nil)
}

// patchBetween is the strategic merge patch from one object to another, for the version of the
// first one alone.
func patchBetween(from, to store.Object) ([]byte, error) {
	text := func(o store.Object) ([]byte, error) {
		o = o.DeepCopyObject().(store.Object)
		o.SetManagedFields(nil)
		o.SetResourceVersion("")
		return json.Marshal(o)
	}
	before, err := text(from)
	if err != nil {
		return nil, err
	}
	after, err := text(to)
	if err != nil {
		return nil, err
	}
	patch, err := strategicpatch.CreateTwoWayMergePatch(before, after, from)
	if err != nil {
		return nil, err
	}
	var tree map[string]any
	if err := json.Unmarshal(patch, &tree); err != nil {
		return nil, err
	}
	delete(tree, "status")
	o := &unstructured.Unstructured{Object: tree}
	o.SetResourceVersion(from.GetResourceVersion())
	return json.Marshal(tree)
}

// send applies an object and returns what it became, of the type of like.
func (v *view) send(ctx context.Context, at kube.Ref, applied *unstructured.Unstructured, force bool, like store.Object) (store.Object, error) {
	body, err := json.Marshal(applied.Object)
	if err != nil {
		return nil, err
	}
	result, err := v.client.Apply(ctx, at, body, kube.ApplyOptions{Manager: dashboard.Manager, Force: force})
	if err != nil {
		return nil, err
	}
	updated := empty(like)
	return updated, runtime.DefaultUnstructuredConverter.FromUnstructured(result.Object.Object, updated)
}

// await waits until the watch has seen a change: who follows a rollout is not to be told that it is
// over because it has not begun. It gives up after a while.
func (v *view) await(ctx context.Context, updated store.Object) {
	limit, ticker := time.NewTimer(mirrorTime), time.NewTicker(20*time.Millisecond)
	defer limit.Stop()
	defer ticker.Stop()
	for {
		seen := v.Get(updated, updated.GetNamespace(), updated.GetName())
		if seen != nil && seen.GetGeneration() >= updated.GetGeneration() {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-limit.C:
			return
		case <-ticker.C:
		}
	}
}

// Create implements [dashboard.Writer]. What is there already is refused, and what the server would
// refuse, before anything is made.
func (v *view) Create(ctx context.Context, all ...dashboard.Wanted) (made []store.Object, err error) {
	var bodies []*unstructured.Unstructured
	for _, w := range all {
		o, err := written(w)
		if err == nil {
			err = v.try(ctx, w.Object, o)
		}
		if err != nil {
			return nil, err
		}
		bodies = append(bodies, o)
	}
	for i, w := range all {
		created, err := v.send(ctx, kube.RefTo(w.Object), bodies[i], false, w.Object)
		if err != nil {
			return made, err
		}
		v.await(ctx, created)
		made = append(made, created)
	}
	return made, nil
}

// written is an object as it is applied to be made.
func written(w dashboard.Wanted) (*unstructured.Unstructured, error) {
	text, err := json.Marshal(w.Written)
	if err != nil {
		return nil, err
	}
	o := &unstructured.Unstructured{}
	if err := json.Unmarshal(text, &o.Object); err != nil {
		return nil, err
	}
	o.SetGroupVersionKind(w.Object.GetObjectKind().GroupVersionKind())
	o.SetNamespace(w.Object.GetNamespace())
	o.SetName(w.Object.GetName())
	return o, nil
}

// try reports why an object could not be made.
func (v *view) try(ctx context.Context, like store.Object, o *unstructured.Unstructured) error {
	at := kube.RefTo(like)
	switch err := v.client.Get(ctx, at, empty(like)); {
	case err == nil:
		return fmt.Errorf("%s is there already", at)
	case !apierrors.IsNotFound(err):
		return err
	}
	body, err := json.Marshal(o.Object)
	if err != nil {
		return err
	}
	_, err = v.client.Apply(ctx, at, body, kube.ApplyOptions{Manager: dashboard.Manager, DryRun: true})
	return err
}

// empty is an object of the type of another one.
func empty(like store.Object) store.Object {
	return reflect.New(reflect.TypeOf(like).Elem()).Interface().(store.Object)
}
