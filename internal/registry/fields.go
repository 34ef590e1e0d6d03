package registry

import (
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/probity-run/probity/internal/store"
)

// Manager is the name under which Probity itself applies manifests.
const Manager = "probity"

// FieldsWrite is a write of a client's, for who keeps the managed fields of objects.
type FieldsWrite struct {
	// Old is the object as it is, which must not be modified; nil when it is created.
	Old store.Object
	// New is what it shall be: with its defaults, without what the registry adds (a Pod's node, a
	// Service's address), and with the managed fields that came with it.
	New store.Object
	// Manager is the client's name.
	Manager string
	// Subresource is status if nothing else is written, scale, or empty.
	Subresource string
	// Version is that of [WriteOptions].
	Version schema.GroupVersion
}

// setFields gives an object that is written its managed fields. Objects that Probity makes have
// none, until a client writes them.
func (r *Registry) setFields(old, next store.Object, subresource string, opts WriteOptions) {
	if opts.Applied {
		return
	}
	var kept []metav1.ManagedFieldsEntry
	if old != nil {
		kept = old.GetManagedFields()
	}
	tracked := opts.Manager != "" && (opts.Manager != Manager || len(kept) > 0)
	if r.opts.ManagedFields != nil && tracked {
		if fields := r.opts.ManagedFields(FieldsWrite{Old: old, New: next, Manager: opts.Manager, Subresource: subresource, Version: opts.Version}); fields != nil {
			kept = fields
		}
	}
	next.SetManagedFields(kept)
}

// OwnerOf is the manager to which the field of a cause belongs that a server-side apply is refused
// for; "" if that is not why.
func OwnerOf(cause metav1.StatusCause) string {
	rest, ok := strings.CutPrefix(cause.Message, "conflict with ")
	if cause.Type != metav1.CauseTypeFieldManagerConflict || !ok {
		return ""
	}
	quoted, err := strconv.QuotedPrefix(rest)
	if err != nil {
		return ""
	}
	owner, _ := strconv.Unquote(quoted) // it is quoted
	return owner
}
