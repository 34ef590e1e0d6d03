package apiserver

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	mergePatch     = "Content-Type: application/merge-patch+json"
	jsonPatch      = "Content-Type: application/json-patch+json"
	strategicPatch = "Content-Type: application/strategic-merge-patch+json"
	applyPatch     = "Content-Type: application/apply-patch+yaml"
)

func TestCreate(t *testing.T) {
	c := newClient(t)
	made := c.do("POST", configMaps, configMap("a", `{"x":"1"}`))
	if made.code != 201 || made.get("metadata.uid") == "" || made.get("metadata.namespace") != "default" || made.get("kind") != "ConfigMap" {
		t.Errorf("created: %d %s", made.code, made.text)
	}
	c.fails(409, "AlreadyExists", `configmaps "a" already exists`, "POST", configMaps, configMap("a", "{}"))
	if named := c.ok("POST", configMaps, `{"metadata":{"generateName":"some-"}}`); !strings.HasPrefix(named.get("metadata.name"), "some-") {
		t.Errorf("a generated name: %s", named.text)
	}
	c.fails(400, "BadRequest", "does not match the namespace sent on the request", "POST", configMaps, `{"metadata":{"name":"b","namespace":"other"}}`)
	c.fails(400, "BadRequest", `the object provided is unrecognized (must be of type ConfigMap)`, "POST", configMaps, `{"metadata":`)
	c.fails(400, "BadRequest", "does not match the expected API version", "POST", configMaps, `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"b"}}`)
	c.fails(415, "UnsupportedMediaType", "application/json, application/yaml, application/vnd.kubernetes.protobuf", "POST", configMaps, "x", "Content-Type: text/plain")
	c.fails(422, "Invalid", `spec.replicas: Invalid value: -2`, "POST", deployments, strings.Replace(web, `"replicas":2`, `"replicas":-2`, 1))
	if a := c.ok("POST", configMaps, "metadata: {name: yaml}\ndata: {x: '1'}\n", "Content-Type: application/yaml"); a.get("data.x") != "1" {
		t.Errorf("created from YAML: %s", a.text)
	}
}

// TestFieldValidation: what a kind does not have is refused, told, or passed over, as the client
// says.
func TestFieldValidation(t *testing.T) {
	const unknown = `{"metadata":{"name":"NAME"},"dada":{},"data":{"x":"1","x":"2"}}`
	c := newClient(t)
	c.fails(400, "BadRequest", `strict decoding error: unknown field "dada"`, "POST", configMaps+"?fieldValidation=Strict", strings.Replace(unknown, "NAME", "strict", 1))
	warned := c.ok("POST", configMaps, strings.Replace(unknown, "NAME", "warn", 1))
	if got := strings.Join(warned.header["Warning"], "\n"); !strings.Contains(got, `299 - "unknown field \"dada\""`) || !strings.Contains(got, `duplicate field \"data.x\"`) {
		t.Errorf("warnings: %s", got)
	}
	if ignored := c.ok("POST", configMaps+"?fieldValidation=Ignore", strings.Replace(unknown, "NAME", "ignore", 1)); len(ignored.header["Warning"]) > 0 {
		t.Errorf("warnings: %s", ignored.header["Warning"])
	}
	c.fails(422, "Invalid", `strict decoding error: unknown field "dada"`, "PATCH", configMaps+"/warn?fieldValidation=Strict", `{"dada":{}}`, mergePatch)
	c.fails(422, "Invalid", "fieldValidation", "POST", configMaps+"?fieldValidation=Some", configMap("b", "{}"))
}

// TestNotApplied: what a process cannot honour comes back as a warning, once.
func TestNotApplied(t *testing.T) {
	const image = "not applied here: spec.template.spec.containers[0].image"
	c := newClient(t)
	if got := c.ok("POST", deployments, web).header["Warning"]; len(got) != 1 || !strings.Contains(got[0], image) {
		t.Errorf("warnings of a creation: %q", got)
	}
	got := c.ok("PATCH", deployments+"/web", `{"spec":{"template":{"spec":{"containers":[{"name":"c","tty":true}]}}}}`, strategicPatch).header["Warning"]
	if len(got) != 1 || !strings.Contains(got[0], "containers[0].tty") {
		t.Errorf("warnings of a change: %q", got)
	}
}

