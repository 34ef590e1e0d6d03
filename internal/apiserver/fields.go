package apiserver

import (
	"fmt"
	"runtime/debug"
	"sync"

	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/probity-run/probity/internal/apiserver/openapi"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/registry"
	"github.com/probity-run/probity/internal/store"
)

// fieldOwners keeps metadata.managedFields: who set which field of an object. It is safe for
// concurrent use.
type fieldOwners struct {
	scheme *runtime.Scheme
	// converter is made by the first write, because its schemas take 40 ms to read.
	converter func() (managedfields.TypeConverter, error)

	mu       sync.Mutex // guards managers
	managers map[part]*managedfields.FieldManager
}

// part is what of a kind is written at a path.
type part struct {
	kind        schema.GroupVersionKind
	subresource string
}

func newFieldOwners(scheme *runtime.Scheme) *fieldOwners {
	return &fieldOwners{
		scheme: scheme, managers: map[part]*managedfields.FieldManager{},
		converter: sync.OnceValues(func() (managedfields.TypeConverter, error) {
			defer debug.FreeOSMemory() // of what the schemas were read into
			schemas, err := openapi.Schemas()
			if err != nil {
				return nil, err
			}
			return managedfields.NewTypeConverter(schemas, false)
		}),
	}
}

// update returns who owns which field after a write.
func (f *fieldOwners) update(w registry.FieldsWrite) ([]metav1.ManagedFieldsEntry, error) {
	if w.Version == eventsv1.SchemeGroupVersion {
		w.New = showEvent(w.New)
		if w.Old != nil {
			w.Old = showEvent(w.Old)
		}
	}
	kind := w.New.GetObjectKind().GroupVersionKind()
	m, err := f.manager(part{kind, w.Subresource})
	if err != nil {
		return nil, err
	}
	current := w.Old
	if current == nil {
		if current, err = f.empty(kind); err != nil {
			return nil, err
		}
	}
	if current, err = f.attributed(m, current); err != nil {
		return nil, err
	}
	next, err := m.Update(current, w.New.DeepCopyObject(), w.Manager)
	if err != nil {
		return nil, err
	}
	return next.(store.Object).GetManagedFields(), nil
}

// apply merges what a client wants an object to be into what it is (server-side apply). The error
// is the API's Conflict where that is somebody else's, and BadRequest where the client's object is
// none of the kind.
func (f *fieldOwners) apply(p part, current store.Object, applied runtime.Object, manager string, force bool) (store.Object, error) {
	m, err := f.manager(p)
	if err != nil {
		return nil, err
	}
	if current, err = f.attributed(m, current); err != nil {
		return nil, err
	}
	next, err := m.Apply(current, applied, manager, force)
	if err != nil {
		return nil, refused(err)
	}
	next.GetObjectKind().SetGroupVersionKind(p.kind)
	return next.(store.Object), nil
}

// check refuses an object that has not the fields of its kind.
func (f *fieldOwners) check(o *unstructured.Unstructured) error {
	converter, err := f.converter()
	if err != nil {
		return err
	}
	if _, err := converter.ObjectToTyped(o); err != nil {
		return badRequest(fmt.Sprintf("failed to create typed patch object (%s/%s; %v): %v", o.GetNamespace(), o.GetName(), o.GroupVersionKind(), err))
	}
	return nil
}

// attributed is an object in which every field has an owner. Objects that no client has written yet
// carry none, because that costs memory and time: then all of it is Probity's.
func (f *fieldOwners) attributed(m *managedfields.FieldManager, o store.Object) (store.Object, error) {
	if len(o.GetManagedFields()) > 0 || o.GetUID() == "" {
		return o, nil
	}
	empty, err := f.empty(o.GetObjectKind().GroupVersionKind())
	if err != nil {
		return nil, err
	}
	return m.UpdateNoErrors(empty, o.DeepCopyObject(), registry.Manager).(store.Object), nil
}

// empty is an object of a kind of which nobody owns anything.
func (f *fieldOwners) empty(kind schema.GroupVersionKind) (store.Object, error) {
	o, err := f.scheme.New(kind)
	if err != nil {
		return nil, err
	}
	o.GetObjectKind().SetGroupVersionKind(kind)
	return o.(store.Object), nil
}

func (f *fieldOwners) manager(p part) (*managedfields.FieldManager, error) {
	converter, err := f.converter()
	if err != nil {
		return nil, fmt.Errorf("cannot read the schemas of the API: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if m := f.managers[p]; m != nil {
		return m, nil
	}
	gv := p.kind.GroupVersion()
	reset := map[fieldpath.APIVersion]fieldpath.Filter{fieldpath.APIVersion(gv.String()): fieldpath.NewExcludeSetFilter(notWritten(p.subresource))}
	m, err := managedfields.NewDefaultFieldManager(converter, f.scheme, defaulter{}, f.scheme, p.kind, gv, p.subresource, reset)
	if err == nil {
		f.managers[p] = m
	}
	return m, err
}

// notWritten is what a write to a part leaves as it is, so that nobody gets to own it by that.
func notWritten(subresource string) *fieldpath.Set {
	if subresource == "status" {
		return fieldpath.NewSet(fieldpath.MakePathOrDie("spec"), fieldpath.MakePathOrDie("metadata"))
	}
	return fieldpath.NewSet(fieldpath.MakePathOrDie("status"))
}

// defaulter gives objects their defaults where the API machinery asks for it.
type defaulter struct{}

// Default implements [runtime.ObjectDefaulter].
func (defaulter) Default(o runtime.Object) {
	if r, ok := o.(manifest.Resource); ok {
		manifest.Default(r)
	}
}
