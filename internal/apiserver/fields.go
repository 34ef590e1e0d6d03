package apiserver

import (
	"fmt"
	"log/slog"
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

// Fields keeps metadata.managedFields: who set which field of an object. Make it with [NewFields].
// It is safe for concurrent use.
type Fields struct {
	opts FieldsOptions
	// scheme and converter are made when they are needed first: schemas take 40 ms to read.
	scheme    func() (*runtime.Scheme, error)
	converter func() (managedfields.TypeConverter, error)

	mu       sync.Mutex // guards managers
	managers map[part]*managedfields.FieldManager
}

// part is what of a kind is written at a path.
type part struct {
	kind        schema.GroupVersionKind
	subresource string
}

// FieldsOptions of [Fields].
type FieldsOptions struct {
	// Kinds are those that are not Kubernetes' own, and their lists. Default: none.
	Kinds []Kind
	// Logger gets what goes wrong. Default: nothing is logged.
	Logger *slog.Logger
}

// NewFields makes what knows who owns which field. It costs nothing before somebody writes.
func NewFields(opts FieldsOptions) *Fields {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	return &Fields{
		opts: opts, managers: map[part]*managedfields.FieldManager{},
		scheme: sync.OnceValues(func() (*runtime.Scheme, error) { return newScheme(opts.Kinds) }),
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

// ManagedFields keeps who owns which field of an object, for [registry.Options]. A write that it
// cannot make sense of leaves them as they are: fields without an owner are a lesser evil than an
// object that cannot be written.
func (f *Fields) ManagedFields(w registry.FieldsWrite) []metav1.ManagedFieldsEntry {
	fields, err := f.update(w)
	if err != nil {
		f.opts.Logger.Error("Cannot note who has set which field", "name", w.New.GetName(), "error", err)
		return nil
	}
	return fields
}

// update returns who owns which field after a write.
func (f *Fields) update(w registry.FieldsWrite) ([]metav1.ManagedFieldsEntry, error) {
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
func (f *Fields) apply(p part, current store.Object, applied runtime.Object, manager string, force bool) (store.Object, error) {
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
func (f *Fields) check(o *unstructured.Unstructured) error {
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
func (f *Fields) attributed(m *managedfields.FieldManager, o store.Object) (store.Object, error) {
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
func (f *Fields) empty(kind schema.GroupVersionKind) (store.Object, error) {
	scheme, err := f.scheme()
	if err != nil {
		return nil, err
	}
	o, err := scheme.New(kind)
	if err != nil {
		return nil, err
	}
	o.GetObjectKind().SetGroupVersionKind(kind)
	return o.(store.Object), nil
}

func (f *Fields) manager(p part) (*managedfields.FieldManager, error) {
	converter, err := f.converter()
	if err != nil {
		return nil, fmt.Errorf("cannot read the schemas of the API: %w", err)
	}
	scheme, err := f.scheme()
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if m := f.managers[p]; m != nil {
		return m, nil
	}
	gv := p.kind.GroupVersion()
	reset := map[fieldpath.APIVersion]fieldpath.Filter{fieldpath.APIVersion(gv.String()): fieldpath.NewExcludeSetFilter(notWritten(p.subresource))}
	m, err := managedfields.NewDefaultFieldManager(converter, scheme, defaulter{}, scheme, p.kind, gv, p.subresource, reset)
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
