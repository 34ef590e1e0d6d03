package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/probity-run/probity/internal/apiserver/resources"
)

// little is a document with more than the table of the test has.
const little = `{
	"openapi": "3.0.0", "info": {"title": "T", "version": "v"}, "more": 1,
	"paths": {
		"/apis/g/v1/": {"get": {"description": "get available resources"}},
		"/apis/g/v1/things": {"get": {"x-kubernetes-action": "list", "x-kubernetes-group-version-kind": {"kind": "Thing"}}},
		"/apis/g/v1/watch/things": {"get": {"x-kubernetes-action": "watchlist"}},
		"/apis/g/v1/namespaces/{namespace}/things": {
			"parameters": [{"name": "namespace", "in": "path"}],
			"get": {"x-kubernetes-action": "list", "responses": {"200": {"$ref": "#/components/schemas/ThingList"}}},
			"post": {"x-kubernetes-action": "post", "parameters": [{"name": "dryRun"}], "requestBody": {}},
			"delete": {"x-kubernetes-action": "deletecollection", "requestBody": {"$ref": "#/components/schemas/Unused"}}
		},
		"/apis/g/v1/namespaces/{namespace}/things/{name}": {
			"put": {"x-kubernetes-action": "put"},
			"patch": {
				"x-kubernetes-action": "patch", "operationId": "patchThing",
				"parameters": [{"name": "dryRun"}, {"name": "pretty"}, {"name": "force"}],
				"requestBody": {"required": true, "content": {
					"application/apply-patch+yaml": {"schema": {"$ref": "#/components/schemas/Patch"}}, "application/apply-patch+cbor": {}}}
			}
		},
		"/apis/g/v1/namespaces/{namespace}/things/{name}/run": {
			"get": {"x-kubernetes-action": "connect"}, "post": {"x-kubernetes-action": "connect"}, "put": {"x-kubernetes-action": "connect"}
		}
	},
	"components": {"securitySchemes": {}, "schemas": {
		"ThingList": {"properties": {"items": {"items": {"allOf": [{"$ref": "#/components/schemas/Thing"}]}}}},
		"Thing": {"properties": {"parent": {"$ref": "#/components/schemas/Thing"}, "n": {"default": 12345678901234567890}}},
		"Patch": {"description": "<any>"},
		"Unused": {}
	}}
}`

func things(verbs ...string) []resources.Resource {
	v1 := schema.GroupVersion{Group: "g", Version: "v1"}
	return []resources.Resource{
		{GVK: v1.WithKind("Thing"), Name: "things", Namespaced: true, Verbs: verbs, Subresources: []resources.Subresource{
			{Name: "run", GVK: v1.WithKind("RunOptions"), Verbs: []string{"create", "get"}},
		}},
		{GVK: schema.GroupVersionKind{Group: "other", Version: "v1", Kind: "Thing"}, Name: "others", Verbs: []string{"list"}},
	}
}

// TestTrim: what the table has is kept, and of that what clients look at.
func TestTrim(t *testing.T) {
	d, err := parse([]byte(little))
	if err != nil {
		t.Fatal(err)
	}
	got, err := trim(d, schema.GroupVersion{Group: "g", Version: "v1"}, things("create", "list", "patch", "update"))
	if err != nil {
		t.Fatal(err)
	}
	const whole = "/apis/g/v1/namespaces/{namespace}/things"
	operation := func(action string) map[string]any {
		return map[string]any{"x-kubernetes-action": action, "x-kubernetes-group-version-kind": nil}
	}
	patch := operation("patch")
	patch["parameters"] = []any{map[string]any{"name": "dryRun"}, map[string]any{"name": "force"}}
	patch["requestBody"] = map[string]any{"required": true, "content": map[string]any{
		"application/apply-patch+yaml": map[string]any{"schema": map[string]any{"$ref": "#/components/schemas/Patch"}},
	}}
	want := document{
		OpenAPI: "3.0.0", Info: map[string]any{"title": "T", "version": "v"},
		Components: components{Schemas: map[string]any{"ThingList": nil, "Thing": nil, "Patch": nil}},
		Paths: map[string]pathItem{
			"/apis/g/v1/things": {"get": map[string]any{
				"x-kubernetes-action": "list", "x-kubernetes-group-version-kind": map[string]any{"kind": "Thing"},
			}},
			whole:                 {"get": operation("list"), "post": operation("post")},
			whole + "/{name}":     {"put": operation("put"), "patch": patch},
			whole + "/{name}/run": {"get": operation("connect"), "post": operation("connect")},
		},
	}
	for name := range want.Components.Schemas {
		want.Components.Schemas[name] = d.Components.Schemas[name]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("document (-want +got):\n%s", diff)
	}
}

