package apiserver

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/store"
)

const asTableHeader = "Accept: application/json;as=Table;v=v1;g=meta.k8s.io"

// TestIdleWatch: a watch without a change goes on, also where HTTP/2 watches over the time of
// streams.
func TestIdleWatch(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		t.Run(fmt.Sprintf("HTTP/2 %v", http2), func(t *testing.T) {
			t.Parallel()
			const writeTime = 3 * time.Second // enough on a machine that has other things to do
			c := newClient(t, func(o *Options) { o.WriteTime = writeTime })
			server := httptest.NewUnstartedServer(c.api)
			server.EnableHTTP2 = http2
			server.StartTLS()
			t.Cleanup(server.Close)
			c.url, c.http = server.URL, server.Client()
			w := c.watch(configMaps + "?watch=true&timeoutSeconds=15")
			time.Sleep(writeTime + time.Second) // nothing is what has to happen
			c.ok("POST", configMaps, configMap("a", "{}"))
			w.want("ADDED a")
			if event, more := w.next(); more {
				t.Errorf("%v, want the end", event)
			}
		})
	}
}

// TestOfAllNamespaces: what has a namespace can only be looked at without one.
func TestOfAllNamespaces(t *testing.T) {
	c := newClient(t)
	c.ok("POST", configMaps, configMap("a", "{}"))
	c.fails(405, "MethodNotAllowed", "", "DELETE", "/api/v1/configmaps", "")
	c.fails(405, "MethodNotAllowed", "", "POST", "/api/v1/configmaps", configMap("b", "{}"))
	if names := c.ok("GET", "/api/v1/configmaps", "").names(); strings.Join(names, " ") != "a" {
		t.Errorf("left: %v", names)
	}
}

// TestDryRunsOfDeletions: however it is said, nothing is deleted.
func TestDryRunsOfDeletions(t *testing.T) {
	const pods = "/api/v1/namespaces/default/pods"
	const eviction = `{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"p"},"deleteOptions":{"gracePeriodSeconds":0}}`
	c := newClient(t)
	c.ok("POST", configMaps, configMap("a", "{}"))
	c.ok("POST", pods, `{"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i","command":["c"]}]}}`)
	c.ok("POST", pods+"/p/eviction?dryRun=All", eviction)
	c.fails(422, "Invalid", "dryRun", "POST", pods+"/p/eviction?dryRun=Some", eviction)
	c.fails(400, "BadRequest", "it is a ConfigMap", "DELETE", configMaps+"/a", `{"kind":"ConfigMap","apiVersion":"v1","dryRun":["All"]}`)
	c.ok("GET", pods+"/p", "")
	c.ok("GET", configMaps+"/a", "")
}

// TestScaleApplyOfNothing: what an applied Scale does not say stays.
func TestScaleApplyOfNothing(t *testing.T) {
	const scale = deployments + "/web/scale?fieldManager=me&force=true"
	c := newClient(t)
	c.ok("POST", deployments, web)
	c.fails(400, "BadRequest", "invalid object type: /, Kind=Foo", "PATCH", scale, "kind: Foo", applyPatch)
	c.ok("PATCH", scale, "kind: Scale\napiVersion: autoscaling/v1", applyPatch)
	c.fails(409, "Conflict", "", "PATCH", scale, "kind: Scale\napiVersion: autoscaling/v1\nmetadata: {resourceVersion: '1'}\nspec: {replicas: 1}", applyPatch)
	if d := c.ok("GET", deployments+"/web", ""); d.get("spec.replicas") != "2" {
		t.Errorf("replicas %s, want 2", d.get("spec.replicas"))
	}
}

// TestReviewAsTable: a question has no Table, and asking for one is no reason to fail.
func TestReviewAsTable(t *testing.T) {
	c := newClient(t)
	a := c.do("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", `{}`, asTableHeader+",application/json")
	if a.code != 201 || a.get("status.allowed") != "true" {
		t.Errorf("%d %s", a.code, a.text)
	}
	c.ok("POST", deployments, web)
	if s := c.ok("GET", deployments+"/web/scale", "", asTableHeader); s.get("columnDefinitions.1.name") != "Desired" {
		t.Errorf("a Scale as a Table: %s", s.text)
	}
}

// TestWarningsAreBounded: as on a cluster, in each and in all.
func TestWarningsAreBounded(t *testing.T) {
	c := newClient(t)
	long := strings.Repeat("x", 100_000)
	a := c.ok("POST", configMaps, `{"metadata":{"name":"a"},"`+long+`":1}`)
	if w := a.header["Warning"]; len(w) != 1 || len(w[0]) > 300 {
		t.Errorf("%d warnings of %d bytes", len(w), len(strings.Join(w, "")))
	}
	containers := strings.Repeat(`{"name":"c","image":"i","tty":true},`, 500)
	b := c.do("POST", deployments+"?dryRun=All", strings.Replace(web, `"containers":[`, `"containers":[`+containers, 1))
	if w := b.header["Warning"]; len(w) < 10 || len(strings.Join(w, "")) > 4<<10 {
		t.Errorf("%d warnings of %d bytes", len(w), len(strings.Join(w, "")))
	}
}

// TestMadeByUpdate: a PUT of a few kinds makes what is not there.
func TestMadeByUpdate(t *testing.T) {
	const leases = "/apis/coordination.k8s.io/v1/namespaces/default/leases"
	c := newClient(t)
	if a := c.do("PUT", leases+"/l", `{"metadata":{"name":"l"},"spec":{"holderIdentity":"me"}}`); a.code != 201 {
		t.Errorf("%d %s, want 201", a.code, a.text)
	}
	if a := c.do("PUT", leases+"/l", `{"metadata":{"name":"l"},"spec":{"holderIdentity":"you"}}`); a.code != 200 || a.get("spec.holderIdentity") != "you" {
		t.Errorf("%d %s, want 200", a.code, a.text)
	}
	c.fails(404, "NotFound", "", "PUT", configMaps+"/b", configMap("b", "{}"))
}

// TestOddPaths: what looks like a document of the API and is none.
func TestOddPaths(t *testing.T) {
	c := newClient(t)
	for path, code := range map[string]int{"/openapi/v3apis/apps/v1": 404, "/openapi/v3/nope": 404, "/openapi": 404, "/openapi/v3/apis/apps/v1": 200} {
		if a := c.do("GET", path, ""); a.code != code {
			t.Errorf("%s: %d, want %d", path, a.code, code)
		}
	}
	for _, path := range []string{"/version", "/openapi/v3", "/openapi/v2", "/healthz", "/api", "/apis", "/api/v1"} {
		if a := c.do("POST", path, "{}"); a.code != 405 {
			t.Errorf("POST %s: %d, want 405", path, a.code)
		}
	}
}

// TestOddNumbers: times that no clock can count are long ones.
func TestOddNumbers(t *testing.T) {
	c := newClient(t)
	for _, path := range []string{"?watch", "?watch=yes&timeoutSeconds=9300000000"} {
		w := c.watch(configMaps + path)
		if _, err := store.Create(c.store, &corev1.ConfigMap{ObjectMeta: named("m" + strings.Repeat("x", len(path)))}); err != nil {
			t.Fatal(err)
		}
		if event, ok := w.next(); !ok || valueAt(event, "type") != "ADDED" {
			t.Errorf("%s: %v, want an event", path, event)
		}
	}
}
