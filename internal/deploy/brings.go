package deploy

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// accountTime is how long the controllers may take to make the ServiceAccount of a new namespace.
const accountTime = 10 * time.Second

// schemaTime is how long a server may take to know a field that a definition has just gained.
const schemaTime = 10 * time.Second

// brings reports whether the server refuses an object for want of what the set itself brings.
func (d *Deployment) brings(e *Entry, err error) bool {
	text := func(fields ...string) string {
		value, _, _ := unstructured.NestedString(e.Object.Object, fields...)
		return value
	}
	switch meaningOf(err) {
	case unchecked:
		role := schema.GroupKind{Group: "rbac.authorization.k8s.io", Kind: text("roleRef", "kind")}
		return d.makesPlaceFor(e) || d.contains(role, e.GetNamespace(), text("roleRef", "name"))
	case refusedByIt:
		account := strings.Contains(err.Error(), "error looking up service account")
		priority := strings.Contains(err.Error(), "no PriorityClass with name")
		return account && d.contains(schema.GroupKind{Kind: "ServiceAccount"}, e.GetNamespace(), text("spec", "serviceAccountName")) ||
			priority && d.contains(schema.GroupKind{Group: "scheduling.k8s.io", Kind: "PriorityClass"}, "", text("spec", "priorityClassName"))
	case badInput:
		return slices.ContainsFunc(d.Entries, func(by *Entry) bool {
			_, ok := definitions([]*Object{by.Object})[e.GroupVersionKind()]
			return ok && by.Expected() != Unchanged
		})
	}
	return false
}

// contains reports whether the set has an object, in a namespace if its kind has them.
func (d *Deployment) contains(kind schema.GroupKind, namespace, name string) bool {
	return slices.ContainsFunc(d.options.Objects, func(o *Object) bool {
		return o.kind() == kind && o.GetName() == name && (o.GetNamespace() == "" || o.GetNamespace() == namespace)
	})
}

// makesPlaceFor reports whether the set itself makes the namespace or the kind of an object.
func (d *Deployment) makesPlaceFor(e *Entry) bool {
	return d.definesKindOf(e) || d.contains(schema.GroupKind{Kind: "Namespace"}, "", e.GetNamespace())
}

// definesKindOf reports whether the set itself defines the kind of an object.
func (d *Deployment) definesKindOf(e *Entry) bool {
	_, ok := definitions(d.options.Objects)[e.GroupVersionKind()]
	return ok
}

// isEarly reports whether an object was refused because the server has not yet learnt of a kind
// that was just defined, or of its new fields, or has not yet made the account of a new namespace.
func (d *Deployment) isEarly(e *Entry, err error, since time.Duration) bool {
	meaning := meaningOf(err)
	if meaning == refusedByIt && e.unasked && strings.Contains(err.Error(), `serviceaccount "default" not found`) {
		return d.contains(schema.GroupKind{Kind: "Namespace"}, "", e.GetNamespace()) && since < accountTime
	}
	return d.definesKindOf(e) && (meaning == unchecked || meaning == badInput && e.unasked && since < schemaTime)
}

// leaveUnasked notes that the server cannot be asked what it would make of an object, and reads
// what there is of it.
func (d *Deployment) leaveUnasked(ctx context.Context, e *Entry) error {
	live, err := d.read(ctx, e.At)
	if err != nil {
		return explainRefusal(e.Object, err)
	}
	e.Before, e.unasked = live, true
	if err := d.mayTake(e); err != nil {
		return err
	}
	d.report(Event{Kind: "note", Object: e.Object, Text: "is not checked by the server: what it needs is made first"})
	return nil
}

// lookAgain reads what there is of an object that the server could not be asked about: somebody may
// have had it all the time. If it must not be applied, nothing of it is sent.
func (d *Deployment) lookAgain(ctx context.Context, e *Entry) error {
	if !e.unasked {
		return nil
	}
	live, err := d.read(ctx, e.At)
	if err != nil && meaningOf(err) == strange {
		return fmt.Errorf("%w: %s: %w", ErrNotKnown, e.Object, err)
	}
	if err != nil {
		e.Result = Refused
		return explainRefusal(e.Object, err)
	}
	e.Before = live
	if err := d.mayTake(e); err != nil {
		e.Result = Refused
		return err
	}
	return nil
}
