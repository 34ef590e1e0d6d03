package dashboard

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/apiserver"
	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/registry"
	"github.com/probity-run/probity/internal/store"
)

const testPort = 4711

// host is how browsers name the server of these tests.
const host = "127.0.0.1:4711"

var noon = time.Date(2026, 11, 4, 12, 0, 0, 0, time.UTC)

// fakeRunner notes what it is asked for.
type fakeRunner struct {
	asked []string
	next  *corev1.Pod // that a Pod is replaced by
	waits bool        // that one is still to be made
	logs  string      // folder of logs; "" is one that is empty
}

func (f *fakeRunner) OpenLog(*corev1.Pod, string, int) *process.LogReader {
	return process.OpenLogReader(f.logs, 0)
}
func (f *fakeRunner) Listeners(context.Context, types.UID) (map[string][]netip.AddrPort, error) {
	return nil, errors.New("not here")
}
func (f *fakeRunner) Place(*corev1.Pod, string) string { return "" }
func (f *fakeRunner) Stopping() bool                   { return false }
func (f *fakeRunner) note(what string) error           { f.asked = append(f.asked, what); return nil }
func (f *fakeRunner) RestartContainer(namespace, name, container string) error {
	return f.note(strings.TrimSpace("restart " + namespace + "/" + name + " " + container))
}
func (f *fakeRunner) ReplacePod(_ context.Context, live, next *corev1.Pod, _ registry.WriteOptions) error {
	f.next = next
	return f.note("replace " + live.Namespace + "/" + live.Name)
}
func (f *fakeRunner) Waits(string, string) bool { return f.waits }
func (f *fakeRunner) DeletePod(namespace, name string) error {
	return f.note("delete " + namespace + "/" + name)
}
func (f *fakeRunner) SetRotation(namespace, name string, out bool) error {
	return f.note(map[bool]string{true: "out ", false: "back "}[out] + namespace + "/" + name)
}
func (f *fakeRunner) Signal(namespace, name, container string, sig syscall.Signal) error {
	return f.note(sig.String() + " " + namespace + "/" + name + " " + container)
}

// fixture is a server with a store of its own, and a clock that stands still.
type fixture struct {
	*Server
	runner   *fakeRunner
	recorder *history.Recorder
	now      time.Time
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	f := &fixture{runner: &fakeRunner{logs: t.TempDir()}, recorder: &history.Recorder{}, now: noon}
	objects := store.New(store.Options{Kinds: store.Kubernetes()})
	fields := apiserver.NewFields(apiserver.FieldsOptions{})
	doors := registry.New(registry.Options{Store: objects, NodeName: "here", ManagedFields: fields.ManagedFields})
	s := New(Options{
		Instance: "abc", Key: []byte(strings.Repeat("k", 32)), Port: testPort, Title: "app.yaml", Store: objects, Registry: doors, Fields: fields,
		History: f.recorder.Reader(), Runner: f.runner, Now: func() time.Time { return f.now },
	})
	f.Server = s
	t.Cleanup(s.hub.end)
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "default"}}
	if _, err := registry.Create(doors, namespace); err != nil {
		t.Fatal(err)
	}
	return f
}

// pod adds a Pod that is ready.
func (f *fixture) pod(t testing.TB, name string, change ...func(*corev1.Pod)) *corev1.Pod {
	t.Helper()
	get := func(path string) *corev1.Probe {
		return &corev1.Probe{TimeoutSeconds: 1, PeriodSeconds: 2, SuccessThreshold: 1, FailureThreshold: 3, ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: path}}}
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default", UID: types.UID("uid-" + name), CreationTimestamp: metav1.Time{Time: noon.Add(-time.Hour)}, Annotations: map[string]string{}},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{
			Name: "app", Command: []string{"app"}, Ports: []corev1.ContainerPort{{ContainerPort: 8080}}, ReadinessProbe: get("/readyz"), LivenessProbe: get("/livez"),
		}}},
		Status: corev1.PodStatus{
			Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}},
			ContainerStatuses: []corev1.ContainerStatus{{Name: "app", Ready: true, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Time{Time: noon.Add(-time.Hour)}}}}},
		},
	}
	for _, c := range change {
		c(pod)
	}
	manifest.Default(pod)
	created, err := store.Create(f.opts.Store, pod)
	if err != nil {
		t.Fatal(err)
	}
	f.recorder.Add(created.UID)
	return created
}