// TestTrimRefuses: a table that has what is not there, or a document that lacks a schema, are not
// noticed by clients before they need it.
func TestTrimRefuses(t *testing.T) {
	tests := map[string]struct {
		text  string
		verbs []string
		want  string
	}{
		"a verb":   {little, []string{"get", "update"}, "path /apis/g/v1/namespaces/{namespace}/things/{name}: there is no operation for [get]"},
		"a path":   {strings.ReplaceAll(little, "/run", "/walk"), []string{"update"}, "path /apis/g/v1/namespaces/{namespace}/things/{name}/run: there is no operation for [create get]"},
		"a schema": {strings.Replace(little, `"Thing": {`, `"Think": {`, 1), []string{"list"}, "there is no schema Thing, which is referred to"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			d, err := parse([]byte(test.text))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := trim(d, schema.GroupVersion{Group: "g", Version: "v1"}, things(test.verbs...)); err == nil || err.Error() != test.want {
				t.Errorf("error %v\nwant  %s", err, test.want)
			}
		})
	}
}

// TestWritten: numbers keep all their digits and text its characters, and the same document is the
// same file.
func TestWritten(t *testing.T) {
	d, err := parse([]byte(little))
	if err != nil {
		t.Fatal(err)
	}
	text, err := marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"default":12345678901234567890`, `"<any>"`} {
		if !bytes.Contains(text, []byte(want)) {
			t.Errorf("%s is not in\n%s", want, text)
		}
	}
	first, err := pack(text)
	if err != nil {
		t.Fatal(err)
	}
	if second, err := pack(text); err != nil || !bytes.Equal(first, second) {
		t.Errorf("the second file is another one: %v", err)
	}
	r, err := gzip.NewReader(bytes.NewReader(first))
	if err != nil {
		t.Fatal(err)
	}
	if back, err := io.ReadAll(r); err != nil || !bytes.Equal(back, text) {
		t.Errorf("what was packed is %s: %v", back, err)
	}
}

// TestOurs: the document that is written by hand has all of its group in the table, and no more.
func TestOurs(t *testing.T) {
	d, err := parse(ours)
	if err != nil {
		t.Fatal(err)
	}
	d.Components.Schemas["io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"] = map[string]any{}
	d.Components.Schemas["io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta"] = map[string]any{}
	d.Components.Schemas["io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime"] = map[string]any{}
	got, err := trim(d, schema.GroupVersion{Group: "probity.run", Version: "v1"}, resources.All())
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Paths) != len(d.Paths) || len(got.Components.Schemas) != len(d.Components.Schemas) {
		t.Errorf("%d of %d paths and %d of %d schemas are kept, want all", len(got.Paths), len(d.Paths), len(got.Components.Schemas), len(d.Components.Schemas))
	}
}

// TestVersion: the documents are of the version whose types the program has.
func TestVersion(t *testing.T) {
	gomod, err := os.ReadFile("../../../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	want := "k8s.io/api v0." + strings.TrimPrefix(resources.KubernetesVersion, "v1.")
	if !strings.Contains(string(gomod), "\t"+want+"\n") {
		t.Errorf("go.mod does not require %s: set the version in the table of resources, and its checksum here, and run go generate", want)
	}
}