func TestUpdate(t *testing.T) {
	c := newClient(t)
	made := c.ok("POST", configMaps, configMap("a", `{"x":"1"}`))
	changed := c.ok("PUT", configMaps+"/a", configMap("a", `{"x":"2"}`))
	if changed.get("data.x") != "2" || changed.get("metadata.uid") != made.get("metadata.uid") {
		t.Errorf("updated: %s", changed.text)
	}
	same := c.ok("PUT", configMaps+"/a", configMap("a", `{"x":"2"}`))
	if same.get("metadata.resourceVersion") != changed.get("metadata.resourceVersion") {
		t.Errorf("an update that changes nothing: version %s, before %s", same.get("metadata.resourceVersion"), changed.get("metadata.resourceVersion"))
	}
	stale := `{"metadata":{"name":"a","resourceVersion":"` + made.get("metadata.resourceVersion") + `"},"data":{"x":"3"}}`
	c.fails(409, "Conflict", "the object has been modified", "PUT", configMaps+"/a", stale)
	c.fails(409, "Conflict", "UID in the precondition", "PUT", configMaps+"/a", `{"metadata":{"name":"a","uid":"other"}}`)
	c.fails(400, "BadRequest", "does not match the name on the URL", "PUT", configMaps+"/a", configMap("b", "{}"))
	c.fails(404, "NotFound", `configmaps "b" not found`, "PUT", configMaps+"/b", configMap("b", "{}"))
	c.ok("POST", deployments, web)
	c.fails(422, "Invalid", "spec.selector: Invalid value", "PUT", deployments+"/web", strings.ReplaceAll(web, `"app":"web"`, `"app":"other"`))
}

func TestPatch(t *testing.T) {
	c := newClient(t)
	c.ok("POST", configMaps, configMap("a", `{"x":"1","y":"2"}`))
	c.ok("POST", deployments, web)
	for _, test := range []struct {
		path, kind, patch, field, want string
	}{
		{configMaps + "/a", mergePatch, `{"data":{"x":null,"z":"3"}}`, "data", `{"y":"2","z":"3"}`},
		{configMaps + "/a", jsonPatch, `[{"op":"test","path":"/data/y","value":"2"},{"op":"replace","path":"/data/y","value":"5"}]`, "data.y", "5"},
		{deployments + "/web", strategicPatch, `{"spec":{"template":{"spec":{"containers":[{"name":"d","image":"j","command":["d"]}]}}}}`, "spec.template.spec.containers.0.name", "d"},
		{deployments + "/web", strategicPatch, `{"spec":{"template":{"spec":{"containers":[{"$patch":"delete","name":"d"}]}}}}`, "spec.template.spec.containers.0.name", "c"},
		{deployments + "/web", mergePatch, `{"spec":{"replicas":5}}`, "spec.replicas", "5"},
	} {
		if got := c.ok("PATCH", test.path, test.patch, test.kind); got.get(test.field) != test.want {
			t.Errorf("%s: %s = %s, want %s", test.patch, test.field, got.get(test.field), test.want)
		}
	}
	c.fails(422, "Invalid", "the server rejected our request", "PATCH", configMaps+"/a", `[{"op":"test","path":"/data/y","value":"9"}]`, jsonPatch)
	c.fails(400, "BadRequest", "", "PATCH", configMaps+"/a", `{"op":`, jsonPatch)
	c.fails(400, "BadRequest", "error decoding patch", "PATCH", configMaps+"/a", `[1]`, mergePatch)
	c.fails(415, "UnsupportedMediaType", "application/apply-patch+yaml", "PATCH", configMaps+"/a", `{}`, "Content-Type: application/json")
	c.fails(404, "NotFound", "", "PATCH", configMaps+"/b", `{}`, mergePatch)
	c.fails(409, "Conflict", "", "PATCH", configMaps+"/a", `{"metadata":{"resourceVersion":"1"}}`, mergePatch)
	c.fails(400, "BadRequest", "does not match", "PATCH", configMaps+"/a", `{"metadata":{"name":"b"}}`, mergePatch)
}

