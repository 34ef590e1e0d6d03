// Package resources is the table of what the Kubernetes API of a run serves. Routing, both forms of
// discovery and the OpenAPI documents are all made from it, so that nothing is advertised that is
// not there. It says nothing about objects or how they are kept.
//
// A row of a Kubernetes resource is what a cluster of [KubernetesVersion] advertises, less the
// subresources that nothing here could answer.
package resources

import (
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// KubernetesVersion is the version of Kubernetes whose API this is.
const KubernetesVersion = "v1.36.3"

// Resource is one resource of the API.
type Resource struct {
	// GVK is the kind of its objects.
	GVK schema.GroupVersionKind
	// Name is how it is called in paths: pods.
	Name string
	// Singular is what people may say instead: pod.
	Singular string
	// ShortNames are what they may also say: po. Most have one or none.
	ShortNames []string
	// Categories are the groups of resources that it is one of: all, as in kubectl get all.
	Categories []string
	// Namespaced reports whether its objects lie in namespaces.
	Namespaced bool
	// Verbs are what can be done with it, in alphabetical order.
	Verbs []string
	// Subresources are what its objects have below themselves, in alphabetical order.
	Subresources []Subresource
}

// Subresource is a part of an object, or something that can be done with one, which has a path of
// its own.
type Subresource struct {
	// Name is the last element of the path: status.
	Name string
	// GVK is the kind that is read and written there, which may be one of another group.
	GVK schema.GroupVersionKind
	// Verbs are what can be done with it, in alphabetical order.
	Verbs []string
}

// GVR is the resource as paths name it.
func (r Resource) GVR() schema.GroupVersionResource {
	return r.GVK.GroupVersion().WithResource(r.Name)
}

// Can reports whether the resource has a verb, such as "watch".
func (r Resource) Can(verb string) bool { return slices.Contains(r.Verbs, verb) }

// Can reports whether the subresource has a verb.
func (s Subresource) Can(verb string) bool { return slices.Contains(s.Verbs, verb) }

// All returns the whole table: groups in the order of a cluster's discovery, which decides what is
// meant by a name that two groups have (events are those of the core group), and resources of a
// group in alphabetical order. The caller owns what it gets.
func All() []Resource {
	return slices.Concat(core(), apps(), events(), authentication(), authorization(), coordination(), discovery(), probity())
}

// GroupVersions returns the versions of groups that the table has, in its order. A group has only
// one.
func GroupVersions() []schema.GroupVersion {
	var versions []schema.GroupVersion
	for _, r := range All() {
		versions = append(versions, r.GVK.GroupVersion())
	}
	return slices.Compact(versions)
}
