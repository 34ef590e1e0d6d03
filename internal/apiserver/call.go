package apiserver

import (
	"net/http"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/probity-run/probity/internal/store"
)

// call is one request for a resource. It belongs to the request's goroutine.
type call struct {
	server   *Server
	w        http.ResponseWriter
	r        *http.Request
	target   target
	resource *resource
	format   format
}

// serveResource answers a request whose path names a resource. It returns false if there is none.
func (s *Server) serveResource(w http.ResponseWriter, r *http.Request) bool {
	t, ok := parseTarget(r.URL)
	if !ok || t.resource == "" {
		return false
	}
	found := s.resources[schema.GroupVersionResource{Group: t.group, Version: t.version, Resource: t.resource}]
	if found == nil || !fits(t, found) {
		return false
	}
	c := &call{server: s, w: w, r: r, target: t, resource: found}
	verb, ok := c.verb()
	if !ok {
		return false
	}
	var err error
	if c.format, err = negotiate(r.Header.Get("Accept"), s.offers(found), found.kind != nil); err != nil {
		c.format = s.defaultFormat()
		c.fail(err)
		return true
	}
	if verb == "" {
		c.fail(methodNotSupported())
		return true
	}
	c.serve(verb)
	return true
}

// fits reports whether a resource has objects where the path looks for them.
func fits(t target, r *resource) bool {
	if !r.Namespaced {
		return t.namespace == ""
	}
	return t.namespace != "" || t.name == ""
}

// verb is what the request asks for, in the words of the API; "" if the resource cannot do it.
// Without ok there is no such subresource.
func (c *call) verb() (verb string, ok bool) {
	verbs := c.resource.Verbs
	if c.target.subresource != "" {
		sub, ok := c.resource.subresource(c.target.subresource)
		if !ok {
			return "", false
		}
		verbs = sub.Verbs
	}
	asked := verbOf(c.r, c.target)
	if c.resource.Namespaced && c.target.namespace == "" && asked != "list" && asked != "watch" {
		return "", true // of all namespaces they can only be looked at
	}
	if !slices.Contains(verbs, asked) {
		return "", true
	}
	return asked, true
}

// verbOf is the verb of a method and a path.
func verbOf(r *http.Request, t target) string {
	one := t.name != ""
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		watch, asked := r.URL.Query()["watch"]
		switch {
		case t.subresource == "" && asked && watch[0] != "0" && !strings.EqualFold(watch[0], "false"):
			return "watch"
		case one:
			return "get"
		}
		return "list"
	case http.MethodPost:
		if !one || t.subresource != "" {
			return "create"
		}
	case http.MethodPut:
		if one {
			return "update"
		}
	case http.MethodPatch:
		if one {
			return "patch"
		}
	case http.MethodDelete:
		if one {
			return "delete"
		}
		return "deletecollection"
	}
	return ""
}

// serve does what was asked.
func (c *call) serve(verb string) {
	code := http.StatusOK
	var o runtime.Object
	var err error
	switch {
	case c.target.subresource != "":
		o, code, err = c.serveSubresource(verb)
	case verb == "get":
		o, err = c.get()
	case verb == "list":
		o, err = c.withListOptions(c.list)
	case verb == "watch":
		_, err = c.withListOptions(func(options *metav1.ListOptions) (runtime.Object, error) { return nil, c.watch(options) })
	case c.resource.kind == nil:
		o, code, err = c.review()
	default:
		o, code, err = c.change(verb)
	}
	switch {
	case err != nil:
		c.fail(err)
	case o != nil:
		c.write(code, o)
	}
}

// withListOptions reads the options of a list or a watch.
func (c *call) withListOptions(do func(*metav1.ListOptions) (runtime.Object, error)) (runtime.Object, error) {
	var options metav1.ListOptions
	if err := c.parameters(&options); err != nil {
		return nil, err
	}
	return do(&options)
}

// parameters reads the query of the request into options. The error is the API's BadRequest.
func (c *call) parameters(into runtime.Object) error {
	if err := c.server.parameters.DecodeParameters(c.r.URL.Query(), corev1.SchemeGroupVersion, into); err != nil {
		return badRequest(err.Error())
	}
	return nil
}

// key is an object that only says which one the request is about.
func (c *call) key() store.Object {
	o := c.resource.empty()
	o.SetNamespace(c.target.namespace)
	o.SetName(c.target.name)
	return o
}