// TestApply: server-side apply makes what is not there, keeps what others own, and refuses what
// others want otherwise.
func TestApply(t *testing.T) {
	c := newClient(t)
	apply := func(manager, data, more string) (method, path, body, header string) {
		return "PATCH", configMaps + "/a?fieldManager=" + manager + more, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: " + data, applyPatch
	}
	if made := c.do(apply("one", "{x: '1'}", "")); made.code != 201 || made.get("metadata.managedFields.0.manager") != "one" || made.get("metadata.managedFields.0.operation") != "Apply" {
		t.Errorf("applied: %d %s", made.code, made.text)
	}
	version := c.ok("GET", configMaps+"/a", "").get("metadata.resourceVersion")
	if same := c.do(apply("one", "{x: '1'}", "")); same.code != 200 || same.get("metadata.resourceVersion") != version {
		t.Errorf("applied again: %d %s, want version %s", same.code, same.text, version)
	}
	if both := c.ok(apply("two", "{z: '2'}", "")); both.get("data") != `{"x":"1","z":"2"}` {
		t.Errorf("applied by two: %s", both.get("data"))
	}
	conflict := c.do(apply("two", "{x: '3', z: '2'}", ""))
	if conflict.code != 409 || conflict.get("details.causes.0.reason") != "FieldManagerConflict" || conflict.get("details.causes.0.field") != ".data.x" {
		t.Errorf("a conflict: %d %s", conflict.code, conflict.text)
	}
	if forced := c.ok(apply("two", "{x: '3', z: '2'}", "&force=true")); forced.get("data.x") != "3" {
		t.Errorf("forced: %s", forced.text)
	}
	if less := c.ok(apply("two", "{x: '3'}", "")); less.get("data") != `{"x":"3"}` {
		t.Errorf("without a field: %s", less.get("data"))
	}
	c.fails(422, "Invalid", "fieldManager: Required value", "PATCH", configMaps+"/a", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}", applyPatch)
	c.fails(400, "BadRequest", "metadata.managedFields must be nil", "PATCH", configMaps+"/a?fieldManager=x", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, managedFields: [{manager: x}]}", applyPatch)
	c.fails(409, "Conflict", "uid mismatch", "PATCH", configMaps+"/b?fieldManager=x", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b, uid: u}", applyPatch)
	c.fails(400, "BadRequest", "error decoding YAML", "PATCH", configMaps+"/a?fieldManager=x", ": :", applyPatch)
}

// TestOwnObjects: what Probity itself has made belongs to it as soon as a client applies it.
func TestOwnObjects(t *testing.T) {
	c := newClient(t)
	c.create(web)
	a := c.do("PATCH", deployments+"/web?fieldManager=me", strings.Replace(web, `"replicas":2`, `"replicas":3`, 1), applyPatch)
	if a.code != 409 || !strings.Contains(a.get("message"), `conflict with "probity" using apps/v1: .spec.replicas`) {
		t.Errorf("applied: %d %s, want a conflict with probity", a.code, a.text)
	}
}

