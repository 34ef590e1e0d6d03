package health

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{ShutdownDelay: -1})
		h.Ready("database", fine)
		h.Ready("the cache", func(context.Context) error { return errDown })
		h.Live("loop", time.Hour).Beat()
		begin(t, h)
		after(time.Second)
		for path, want := range map[string]struct {
			code int
			body string
		}{
			"/startupz":                   {200, "ok\n"},
			"/readyz":                     {503, "not ready: the cache failing\n"},
			"/livez":                      {200, "ok\n"},
			"/readyz/database":            {200, "ok\n"},
			"/readyz/the%20cache":         {503, "failing\n"},
			"/livez/loop":                 {200, "ok\n"},
			"/readyz?exclude=the+cache":   {200, "ok\n"},
			"/readyz?exclude=database":    {503, "the cache failing\n"},
			"/readyz?exclude=x&exclude=y": {503, "the cache failing\n"},
			"/readyz?other=1":             {503, "not ready: the cache failing\n"},
			"/readyz?verbose=false":       {503, "not ready: the cache failing\n"},
			"/readyz?verbose=perhaps":     {400, "cannot read verbose=\"perhaps\", use verbose or verbose=false\n"},
			"/readyz?" + strings.Repeat("exclude=x&", 101): {400, "cannot exclude 101 checks, exclude at most 100\n"},
			"/readyz?a=%25zz;":                  {400, "cannot read the query: invalid semicolon separator in query\n"},
			"/readyz/queue":                     {404, "readiness has no check of that name, see /readyz?verbose\n"},
			"/readyz/":                          {404, "404 page not found\n"},
			"/healthz":                          {404, "404 page not found\n"},
			"/":                                 {404, "404 page not found\n"},
			"/readyz?verbose&exclude=nothing":   {503, "readiness: the cache failing\n[+]database ok (checked 1s ago, took 0s)\n[-]the cache failing (checked 1s ago, took 0s, failures in a row: 1)\n! cannot exclude \"nothing\": there is no check of that name\n"},
			"/readyz?verbose&exclude=the+cache": {200, "readiness: ok\n[+]database ok (checked 1s ago, took 0s)\n[-]the cache failing (checked 1s ago, took 0s, failures in a row: 1) [does not count]\n"},
			"/livez?verbose":                    {200, "liveness: ok\n[+]loop ok (last heard of 1s ago, limit 1h0m0s)\n"},
		} {
			expect(t, h, path, want.code, want.body)
		}
	})
}

// What is excluded cannot make a service ready that has not started or is stopping.
func TestExcludeDoesNotMakeReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{ShutdownDelay: -1})
		task := h.Startup("weights")
		h.Ready("database", fine)
		end := begin(t, h)
		after(time.Second)
		expect(t, h, "/readyz?exclude=database", 503, "starting\n")
		expect(t, h, "/startupz?exclude=weights", 200, "ok\n")
		task.Done()
		expect(t, h, "/readyz?exclude=database", 200, "ok\n")
		_ = end()
		expect(t, h, "/readyz?exclude=database", 503, "stopping\n")
	})
}

func TestMethodsAndHeaders(t *testing.T) {
	h := New(Options{})
	for method, want := range map[string]int{http.MethodGet: 200, http.MethodHead: 200, http.MethodPost: 405, http.MethodDelete: 405} {
		for _, path := range []string{"/livez", "/livez?verbose", "/livez/loop"} {
			w := httptest.NewRecorder()
			h.Handler().ServeHTTP(w, httptest.NewRequest(method, path, nil))
			if path == "/livez/loop" && want == 200 {
				continue // there is no such loop
			}
			if w.Code != want {
				t.Errorf("%s %s answers %d, want %d", method, path, w.Code, want)
			}
			if want == 200 && w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("%s %s may be cached", method, path)
			}
			if want == 405 && w.Header().Get("Allow") != "GET, HEAD" {
				t.Errorf("%s %s does not say what is allowed", method, path)
			}
		}
	}
	for want, handler := range map[int]http.HandlerFunc{503: h.Readyz, 200: h.Livez} {
		w := httptest.NewRecorder()
		handler(w, httptest.NewRequest(http.MethodGet, "/any", nil))
		if w.Code != want {
			t.Errorf("mounted elsewhere it answers %d, want %d", w.Code, want)
		}
	}
	w := httptest.NewRecorder()
	h.Startupz(w, httptest.NewRequest(http.MethodGet, "/any", nil))
	if !strings.HasPrefix(w.Body.String(), "not started") {
		t.Errorf("Startupz answers %q", w.Body)
	}
}

