package main

import (
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/probity-run/probity/internal/apiserver/resources"
)

// document is what is read of an OpenAPI v3 document, and all that is written of one.
type document struct {
	Components components          `json:"components"`
	Info       any                 `json:"info"`
	OpenAPI    string              `json:"openapi"`
	Paths      map[string]pathItem `json:"paths"`
}

type components struct {
	Schemas map[string]any `json:"schemas"`
}

// pathItem has the operations of a path by method, and the parameters that they have in common.
type pathItem map[string]any

// trim returns a document with the paths and operations that the table has of a group and version,
// and with the schemas that these refer to.
func trim(d document, gv schema.GroupVersion, table []resources.Resource) (document, error) {
	kept := document{Info: d.Info, OpenAPI: d.OpenAPI, Paths: map[string]pathItem{}}
	var roots []string
	for _, r := range table {
		if r.GVK.GroupVersion() != gv {
			continue
		}
		for below, verbs := range pathsOf(r) {
			path := "/" + pathOf(gv) + below
			trimmed, refs, err := trimPath(d.Paths[path], verbs)
			if err != nil {
				return document{}, fmt.Errorf("path %s: %w", path, err)
			}
			kept.Paths[path] = trimmed
			roots = append(roots, refs...)
		}
	}
	var err error
	kept.Components.Schemas, err = closure(d.Components.Schemas, roots)
	return kept, err
}

// pathsOf returns the paths of a resource below its group and version, and the verbs of each.
// Watches have no path of their own: they are lists with a parameter.
func pathsOf(r resources.Resource) map[string][]string {
	paths := map[string][]string{}
	put := func(path string, verbs ...string) {
		if verbs = slices.DeleteFunc(verbs, func(v string) bool { return !r.Can(v) }); len(verbs) > 0 {
			paths[path] = verbs
		}
	}
	whole := "/" + r.Name
	if r.Namespaced {
		put(whole, "list") // of all namespaces
		whole = "/namespaces/{namespace}" + whole
	}
	put(whole, "create", "list", "deletecollection")
	put(whole+"/{name}", "get", "update", "patch", "delete")
	for _, s := range r.Subresources {
		paths[whole+"/{name}/"+s.Name] = s.Verbs
	}
	return paths
}

// trimPath keeps the operations that have one of the verbs, of which none may be missing, and
// returns what they referred to before.
func trimPath(item pathItem, verbs []string) (trimmed pathItem, refs []string, err error) {
	trimmed = pathItem{}
	missing := slices.Clone(verbs)
	for _, method := range slices.Sorted(maps.Keys(item)) {
		operation, is := item[method].(map[string]any)
		if !is {
			continue
		}
		verb := verbOf(method, operation)
		if !slices.Contains(verbs, verb) {
			continue
		}
		missing = slices.DeleteFunc(missing, func(v string) bool { return v == verb })
		refs = append(refs, refsOf(operation)...)
		trimmed[method] = trimOperation(method, operation)
	}
	if len(missing) > 0 {
		return nil, nil, fmt.Errorf("there is no operation for %v", missing)
	}
	return trimmed, refs, nil
}

// verbOf is the verb of an operation. Its action is not always called so: to connect, as for exec,
// is what the method says.
func verbOf(method string, operation map[string]any) string {
	action, _ := operation["x-kubernetes-action"].(string)
	if action == "connect" {
		action = method
	}
	switch action {
	case "post":
		return "create"
	case "put":
		return "update"
	}
	return action
}

// trimOperation returns what clients look at, which is a fifth: the kind and the action, and of a
// PATCH how the server takes one. By that they know whether it validates fields, can run dry, and
// knows server-side apply.
func trimOperation(method string, operation map[string]any) map[string]any {
	kept := map[string]any{}
	for _, name := range []string{"x-kubernetes-action", "x-kubernetes-group-version-kind"} {
		kept[name] = operation[name]
	}
	if method == "patch" {
		kept["parameters"] = patchParameters(operation)
		kept["requestBody"] = patchBody(operation)
	}
	return kept
}

func patchParameters(operation map[string]any) []any {
	all, _ := operation["parameters"].([]any)
	return slices.DeleteFunc(slices.Clone(all), func(p any) bool {
		parameter, _ := p.(map[string]any)
		return !slices.Contains([]any{"dryRun", "fieldManager", "fieldValidation", "force"}, parameter["name"])
	})
}

// patchBody is the body without CBOR, an encoding that is not served.
func patchBody(operation map[string]any) any {
	body, _ := operation["requestBody"].(map[string]any)
	content, _ := body["content"].(map[string]any)
	body, content = maps.Clone(body), maps.Clone(content)
	delete(content, "application/apply-patch+cbor")
	body["content"] = content
	return body
}