// TestDryRun: nothing is stored, whatever the verb.
func TestDryRun(t *testing.T) {
	c := newClient(t)
	c.ok("POST", configMaps, configMap("a", `{"x":"1"}`))
	c.ok("POST", deployments, web)
	before := c.ok("GET", configMaps, "").text + c.ok("GET", deployments, "").text
	for _, request := range [][]string{
		{"POST", configMaps + "?dryRun=All", configMap("b", "{}")},
		{"PUT", configMaps + "/a?dryRun=All", configMap("a", "{}")},
		{"PATCH", configMaps + "/a?dryRun=All", `{"data":{"x":"2"}}`, mergePatch},
		{"PATCH", configMaps + "/a?dryRun=All&fieldManager=x", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {z: '1'}", applyPatch},
		{"PATCH", configMaps + "/new?dryRun=All&fieldManager=x", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: new}", applyPatch},
		{"DELETE", configMaps + "/a?dryRun=All", ""},
		{"DELETE", configMaps + "/a", `{"dryRun":["All"]}`},
		{"DELETE", configMaps + "?dryRun=All", ""},
		{"PATCH", deployments + "/web/scale?dryRun=All", `{"spec":{"replicas":7}}`, mergePatch},
		{"PUT", deployments + "/web/status?dryRun=All", strings.Replace(web, `"spec"`, `"status":{"replicas":7},"spec"`, 1)},
	} {
		c.ok(request[0], request[1], request[2], request[3:]...)
		if after := c.ok("GET", configMaps, "").text + c.ok("GET", deployments, "").text; after != before {
			t.Errorf("%v has stored something: %s", request, after)
		}
	}
	c.fails(422, "Invalid", "dryRun", "POST", configMaps+"?dryRun=Some", configMap("b", "{}"))
}

func TestDelete(t *testing.T) {
	c := newClient(t)
	for _, name := range []string{"a", "b", "c"} {
		c.ok("POST", configMaps, configMap(name, "{}"))
	}
	gone := c.ok("DELETE", configMaps+"/a", "")
	if gone.get("kind") != "Status" || gone.get("status") != "Success" || gone.get("details.name") != "a" || gone.get("details.kind") != "configmaps" || gone.get("details.uid") == "" {
		t.Errorf("deleted: %s", gone.text)
	}
	c.fails(404, "NotFound", "", "DELETE", configMaps+"/a", "")
	c.fails(409, "Conflict", "UID in the precondition", "DELETE", configMaps+"/b", `{"preconditions":{"uid":"other"}}`)
	c.fails(409, "Conflict", "ResourceVersion in the precondition", "DELETE", configMaps+"/b", `{"preconditions":{"resourceVersion":"1"}}`)
	c.fails(422, "Invalid", "propagationPolicy", "DELETE", configMaps+"/b?propagationPolicy=Some", "")
	if list := c.ok("DELETE", configMaps+"?labelSelector=is%3Dc", ""); strings.Join(list.names(), " ") != "c" {
		t.Errorf("deleted: %s", list.text)
	}
	if left := c.ok("GET", configMaps, "").names(); strings.Join(left, " ") != "b" {
		t.Errorf("left: %v", left)
	}
	c.ok("POST", deployments, web)
	kept := c.ok("DELETE", deployments+"/web", `{"propagationPolicy":"Foreground","kind":"DeleteOptions","apiVersion":"v1"}`)
	if kept.get("kind") == "Deployment" && kept.get("metadata.finalizers") != `["foregroundDeletion"]` {
		t.Errorf("deleted in the foreground: %s", kept.text)
	}
}

func TestStatus(t *testing.T) {
	c := newClient(t)
	c.ok("POST", deployments, web)
	status := strings.Replace(web, `"replicas":2`, `"replicas":9`, 1)
	status = strings.Replace(status, `"spec"`, `"status":{"replicas":7},"spec"`, 1)
	written := c.ok("PUT", deployments+"/web/status", status)
	if written.get("status.replicas") != "7" || written.get("spec.replicas") != "2" {
		t.Errorf("status written: %s", written.text)
	}
	spec := c.ok("PUT", deployments+"/web", strings.Replace(status, `:7}`, `:1}`, 1))
	if spec.get("status.replicas") != "7" || spec.get("spec.replicas") != "9" {
		t.Errorf("spec written: %s", spec.text)
	}
	if read := c.ok("GET", deployments+"/web/status", ""); read.get("status.replicas") != "7" {
		t.Errorf("status read: %s", read.text)
	}
}

func TestScale(t *testing.T) {
	c := newClient(t)
	c.ok("POST", deployments, web)
	read := c.ok("GET", deployments+"/web/scale", "")
	if read.get("kind") != "Scale" || read.get("spec.replicas") != "2" || read.get("status.selector") != "app=web" {
		t.Errorf("scale: %s", read.text)
	}
	if patched := c.ok("PATCH", deployments+"/web/scale", `{"spec":{"replicas":4}}`, mergePatch); patched.get("spec.replicas") != "4" {
		t.Errorf("patched: %s", patched.text)
	}
	if put := c.ok("PUT", deployments+"/web/scale", `{"apiVersion":"autoscaling/v1","kind":"Scale","metadata":{"name":"web"},"spec":{"replicas":0}}`); put.get("spec.replicas") != "" && put.get("spec.replicas") != "0" {
		t.Errorf("written: %s", put.text)
	}
	if d := c.ok("GET", deployments+"/web", ""); d.get("spec.replicas") != "0" {
		t.Errorf("the Deployment: %s", d.text)
	}
	c.fails(422, "Invalid", `Scale.autoscaling "web" is invalid: spec.replicas: Invalid value: -1`, "PATCH", deployments+"/web/scale", `{"spec":{"replicas":-1}}`, mergePatch)
	c.fails(409, "Conflict", "", "PUT", deployments+"/web/scale", `{"metadata":{"name":"web","resourceVersion":"1"},"spec":{"replicas":1}}`)
	if a := c.do("PATCH", deployments+"/web/scale?fieldManager=me", `{"apiVersion":"autoscaling/v1","kind":"Scale","metadata":{"name":"web"},"spec":{"replicas":3}}`, applyPatch); a.code != 409 {
		t.Errorf("applied: %d %s, want a conflict", a.code, a.text)
	}
	if a := c.ok("PATCH", deployments+"/web/scale?fieldManager=me&force=true", `{"apiVersion":"autoscaling/v1","kind":"Scale","metadata":{"name":"web"},"spec":{"replicas":3}}`, applyPatch); a.get("spec.replicas") != "3" {
		t.Errorf("applied by force: %s", a.text)
	}
}

// TestStopping: a run that is being stopped takes nothing new.
func TestStopping(t *testing.T) {
	stopping := false
	c := newClient(t, func(o *Options) { o.Stopping = func() bool { return stopping } })
	c.ok("POST", configMaps, configMap("a", "{}"))
	stopping = true
	a := c.do("POST", configMaps, configMap("b", "{}"))
	if a.code != 503 || a.header.Get("Retry-After") != "1" {
		t.Errorf("%d %v, want 503 with Retry-After", a.code, a.header)
	}
	c.ok("DELETE", configMaps+"/a", "")
}

func TestEviction(t *testing.T) {
	c := newClient(t)
	const pods = "/api/v1/namespaces/default/pods"
	c.ok("POST", pods, `{"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i","command":["c"]}]}}`)
	a := c.do("POST", pods+"/p/eviction", `{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"p"},"deleteOptions":{"gracePeriodSeconds":0}}`)
	if a.code != 201 || a.get("status") != "Success" {
		t.Errorf("evicted: %d %s", a.code, a.text)
	}
	c.fails(404, "NotFound", "", "GET", pods+"/p", "")
}

func TestReviews(t *testing.T) {
	c := newClient(t)
	if a := c.ok("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", `{"spec":{"resourceAttributes":{"group":"metrics.k8s.io","verb":"get","resource":"pods"}}}`); a.get("status.allowed") != "true" {
		t.Errorf("access: %s", a.text)
	}
	if a := c.ok("POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", `{"spec":{"namespace":"default"}}`); a.get("status.resourceRules.0.verbs") != `["*"]` {
		t.Errorf("rules: %s", a.text)
	}
	if a := c.ok("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", `{}`); a.get("status.userInfo.username") != "probity" {
		t.Errorf("who: %s", a.text)
	}
	c.fails(405, metav1.StatusReasonMethodNotAllowed, "", "GET", "/apis/authentication.k8s.io/v1/selfsubjectreviews", "")
}

func TestEventsOfBothGroups(t *testing.T) {
	const core, newer = "/api/v1/namespaces/default/events", "/apis/events.k8s.io/v1/namespaces/default/events"
	c := newClient(t)
	c.ok("POST", newer, `{"metadata":{"name":"e"},"eventTime":"2026-01-02T03:04:05.000000Z","regarding":{"kind":"Pod","name":"p","namespace":"default"},
		"reason":"Because","note":"a note","type":"Normal","action":"Do","reportingController":"me","reportingInstance":"me-1"}`)
	if e := c.ok("GET", core+"/e", ""); e.get("message") != "a note" || e.get("involvedObject.name") != "p" || e.get("apiVersion") != "v1" {
		t.Errorf("as a core Event: %s", e.text)
	}
	w := c.watch(newer + "?watch=true&fieldSelector=regarding.name%3Dp")
	event, _ := w.next()
	if valueAt(event, "object.note") != "a note" || valueAt(event, "object.apiVersion") != "events.k8s.io/v1" {
		t.Errorf("watched: %v", event)
	}
	if list := c.ok("GET", newer+"?fieldSelector=regarding.name%3Dq", ""); len(list.names()) != 0 || list.get("kind") != "EventList" {
		t.Errorf("of another object: %s", list.text)
	}
	c.fails(422, "Invalid", `message: Invalid value: "another": field is immutable`, "PATCH", newer+"/e", `{"note":"another"}`, mergePatch)
	series := `{"series":{"count":2,"lastObservedTime":"2026-01-02T03:05:05.000000Z"}}`
	if e := c.ok("PATCH", newer+"/e", series, mergePatch); e.get("series.count") != "2" || e.get("note") != "a note" || e.get("regarding.name") != "p" {
		t.Errorf("patched: %s", e.text)
	}
	if owner := c.ok("GET", core+"/e", ""); owner.get("metadata.managedFields.0.apiVersion") != "events.k8s.io/v1" {
		t.Errorf("its owner writes another group: %s", owner.text)
	}
	c.fails(422, "Invalid", "eventTime: Required value", "POST", newer, `{"metadata":{"name":"f"},"regarding":{"kind":"Pod","name":"p","namespace":"default"},"type":"Normal"}`)
	c.fails(400, "BadRequest", "field label not supported: involvedObject.name", "GET", newer+"?fieldSelector=involvedObject.name%3Dp", "")
	c.fails(400, "BadRequest", "field label not supported: regarding.name", "GET", core+"?fieldSelector=regarding.name%3Dp", "")
}
