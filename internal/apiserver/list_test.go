package apiserver

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/apiserver/openapi"
	"github.com/probity-run/probity/internal/apiserver/resources"
)

func TestGet(t *testing.T) {
	c := newClient(t)
	c.ok("POST", configMaps, configMap("a", `{"x":"1"}`))
	got := c.ok("GET", configMaps+"/a", "")
	for path, want := range map[string]string{"kind": "ConfigMap", "apiVersion": "v1", "metadata.name": "a", "metadata.namespace": "default", "data.x": "1"} {
		if got.get(path) != want {
			t.Errorf("%s = %q, want %q", path, got.get(path), want)
		}
	}
	c.fails(404, "NotFound", `configmaps "b" not found`, "GET", configMaps+"/b", "")
	c.fails(405, "MethodNotAllowed", "", "POST", configMaps+"/a", configMap("a", "{}"))
	c.fails(406, "NotAcceptable", "application/json, application/yaml", "GET", configMaps+"/a", "", "Accept: text/html")
	if yaml := c.ok("GET", configMaps+"/a", "", "Accept: application/yaml"); !strings.Contains(yaml.text, "\nkind: ConfigMap\n") {
		t.Errorf("as YAML: %s", yaml.text)
	}
	if pretty := c.ok("GET", configMaps+"/a", "", "User-Agent: curl/8"); !strings.HasPrefix(pretty.text, "{\n  \"kind\"") {
		t.Errorf("for curl: %s", pretty.text)
	}
	for _, path := range []string{"/api/v1/nope", "/api/v2/pods", "/apis/apps/v1beta1/deployments", "/api/v1/namespaces/default/nodes", configMaps + "/a/status"} {
		c.fails(404, "NotFound", "the server could not find the requested resource", "GET", path, "")
	}
	for _, path := range []string{"/apis/nope.example.com/v1/nopes", "/apis/nope.example.com", "/nope", "/"} {
		if a := c.do("GET", path, ""); a.code != 404 || a.text != "404 page not found\n" {
			t.Errorf("%s: %d %s, want 404 as a page", path, a.code, a.text)
		}
	}
}

func TestList(t *testing.T) {
	c := newClient(t)
	c.ok("POST", "/api/v1/namespaces", `{"metadata":{"name":"other"}}`)
	empty := c.ok("GET", configMaps, "")
	if empty.get("items") != "[]" || empty.get("kind") != "ConfigMapList" || empty.get("metadata.resourceVersion") == "" {
		t.Errorf("an empty list: %s", empty.text)
	}
	for _, name := range []string{"c", "a", "b"} {
		c.ok("POST", configMaps, configMap(name, "{}"))
	}
	c.ok("POST", "/api/v1/namespaces/other/configmaps", configMap("a", "{}"))
	for query, want := range map[string]string{
		"":                                  "a b c",
		"?labelSelector=is%3Db":             "b",
		"?labelSelector=is+in+(a,c)":        "a c",
		"?labelSelector=!is":                "",
		"?fieldSelector=metadata.name%3Dc":  "c",
		"?fieldSelector=metadata.name!%3Dc": "a b",
	} {
		list := c.ok("GET", configMaps+query, "")
		if got := strings.Join(list.names(), " "); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
		if list.get("items.0.kind") != "" {
			t.Errorf("%s: the items of a list say their kind", query)
		}
	}
	if got := strings.Join(c.ok("GET", "/api/v1/configmaps", "").names(), " "); got != "a b c a" {
		t.Errorf("of all namespaces: %s", got)
	}
	c.fails(400, "BadRequest", `"data.x" is not a known field selector: only "metadata.name", "metadata.namespace"`, "GET", configMaps+"?fieldSelector=data.x%3D1", "")
	c.fails(400, "BadRequest", "field label not supported: x", "GET", "/api/v1/pods?fieldSelector=x%3D1", "")
	c.fails(400, "BadRequest", "found '==', expected: !, identifier, or 'end of string'", "GET", configMaps+"?labelSelector=%3D%3D", "")
	c.fails(400, "BadRequest", "invalid syntax", "GET", configMaps+"?limit=many", "")
	c.fails(422, "Invalid", "resourceVersionMatch is forbidden unless resourceVersion is provided", "GET", configMaps+"?resourceVersionMatch=Exact", "")
}

// TestVersions: a version of another run is expired, whether older or newer.
func TestVersions(t *testing.T) {
	c := newClient(t)
	version := c.ok("GET", configMaps, "").get("metadata.resourceVersion")
	for _, path := range []string{"?resourceVersion=" + version, "?resourceVersion=0", "?resourceVersion=" + version + "&resourceVersionMatch=NotOlderThan", "?resourceVersion=" + version + "&resourceVersionMatch=Exact"} {
		c.ok("GET", configMaps+path, "")
	}
	c.ok("POST", configMaps, configMap("a", "{}"))
	c.fails(410, "Expired", "", "GET", configMaps+"?resourceVersion="+version+"&resourceVersionMatch=Exact", "")
	c.fails(410, "Expired", "too old", "GET", configMaps+"?resourceVersion=17", "")
	c.fails(410, "Expired", "too large", "GET", configMaps+"?resourceVersion=9"+version, "")
	c.fails(400, "BadRequest", "invalid resource version", "GET", configMaps+"?resourceVersion=abc", "")
	old := page{Version: "17", Namespace: "default", Name: "a"}.token()
	c.fails(410, "Expired", "", "GET", configMaps+"?limit=1&continue="+old, "")
	c.fails(400, "BadRequest", "continue key is not valid", "GET", configMaps+"?limit=1&continue=x", "")
}