// Full errors are for those whom the operator allows, in text and in JSON.
func TestErrorsAreWithheld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{ShutdownDelay: -1, Reveal: FromLoopback})
		h.Ready("database", func(context.Context) error { return errDown })
		begin(t, h)
		after(time.Second)
		for remote, reveals := range map[string]bool{"127.0.0.1:9": true, "[::1]:9": true, "10.0.0.1:9": false, "": false, "@": false} {
			for accept, path := range map[string]string{"*/*": "/readyz?verbose", "application/json": "/readyz"} {
				r := httptest.NewRequest(http.MethodGet, path, nil)
				r.RemoteAddr = remote
				r.Header.Set("Accept", accept)
				w := httptest.NewRecorder()
				h.Handler().ServeHTTP(w, r)
				if got := strings.Contains(w.Body.String(), "10.1.2.3"); got != reveals || w.Code != 503 {
					t.Errorf("%q, %s: %d, reveals %t, want %t", remote, accept, w.Code, got, reveals)
				}
			}
		}
	})
}

func TestJSON(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{ShutdownDelay: -1, Reveal: FromAnywhere})
		h.Ready("database", func(context.Context) error { return errDown })
		task := h.Startup("weights")
		task.Progress(1, 4)
		begin(t, h)
		after(time.Second)
		for path, want := range map[string]string{
			"/readyz":   `{"status":"fail","probe":"readiness","ok":false,"reason":"starting","checks":[{"name":"database","kind":"owned","state":"failing","gates":true,"detail":"checked 1s ago, took 0s, failures in a row: 1","error":"dial tcp 10.1.2.3:5432: connection refused","ageSeconds":1,"durationSeconds":0,"succeeded":0,"failed":1}]}`,
			"/startupz": `{"status":"fail","probe":"startup","ok":false,"reason":"starting: weights: 1/4 (25%), 1/s, 3s left","checks":[{"name":"weights","kind":"task","state":"pending","gates":true,"detail":"1/4 (25%), 1/s, 3s left","ageSeconds":1,"durationSeconds":0,"succeeded":0,"failed":0,"done":1,"total":4}]}`,
			"/livez":    `{"status":"pass","probe":"liveness","ok":true,"reason":"ok","checks":[]}`,
		} {
			r := httptest.NewRequest(http.MethodGet, path, nil)
			r.Header.Set("Accept", "text/html, application/json")
			w := httptest.NewRecorder()
			h.Handler().ServeHTTP(w, r)
			if got := strings.TrimSpace(w.Body.String()); got != want || !json.Valid([]byte(got)) || w.Header().Get("Content-Type") != "application/json" {
				t.Errorf("%s answers\n%s\nwant\n%s", path, got, want)
			}
		}
	})
}

