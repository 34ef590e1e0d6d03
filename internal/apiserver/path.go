package apiserver

import (
	"net/url"

	"github.com/probity-run/probity/internal/apiserver/guard"
)

// target is what the path of a request names, as Kubernetes lays out its API:
//
//	/api/v1/namespaces/NAMESPACE/pods/NAME/log
//	/apis/GROUP/VERSION/namespaces/NAMESPACE/deployments
//	/api/v1/nodes/NAME
type target struct {
	group, version string
	namespace      string
	resource       string // empty: the path names the group and version only
	name           string // empty: all of the resource
	subresource    string
}

// parseTarget reads the path of a request. Without ok it is none of a resource.
func parseTarget(u *url.URL) (t target, ok bool) {
	parts, ok := guard.Segments(u)
	if !ok {
		return target{}, false
	}
	switch {
	case len(parts) >= 2 && parts[0] == "api":
		t.version, parts = parts[1], parts[2:]
	case len(parts) >= 3 && parts[0] == "apis":
		t.group, t.version, parts = parts[1], parts[2], parts[3:]
	default:
		return target{}, false
	}
	if len(parts) >= 3 && parts[0] == "namespaces" && !isNamespaceSubresource(parts[2]) {
		t.namespace, parts = parts[1], parts[2:]
	}
	if len(parts) > 3 {
		return target{}, false
	}
	for i, field := range []*string{&t.resource, &t.name, &t.subresource}[:len(parts)] {
		*field = parts[i]
	}
	return t, true
}

// isNamespaceSubresource reports whether the segment after a Namespace's name belongs to the
// Namespace itself, and is no resource in it.
func isNamespaceSubresource(segment string) bool { return segment == "status" || segment == "finalize" }