// ask sends a request as a page of the dashboard does in a browser that is signed in.
func (f *fixture) ask(method, path string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://"+host+path, nil)
	r.AddCookie(&http.Cookie{Name: f.signIn.cookieName(), Value: sign(f.opts.Key, "cookie", f.opts.Instance)})
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if method != http.MethodGet {
		r.Header.Set("Origin", "http://"+host)
	}
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	return w
}

func typed(values ...string) func(*http.Request) {
	body := url.Values{}
	for i := 0; i < len(values); i += 2 {
		body.Set(values[i], values[i+1])
	}
	return func(r *http.Request) {
		*r = *r.WithContext(r.Context())
		r.Form = body
	}
}

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) {
		if r.Header.Del(name); value != "" {
			r.Header.Set(name, value)
		}
	}
}

// TestHeaders: every answer tells the browser what a page may do, those that refuse too.
func TestHeaders(t *testing.T) {
	f := newFixture(t)
	for path, status := range map[string]int{
		"/ui/pods": 200, "/ui/services": 200, "/ui/": 303, "/": 303, "/nowhere": 404, f.files().address("app.css"): 200, "/ui/static/old/app.js": 200, "/ui/static/x/none.js": 404,
	} {
		w := f.ask(http.MethodGet, path)
		if w.Code != status {
			t.Errorf("%s: %d, want %d", path, w.Code, status)
		}
		for name, want := range map[string]string{
			"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s: %s: %q, want %q", path, name, got, want)
			}
		}
		if cache := w.Header().Get("Cache-Control"); !strings.HasPrefix(path, staticPath) && cache != "no-store" {
			t.Errorf("%s: Cache-Control: %q", path, cache)
		}
	}
}

// TestWhoIsLetIn: by cookie, by the names of this server, and changes from its own pages alone.
func TestWhoIsLetIn(t *testing.T) {
	const post, get = http.MethodPost, http.MethodGet
	for name, test := range map[string]struct {
		method, path string
		change       []func(*http.Request)
		want         int
	}{
		"a page":                      {get, "/ui/pods", nil, 200},
		"without the cookie":          {get, "/ui/pods", []func(*http.Request){header("Cookie", "")}, 401},
		"a wrong cookie":              {get, "/ui/pods", []func(*http.Request){header("Cookie", "probity-abc=x")}, 401},
		"the cookie of another run":   {get, "/ui/pods", []func(*http.Request){header("Cookie", "probity-abc="+sign([]byte("other"), "cookie", "abc"))}, 401},
		"a rebound name":              {get, "/ui/pods", []func(*http.Request){func(r *http.Request) { r.Host = "evil.example:4711" }}, 403},
		"another port":                {get, "/ui/pods", []func(*http.Request){func(r *http.Request) { r.Host = "127.0.0.1:80" }}, 403},
		"a foreign page reads":        {get, "/ui/pods", []func(*http.Request){header("Origin", "https://evil.example")}, 403},
		"a link of another site":      {get, "/ui/pods", []func(*http.Request){header("Sec-Fetch-Site", "cross-site")}, 200},
		"a foreign stream":            {get, "/ui/stream", []func(*http.Request){header("Sec-Fetch-Site", "cross-site")}, 403},
		"another port's stream":       {get, "/ui/stream", []func(*http.Request){header("Sec-Fetch-Site", "same-site")}, 403},
		"a change":                    {post, "/ui/pods/default/web/do", []func(*http.Request){typed("do", "restart")}, 200},
		"a change, no cookie":         {post, "/ui/pods/default/web/do", []func(*http.Request){typed("do", "restart"), header("Cookie", "")}, 401},
		"a foreign change":            {post, "/ui/pods/default/web/do", []func(*http.Request){typed("do", "restart"), header("Origin", "https://evil.example")}, 403},
		"a change of another port":    {post, "/ui/pods/default/web/do", []func(*http.Request){typed("do", "restart"), header("Origin", "http://127.0.0.1:80")}, 403},
		"a change without an origin":  {post, "/ui/pods/default/web/do", []func(*http.Request){typed("do", "restart"), header("Origin", "")}, 403},
		"a change of the same site":   {post, "/ui/pods/default/web/do", []func(*http.Request){typed("do", "restart"), header("Sec-Fetch-Site", "same-site")}, 403},
		"a change, nobody says where": {post, "/ui/pods/default/web/do", []func(*http.Request){typed("do", "restart"), header("Sec-Fetch-Site", "")}, 403},
		"a change by an address":      {get, "/ui/pods/default/web/do?do=restart", nil, 404},
		"what nobody offers":          {post, "/ui/pods/default/web/do", []func(*http.Request){typed("do", "explode")}, 409},
	} {
		f := newFixture(t)
		f.pod(t, "web")
		w := f.ask(test.method, test.path, test.change...)
		if w.Code != test.want {
			t.Errorf("%s: %d, want %d: %.200s", name, w.Code, test.want, w.Body)
		}
		if did := len(f.runner.asked) > 0; did != (name == "a change") {
			t.Errorf("%s: the runner was asked for %q", name, f.runner.asked)
		}
	}
}

