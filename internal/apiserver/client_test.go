package apiserver

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/controller"
	"github.com/probity-run/probity/internal/node"
	"github.com/probity-run/probity/internal/registry"
	"github.com/probity-run/probity/internal/store"
)

// client talks to a server of a store of its own, in plain JSON: what client-go and kubectl make of
// it is tested with them.
type client struct {
	t     *testing.T
	url   string
	http  *http.Client
	store *store.Store
	api   *Server
}

func newClient(t *testing.T, change ...func(*Options)) *client {
	t.Helper()
	s := store.New(store.Options{Kinds: testKinds()})
	fields := NewFields(FieldsOptions{Kinds: ownKinds()})
	doors := registry.Options{
		Store: s, NodeName: "probity", ManagedFields: fields.ManagedFields,
	}
	opts := Options{
		Store: s, Registry: registry.New(doors), Version: "test",
		Fields: fields,
	}
	for _, c := range change {
		c(&opts)
	}
	api, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	c := &client{t: t, url: server.URL, http: http.DefaultClient, store: s, api: api}
	c.create(`{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"default"}}`)
	return c
}

// answer is what came back.
type answer struct {
	code    int
	header  http.Header
	content map[string]any
	text    string
}

// do sends a request. Headers are "Name: value".
func (c *client) do(method, path, body string, headers ...string) answer {
	c.t.Helper()
	response := c.open(method, path, body, headers...)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	a := answer{code: response.StatusCode, header: response.Header, text: string(text)}
	if strings.HasPrefix(response.Header.Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(text, &a.content); err != nil {
			c.t.Fatalf("%s %s: %v in %s", method, path, err, text)
		}
	}
	return a
}

func (c *client) open(method, path, body string, headers ...string) *http.Response {
	c.t.Helper()
	request, err := http.NewRequestWithContext(c.t.Context(), method, c.url+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		request.Header.Add(name, value)
	}
	response, err := c.http.Do(request)
	if err != nil {
		c.t.Fatal(err)
	}
	return response
}

// ok is do for a request that must succeed.
func (c *client) ok(method, path, body string, headers ...string) answer {
	c.t.Helper()
	a := c.do(method, path, body, headers...)
	if a.code >= 300 {
		c.t.Fatalf("%s %s: %d %s", method, path, a.code, a.text)
	}
	return a
}

// fails checks that a request is refused with a Status of a code and a reason, whose message has a
// text.
func (c *client) fails(code int, reason metav1.StatusReason, text, method, path, body string, headers ...string) {
	c.t.Helper()
	a := c.do(method, path, body, headers...)
	if a.code != code || a.get("kind") != "Status" || a.get("status") != "Failure" || a.get("reason") != string(reason) || !strings.Contains(a.get("message"), text) {
		c.t.Errorf("%s %s: %d %s, want %d %s with %q", method, path, a.code, a.text, code, reason, text)
	}
}

// get is a field of the answer, by its path, as text.
func (a answer) get(path string) string { return valueAt(a.content, path) }

func valueAt(content any, path string) string {
	for key := range strings.SplitSeq(path, ".") {
		switch value := content.(type) {
		case map[string]any:
			content = value[key]
		case []any:
			i := int(key[0] - '0')
			if i >= len(value) {
				return ""
			}
			content = value[i]
		default:
			return ""
		}
	}
	if text, ok := content.(string); ok {
		return text
	}
	if content == nil {
		return ""
	}
	text, err := json.Marshal(content)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// names are those of the items of a list, or of the rows of a Table.
func (a answer) names() (names []string) {
	for _, list := range []string{"items", "rows"} {
		items, _ := a.content[list].([]any)
		for _, item := range items {
			path := "metadata.name"
			if list == "rows" {
				path = "object.metadata.name"
			}
			names = append(names, valueAt(item, path))
		}
	}
	return names
}

// events reads the events of a watch.
type events struct {
	c       *client
	body    io.ReadCloser
	scanner *bufio.Scanner
}

func (c *client) watch(path string, headers ...string) *events {
	c.t.Helper()
	response := c.open("GET", path, "", headers...)
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(response.Body)
		c.t.Fatalf("GET %s: %d %s", path, response.StatusCode, text)
	}
	c.t.Cleanup(func() { response.Body.Close() })
	scanner := bufio.NewScanner(response.Body)
	scanner.Buffer(nil, 1<<20)
	return &events{c: c, body: response.Body, scanner: scanner}
}

// next is the next event, and false at the end of the stream.
func (e *events) next() (map[string]any, bool) {
	e.c.t.Helper()
	if !e.scanner.Scan() {
		if err := e.scanner.Err(); err != nil {
			e.c.t.Errorf("the watch ended by %v, want a clean end", err)
		}
		return nil, false
	}
	var event map[string]any
	if err := json.Unmarshal(e.scanner.Bytes(), &event); err != nil {
		e.c.t.Fatalf("%v in %s", err, e.scanner.Text())
	}
	return event, true
}

// want checks the types and names of the next events, as in "ADDED a".
func (e *events) want(events ...string) {
	e.c.t.Helper()
	for _, want := range events {
		event, ok := e.next()
		if !ok {
			e.c.t.Fatalf("the watch has ended, want %s", want)
		}
		name := valueAt(event, "object.metadata.name")
		if got := strings.TrimSpace(valueAt(event, "type") + " " + name); got != want {
			e.c.t.Fatalf("event %s, want %s: %v", got, want, event)
		}
	}
}

func configMap(name, data string) string {
	return `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"` + name + `","labels":{"is":"` + name + `"}},"data":` + data + `}`
}

const (
	configMaps  = "/api/v1/namespaces/default/configmaps"
	deployments = "/apis/apps/v1/namespaces/default/deployments"
	web         = `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":{"replicas":2,
		"selector":{"matchLabels":{"app":"web"}},"template":{"metadata":{"labels":{"app":"web"}},
		"spec":{"containers":[{"name":"c","image":"i","command":["c"]}]}}}}`
)

// create makes an object as Probity itself does.
func (c *client) create(text string) {
	c.t.Helper()
	o, _, err := c.api.codecs[0].Serializer.Decode([]byte(text), nil, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := registry.Create(c.api.opts.Registry, o.(store.Object)); err != nil {
		c.t.Fatal(err)
	}
}

func named(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: "default", Name: name}
}

func testKinds() []store.KindDefinition {
	return slices.Concat(store.Kubernetes(), controller.Kinds(), node.Kinds())
}

func ownKinds() []Kind {
	return []Kind{{GVK: node.ProbeReportKind, Object: &node.ProbeReport{}, List: &node.ProbeReportList{}}}
}