// The form of the draft, whose checks are an object, with full errors for those who may read them.
func TestHealthJSON(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{ShutdownDelay: -1, Reveal: FromAnywhere})
		var up atomic.Bool
		h.Ready("database", func(context.Context) error {
			if !up.Load() {
				return errDown
			}
			return nil
		}, CheckOptions{Period: time.Second})
		h.Depends("billing", func(context.Context) error { return errDown })
		begin(t, h)
		after(500 * time.Millisecond)
		expectHealthJSON(t, h, "/readyz", 503, `{"status":"fail","probe":"readiness","output":"not ready: database failing","degraded":["billing"],"checks":{`+
			`"billing":[{"componentType":"component","status":"warn","time":"2000-01-01T00:00:00Z","output":"failing (checked 500ms ago, took 0s, failures in a row: 1): dial tcp 10.1.2.3:5432: connection refused"}],`+
			`"database":[{"componentType":"component","status":"fail","time":"2000-01-01T00:00:00Z","output":"failing (checked 500ms ago, took 0s, failures in a row: 1): dial tcp 10.1.2.3:5432: connection refused"}]}}`)
		up.Store(true)
		after(2 * time.Second)
		h.options.Reveal = nil
		_, body := askFor(h, "/readyz", "application/health+json")
		var got struct {
			Status   string
			Degraded []string
			Checks   map[string][]struct{ Status, Output string }
		}
		if err := json.Unmarshal([]byte(body), &got); err != nil || got.Status != "warn" || !slices.Equal(got.Degraded, []string{"billing"}) ||
			got.Checks["database"][0].Status != "pass" || strings.Contains(body, "10.1.2.3") {
			t.Errorf("with a dependency that is down: %v, %s", err, body)
		}
		_, body = askFor(h, "/readyz", "application/json")
		if !strings.Contains(body, `"status":"warn"`) || !strings.Contains(body, `"degraded":["billing"]`) {
			t.Errorf("our own form: %s", body)
		}
		expectHealthJSON(t, h, "/livez", 200, `{"status":"pass","probe":"liveness"}`)
	})
}

func expectHealthJSON(t *testing.T, h *Health, path string, code int, want string) {
	t.Helper()
	if gotCode, got := askFor(h, path, "application/health+json"); gotCode != code || got != want+"\n" {
		t.Errorf("%s answers %d\n%s\nwant %d\n%s", path, gotCode, got, code, want)
	}
}

// askFor sends a request for one media type, which the answer has to have.
func askFor(h *Health, path, mediaType string) (int, string) {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("Accept", mediaType)
	w := httptest.NewRecorder()
	h.Handler().ServeHTTP(w, r)
	if got := w.Header().Get("Content-Type"); got != mediaType {
		return 0, "it is " + got
	}
	return w.Code, w.Body.String()
}

func FuzzQuery(f *testing.F) {
	for _, seed := range []string{"", "verbose", "verbose=1", "exclude=a&exclude=b", "exclude", "exclude=%", "a;b", "verbose=x", "&&=&"} {
		f.Add(seed)
	}
	h := New(Options{})
	h.Ready("a", fine)
	f.Fuzz(func(t *testing.T, raw string) {
		q, err := parseQuery(raw)
		if err != nil && (q.verbose || q.exclude != nil) {
			t.Errorf("%q is an error and gives %+v", raw, q)
		}
		r := httptest.NewRequest(http.MethodGet, "/readyz", nil)
		r.URL.RawQuery = raw
		w := httptest.NewRecorder()
		h.Handler().ServeHTTP(w, r)
		want := http.StatusServiceUnavailable // Run has not been called: no query can make it ready
		if err != nil {
			want = http.StatusBadRequest
		}
		if w.Code != want {
			t.Errorf("%q answers %d, want %d", raw, w.Code, want)
		}
	})
}

func FuzzPath(f *testing.F) {
	for _, seed := range []string{"/readyz", "/readyz/a", "//readyz", "/livez/", "readyz/a", "/startupz/a/b"} {
		f.Add(seed)
	}
	known := regexp.MustCompile(`^(/startupz|/readyz|/livez)$`)
	f.Fuzz(func(t *testing.T, path string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.URL.Path = path
		w := httptest.NewRecorder()
		New(Options{}).Handler().ServeHTTP(w, r)
		if (w.Code == 404) == known.MatchString(path) {
			t.Errorf("%q answers %d", path, w.Code)
		}
	})
}
