package apiserver

import (
	"fmt"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/typed"

	"github.com/probity-run/probity/internal/store"
)

// Change makes a change of an object a server-side apply: the manager comes to own what it changes,
// beside what it has applied before, and nothing else. current is the object as it is, nil if it is
// to be made; next is what it shall be, with its defaults; neither is modified. written is next as
// a person would write it: defaults that are not in there get no owner. The result is next with its
// managed fields, for [registry.WriteOptions].Applied.
//
// The error is the API's Conflict, with a cause for each field that is to be changed or taken away
// and belongs to somebody else, unless it is forced.
func (f *Fields) Change(current, next store.Object, written map[string]any, manager string, force bool) (store.Object, error) {
	plan, err := f.Plan(current, next, written, manager, force)
	return plan.Object, err
}

// Plan is how another API server is brought to make a change.
type Plan struct {
	// Object is what [Fields.Change] returns.
	Object store.Object
	// Applied is what the manager has to apply: what it changes, and what it has applied before.
	Applied *unstructured.Unstructured
	// TakesAway says that fields have to go that others own, which an apply leaves: an update has
	// to take them away before.
	TakesAway bool
}

// Plan plans the change that [Fields.Change] makes.
func (f *Fields) Plan(current, next store.Object, written map[string]any, manager string, force bool) (plan Plan, err error) {
	p := part{kind: next.GetObjectKind().GroupVersionKind()}
	m, err := f.manager(p)
	if err != nil {
		return plan, err
	}
	if current == nil {
		if current, err = f.empty(p.kind); err != nil {
			return plan, err
		}
	}
	current, next = current.DeepCopyObject().(store.Object), next.DeepCopyObject().(store.Object)
	current.GetObjectKind().SetGroupVersionKind(p.kind)
	if current, err = f.attributed(m, current); err != nil {
		return plan, err
	}
	if plan.Applied, err = f.configuration(current, next, written, manager); err != nil {
		return plan, err
	}
	merged, err := f.apply(p, current.DeepCopyObject().(store.Object), plan.Applied, manager, force)
	if err != nil {
		return plan, err
	}
	plan.Object, plan.TakesAway, err = f.takeAway(m, merged, next, manager, force)
	return plan, err
}

// configuration is what a manager applies so that an object becomes another one: what it has
// applied before, with what it changes now.
func (f *Fields) configuration(current, next store.Object, written map[string]any, manager string) (*unstructured.Unstructured, error) {
	converter, err := f.converter()
	if err != nil {
		return nil, err
	}
	to, changes, err := compare(converter, current, next)
	if err != nil {
		return nil, err
	}
	typedWritten, err := converter.ObjectToTyped(&unstructured.Unstructured{Object: written}, typed.AllowDuplicates)
	if err != nil {
		return nil, err
	}
	said, err := typedWritten.ToFieldSet()
	if err != nil {
		return nil, err
	}
	set := changes.Modified.Union(changes.Added.Intersection(said))
	for _, entry := range current.GetManagedFields() {
		if isApply(entry, manager) {
			owned, err := ownedBy(entry)
			if err != nil {
				return nil, err
			}
			set = set.Union(owned.Difference(changes.Removed))
		}
	}
	tree, ok := to.ExtractItems(set.Leaves(), typed.WithAppendKeyFields()).AsValue().Unstructured().(map[string]any)
	if !ok { // nothing is left of it
		tree = map[string]any{}
	}
	applied := &unstructured.Unstructured{Object: tree}
	applied.SetGroupVersionKind(next.GetObjectKind().GroupVersionKind())
	applied.SetName(next.GetName())
	applied.SetNamespace(next.GetNamespace())
	return applied, nil
}

// takeAway makes what was merged what it shall be: an apply leaves what others own, even if there
// is no place for it any more. The result is next; taken says that it was more than what an apply
// makes.
func (f *Fields) takeAway(m *managedfields.FieldManager, merged, next store.Object, manager string, force bool) (result store.Object, taken bool, err error) {
	converter, err := f.converter()
	if err != nil {
		return nil, false, err
	}
	_, rest, err := compare(converter, merged, next)
	if err != nil {
		return nil, false, err
	}
	next.SetManagedFields(merged.GetManagedFields())
	if rest.IsSame() {
		return next, false, nil
	}
	var causes []metav1.StatusCause
	for _, entry := range merged.GetManagedFields() {
		owned, err := ownedBy(entry)
		if err != nil {
			return nil, false, err
		}
		if force || isApply(entry, manager) {
			continue
		}
		for path := range rest.Removed.Leaves().Intersection(owned).All() {
			causes = append(causes, metav1.StatusCause{Type: metav1.CauseTypeFieldManagerConflict, Message: "conflict with " + strconv.Quote(entry.Manager), Field: path.String()})
		}
	}
	if len(causes) > 0 {
		return nil, false, apierrors.NewApplyConflict(causes, conflictMessage(causes))
	}
	updated, err := m.Update(merged, next, manager)
	if err != nil {
		return nil, false, err
	}
	return updated.(store.Object), true, nil
}

func conflictMessage(causes []metav1.StatusCause) string {
	word := "conflicts"
	if len(causes) == 1 {
		word = "conflict"
	}
	var said strings.Builder
	fmt.Fprintf(&said, "Apply failed with %d %s:", len(causes), word)
	for _, cause := range causes {
		said.WriteString("\n- " + cause.Message + ": " + cause.Field)
	}
	return said.String()
}

// isApply reports whether an entry is what a manager has applied.
func isApply(entry metav1.ManagedFieldsEntry, manager string) bool {
	return entry.Manager == manager && entry.Operation == metav1.ManagedFieldsOperationApply && entry.Subresource == ""
}

func ownedBy(entry metav1.ManagedFieldsEntry) (*fieldpath.Set, error) {
	set := &fieldpath.Set{}
	if entry.FieldsV1 == nil {
		return set, nil
	}
	return set, set.FromJSON(entry.FieldsV1.GetRawReader())
}

// compare compares two objects of a kind by what clients write of them.
func compare(converter managedfields.TypeConverter, from, to runtime.Object) (typedTo *typed.TypedValue, changes *typed.Comparison, err error) {
	bare := func(o runtime.Object) (*typed.TypedValue, error) {
		o = o.DeepCopyObject()
		o.(store.Object).SetManagedFields(nil)
		value, err := converter.ObjectToTyped(o, typed.AllowDuplicates)
		if err != nil {
			return nil, err
		}
		return value.RemoveItems(fieldpath.NewSet(fieldpath.MakePathOrDie("status"))), nil
	}
	typedFrom, err := bare(from)
	if err != nil {
		return nil, nil, err
	}
	if typedTo, err = bare(to); err != nil {
		return nil, nil, err
	}
	changes, err = typedFrom.Compare(typedTo)
	return typedTo, changes, err
}