func TestContinue(t *testing.T) {
	c := newClient(t)
	var want []string
	for i := range 7 {
		name := fmt.Sprintf("m%d", i)
		want = append(want, name)
		c.ok("POST", configMaps, configMap(name, "{}"))
	}
	var got []string
	var version, next string
	for i := range 4 {
		list := c.ok("GET", configMaps+"?limit=2&continue="+next, "")
		got = append(got, list.names()...)
		if version == "" {
			version = list.get("metadata.resourceVersion")
		}
		if v := list.get("metadata.resourceVersion"); v != version {
			t.Errorf("page %d is of version %s, want that of the first one, %s", i, v, version)
		}
		if left, want := list.get("metadata.remainingItemCount"), fmt.Sprint(7-len(got)); left != want && got[len(got)-1] != "m6" {
			t.Errorf("page %d: %s are left, want %s", i, left, want)
		}
		next = list.get("metadata.continue")
		c.ok("POST", configMaps, configMap(fmt.Sprintf("before%d", i), "{}"))
	}
	if next != "" || !slices.Equal(got, want) {
		t.Errorf("pages: %v and more at %q, want %v", got, next, want)
	}
}

func TestTable(t *testing.T) {
	const accept = "Accept: application/json;as=Table;v=v1;g=meta.k8s.io"
	c := newClient(t)
	c.ok("POST", configMaps, configMap("a", `{"x":"1","y":"2"}`))
	c.ok("POST", configMaps, configMap("b", `{}`))
	list := c.ok("GET", configMaps, "", accept)
	if list.get("kind") != "Table" || list.get("apiVersion") != "meta.k8s.io/v1" || list.get("columnDefinitions.0.name") != "Name" || list.get("metadata.resourceVersion") == "" {
		t.Errorf("a Table: %s", list.text)
	}
	if got := fmt.Sprint(list.names()); got != "[a b]" || list.get("rows.0.cells.1") != "2" || list.get("rows.0.object.kind") != "PartialObjectMetadata" {
		t.Errorf("rows: %s", list.text)
	}
	one := c.ok("GET", configMaps+"/a?includeObject=Object", "", accept)
	if one.get("rows.0.object.data.x") != "1" || one.get("rows.0.object.kind") != "ConfigMap" {
		t.Errorf("the Table of one with its object: %s", one.text)
	}
	all := c.ok("GET", configMaps+"?includeObject=Object", "", accept)
	if all.get("rows.1.object.kind") != "ConfigMap" || all.get("rows.1.object.apiVersion") != "v1" {
		t.Errorf("the Table of all with their objects: %s", all.text)
	}
	none := c.ok("GET", configMaps+"?includeObject=None", "", accept)
	if none.get("rows.0.object") != "" && none.get("rows.0.object") != "null" {
		t.Errorf("the Table without objects: %s", none.text)
	}
	c.fails(400, metav1.StatusReasonBadRequest, "includeObject", "GET", configMaps+"?includeObject=Some", "", accept)
	metadata := c.ok("GET", configMaps, "", "Accept: application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io")
	if metadata.get("kind") != "PartialObjectMetadataList" || metadata.get("items.0.metadata.name") != "a" || metadata.get("items.0.data") != "" {
		t.Errorf("metadata: %s", metadata.text)
	}
}

// TestOldOpenAPI: kubectl asks for OpenAPI of version 2 about kinds that there are none of.
func TestOldOpenAPI(t *testing.T) {
	c := newClient(t)
	if a := c.ok("GET", "/openapi/v2", ""); a.get("swagger") != "2.0" {
		t.Errorf("as JSON: %s", a.text)
	}
	a := c.ok("GET", "/openapi/v2", "", "Accept: application/com.github.proto-openapi.spec.v2@v1.0+protobuf")
	if a.text != string(openapi.Version2Protobuf()) || a.header.Get("Content-Type") != "application/com.github.proto-openapi.spec.v2.v1.0+protobuf" {
		t.Errorf("as protobuf: %q, %v", a.text, a.header)
	}
}

// TestNothingIsAdvertisedInVain: every verb of the table leads somewhere.
func TestNothingIsAdvertisedInVain(t *testing.T) {
	c := newClient(t)
	methods := map[string]string{
		"create": "POST", "delete": "DELETE", "deletecollection": "DELETE", "get": "GET", "list": "GET", "patch": "PATCH", "update": "PUT", "watch": "GET",
	}
	ask := func(verb, path string) {
		t.Helper()
		if verb == "watch" {
			path += "?watch=1&timeoutSeconds=1&resourceVersion=1" // which is over at once
		}
		if a := c.do(methods[verb], path, "{", "Content-Type: application/json"); a.code == 404 && a.get("kind") != "Status" || a.code == 405 {
			t.Errorf("%s of %s: %d %s", verb, path, a.code, a.text)
		}
	}
	for _, r := range resources.All() {
		path := "/api/v1/"
		if r.GVK.Group != "" {
			path = "/apis/" + r.GVK.GroupVersion().String() + "/"
		}
		if r.Namespaced {
			path += "namespaces/default/"
		}
		path += r.Name
		for _, verb := range r.Verbs {
			if verb == "get" || verb == "update" || verb == "patch" || verb == "delete" {
				ask(verb, path+"/nope")
			} else {
				ask(verb, path)
			}
		}
		for _, sub := range r.Subresources {
			for _, verb := range sub.Verbs {
				ask(verb, path+"/nope/"+sub.Name)
			}
		}
	}
}