// TestSignIn: a once-token lets in once, within a minute, and leaves the address at once.
func TestSignIn(t *testing.T) {
	f := newFixture(t)
	enter := func(token string) *httptest.ResponseRecorder {
		return f.ask(http.MethodGet, "/ui/?t="+url.QueryEscape(token), header("Cookie", ""), header("Sec-Fetch-Site", "none"))
	}
	token := NewOnce(f.opts.Key, f.now)
	w := enter(token)
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/ui/pods" {
		t.Fatalf("%d to %q", w.Code, w.Header().Get("Location"))
	}
	cookie := w.Result().Cookies()[0]
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || cookie.Path != "/ui/" || cookie.Name != "probity-abc" {
		t.Errorf("the cookie is %v", cookie)
	}
	if w := f.ask(http.MethodGet, "/ui/pods", header("Cookie", cookie.Name+"="+cookie.Value)); w.Code != http.StatusOK {
		t.Errorf("with the cookie: %d", w.Code)
	}
	if w := enter(token); w.Code != http.StatusUnauthorized {
		t.Errorf("the same token again: %d", w.Code)
	}
	late := NewOnce(f.opts.Key, f.now)
	f.now = f.now.Add(onceTime + time.Second)
	for name, token := range map[string]string{
		"after a minute": late, "nothing": ".", "of another key": NewOnce([]byte("other"), f.now), "of the future": NewOnce(f.opts.Key, f.now.Add(time.Hour)),
		"with another time": "z" + NewOnce(f.opts.Key, f.now),
	} {
		if w := enter(token); w.Code != http.StatusUnauthorized || len(w.Result().Cookies()) > 0 {
			t.Errorf("a token %s: %d", name, w.Code)
		}
	}
	w = f.ask(http.MethodGet, "/ui/pods", header("Cookie", ""), header("Sec-Fetch-Site", "cross-site"))
	if w.Code != http.StatusUnauthorized || w.Header().Get("Refresh") == "" || w.Header().Get(RunHeader) != "abc" {
		t.Errorf("a link of another site: %d, %v", w.Code, w.Header())
	}
}

// TestStaticFiles: what is found by its hash is kept for ever, and nothing is sent twice.
func TestStaticFiles(t *testing.T) {
	f := newFixture(t)
	w := f.ask(http.MethodGet, f.files().address("app.css"), header("Accept-Encoding", "gzip"))
	if !strings.Contains(w.Header().Get("Cache-Control"), "immutable") || w.Header().Get("Content-Encoding") != "gzip" {
		t.Errorf("the header is %v", w.Header())
	}
	if again := f.ask(http.MethodGet, f.files().address("app.css"), header("If-None-Match", w.Header().Get("ETag"))); again.Code != http.StatusNotModified || again.Body.Len() > 0 {
		t.Errorf("again: %d, %d bytes", again.Code, again.Body.Len())
	}
	if old := f.ask(http.MethodGet, "/ui/static/0123/app.css"); strings.Contains(old.Header().Get("Cache-Control"), "immutable") {
		t.Errorf("by another hash: %v", old.Header())
	}
	sizes := map[string]int{}
	for name, file := range f.files().files {
		sizes[name[strings.LastIndexByte(name, '.'):]] += len(file.zipped)
	}
	if sizes[".js"] > 25<<10 || sizes[".css"] > 10<<10 {
		t.Errorf("scripts have %d bytes, style sheets %d: the budgets are 25 and 10 KiB", sizes[".js"], sizes[".css"])
	}
}
