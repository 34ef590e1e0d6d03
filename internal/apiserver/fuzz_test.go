package apiserver

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/probity-run/probity/internal/registry"
	"github.com/probity-run/probity/internal/store"
)

// fuzzed is a server with a ConfigMap a and a Deployment web, which answers without a network.
func fuzzed(tb testing.TB) *Server {
	tb.Helper()
	s := store.New(store.Options{Kinds: testKinds()})
	fields := NewFields(FieldsOptions{Kinds: ownKinds()})
	doors := registry.Options{Store: s, NodeName: "probity", ManagedFields: fields.ManagedFields}
	api, err := New(Options{Store: s, Registry: registry.New(doors), Fields: fields})
	if err != nil {
		tb.Fatal(err)
	}
	for _, request := range [][2]string{{"/api/v1/namespaces", `{"metadata":{"name":"default"}}`}, {configMaps, configMap("a", `{"x":"1"}`)}, {deployments, web}} {
		if code, text := answerTo(tb, api, "POST", request[0], request[1], ""); code != http.StatusCreated {
			tb.Fatalf("%s: %d %s", request[0], code, text)
		}
	}
	return api
}

// answerTo is what a server answers, which has to be an object of the API.
func answerTo(tb testing.TB, api *Server, method, path, body, mediaType string) (code int, text string) {
	tb.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", mediaType)
	w := httptest.NewRecorder()
	api.ServeHTTP(w, r)
	answer, err := io.ReadAll(w.Result().Body)
	if err != nil {
		tb.Fatal(err)
	}
	var object struct{ Kind string }
	if err := json.Unmarshal(answer, &object); err != nil || object.Kind == "" {
		tb.Errorf("%s %s with %q: %d %q is no object", method, path, body, w.Code, answer)
	}
	return w.Code, string(answer)
}

// FuzzBody: whatever a body says, it is an object or is refused.
func FuzzBody(f *testing.F) {
	api := fuzzed(f)
	for _, seed := range []string{web, configMap("b", `{"y":"2"}`), `{"metadata":null}`, `{"spec":{"template":null}}`, "metadata: {name: [a]}", "k8s\x00\n\x04\n\x02v1"} {
		for kind := range byte(3) {
			f.Add(seed, kind)
		}
	}
	f.Fuzz(func(t *testing.T, body string, kind byte) {
		mediaType := []string{"application/json", "application/yaml", "application/vnd.kubernetes.protobuf"}[kind%3]
		for _, path := range []string{configMaps, deployments, "/api/v1/namespaces/default/pods", "/apis/events.k8s.io/v1/namespaces/default/events"} {
			if code, text := answerTo(t, api, "POST", path+"?dryRun=All", body, mediaType); code == http.StatusInternalServerError {
				t.Errorf("%s of %q: %s", path, body, text)
			}
		}
		answerTo(t, api, "DELETE", configMaps+"/none", body, mediaType)
	})
}

// FuzzPatch: whatever a patch of the four kinds says, an object comes out of it or it is refused.
func FuzzPatch(f *testing.F) {
	api := fuzzed(f)
	for _, seed := range []string{`{"data":{"x":null}}`, `[{"op":"move","from":"/data/x","path":"/metadata/name"}]`, `{"spec":{"replicas":-1}}`, "{}", "apiVersion: apps/v1\nkind: Deployment\nspec: {paused: true}", `{"spec":{"template":{"spec":{"containers":[{"$patch":"replace"}]}}}}`} {
		for kind := range byte(4) {
			f.Add(seed, kind)
		}
	}
	f.Fuzz(func(t *testing.T, body string, kind byte) {
		mediaType := []string{"json-patch+json", "merge-patch+json", "strategic-merge-patch+json", "apply-patch+yaml"}[kind%4]
		for _, path := range []string{configMaps + "/a", deployments + "/web", deployments + "/web/scale", deployments + "/web/status"} {
			code, text := answerTo(t, api, "PATCH", path+"?dryRun=All&fieldManager=fuzz", body, "application/"+mediaType)
			if code == http.StatusInternalServerError {
				t.Errorf("%s of %q to %s: %s", mediaType, body, path, text)
			}
		}
	})
}

// FuzzApply: whatever stands in the place of a field that is applied, it is the client's fault. The
// object is there, or is to be made.
func FuzzApply(f *testing.F) {
	api := fuzzed(f)
	for _, seed := range [][2]string{
		{"metadata", "5"}, {"metadata", `{"name":5}`}, {"metadata", `{"labels":[],"managedFields":[{}]}`}, {"metadata", `{"creationTimestamp":"x"}`}, {"metadata", `{"resourceVersion":"x"}`},
		{"data", `{"x":{}}`}, {"spec", "5"}, {"spec", `{"replicas":"many"}`}, {"spec", `{"replicas":1e400}`}, {"spec", `{"template":{"spec":{"containers":[{"name":"a"},{"name":"a"}]}}}`},
		{"spec", `{"template":{"spec":{"containers":[{"name":"web","resources":{"limits":{"cpu":"much"}}}]}}}`}, {"status", "[]"}, {"regarding", "null"}, {"kind", "{}"}, {"a: b\n? c", "d"},
	} {
		f.Add(seed[0], seed[1], true)
		f.Add(seed[0], seed[1], false)
	}
	f.Fuzz(func(t *testing.T, name, value string, there bool) {
		for _, r := range []struct{ path, kind string }{
			{configMaps + "/a", "kind: ConfigMap\napiVersion: v1"}, {deployments + "/web", "kind: Deployment\napiVersion: apps/v1"},
			{deployments + "/web/status", "kind: Deployment\napiVersion: apps/v1"}, {deployments + "/web/scale", "kind: Scale\napiVersion: autoscaling/v1"},
			{"/apis/events.k8s.io/v1/namespaces/default/events/e", "kind: Event\napiVersion: events.k8s.io/v1"},
		} {
			path := r.path
			if !there {
				path = strings.Replace(path, "/web", "/new", 1)
			}
			body := r.kind + "\n" + name + ": " + value
			if code, text := answerTo(t, api, "PATCH", path+"?dryRun=All&force=true&fieldManager=fuzz", body, "application/apply-patch+yaml"); code == http.StatusInternalServerError {
				t.Errorf("%q to %s: %s", body, path, text)
			}
		}
	})
}

// FuzzSelectors: whatever selects is understood or is refused.
func FuzzSelectors(f *testing.F) {
	api := fuzzed(f)
	f.Add("app in (web),!x", "metadata.name=a,status.phase!=Running", "3", "abc", "7")
	f.Add("=", "=,", "-1", "eyJydiI6IjEifQ", "0")
	f.Fuzz(func(t *testing.T, labels, fields, limit, next, version string) {
		query := url.Values{"labelSelector": {labels}, "fieldSelector": {fields}, "limit": {limit}, "continue": {next}, "resourceVersion": {version}}
		for _, path := range []string{configMaps, "/api/v1/pods", "/apis/events.k8s.io/v1/events"} {
			if code, text := answerTo(t, api, "GET", path+"?"+query.Encode(), "", ""); code == http.StatusInternalServerError {
				t.Errorf("%v: %s", query, text)
			}
		}
	})
}
