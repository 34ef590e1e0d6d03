package apiserver

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/probity-run/probity/internal/apiserver/resources"
	"github.com/probity-run/probity/internal/store"
)

// resource is one resource of the API, and where its objects are in the store.
type resource struct {
	resources.Resource
	// protobuf reports whether the kind has that encoding: those of Kubernetes have.
	protobuf bool
	// kind is an empty object of the kind that the store holds; nil if nothing is kept.
	kind store.Object
	// The rest is nil unless the API shows another kind than the store holds.
	show  func(stored store.Object) store.Object
	keep  func(shown store.Object) store.Object
	field func(label string) (stored string, known bool) // of field selectors
}

func (r *resource) listKind() schema.GroupVersionKind {
	return r.GVK.GroupVersion().WithKind(r.GVK.Kind + "List")
}

func (r *resource) groupResource() schema.GroupResource { return r.GVR().GroupResource() }

// empty makes an empty object of the stored kind.
func (r *resource) empty() store.Object { return r.kind.DeepCopyObject().(store.Object) }

// present is an object of the store as the API shows it. It must not be modified.
func (r *resource) present(stored store.Object) store.Object {
	if r.show == nil {
		return stored
	}
	return r.show(stored)
}

// stored is an object of a client as the store holds it.
func (r *resource) stored(shown store.Object) store.Object {
	if r.keep == nil {
		return shown
	}
	return r.keep(shown)
}

// subresource finds a subresource by its name.
func (r *resource) subresource(name string) (resources.Subresource, bool) {
	i := slices.IndexFunc(r.Subresources, func(s resources.Subresource) bool { return s.Name == name })
	if i < 0 {
		return resources.Subresource{}, false
	}
	return r.Subresources[i], true
}

// newResources finds the store's kind for each resource of the API that keeps objects.
func (s *Server) newResources() error {
	s.resources = map[schema.GroupVersionResource]*resource{}
	for _, row := range resources.All() {
		r := &resource{Resource: row}
		s.resources[r.GVR()] = r
		shown, err := s.scheme.New(r.GVK)
		if err != nil {
			return fmt.Errorf("cannot serve %s: %w", r.Name, err)
		}
		if _, r.protobuf = shown.(runtime.ProtobufMarshaller); !r.Can("get") {
			continue
		}
		stored := r.GVK
		if r.GVK.Group == eventsv1.GroupName {
			stored = corev1.SchemeGroupVersion.WithKind(r.GVK.Kind)
			r.show, r.keep, r.field = showEvent, keepEvent, store.EventsField
		}
		o, err := s.scheme.New(stored)
		if err != nil {
			return fmt.Errorf("cannot serve %s: %w", r.Name, err)
		}
		r.kind = o.(store.Object)
	}
	return nil
}
