package apiserver

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/probity-run/probity/internal/apiserver/guard"
	"github.com/probity-run/probity/internal/apiserver/scrape"
	"github.com/probity-run/probity/internal/proxy"
)

// series is the line of a series in what /metrics answers; "" if it is not there.
func (c *client) series(labelled string) string {
	c.t.Helper()
	for line := range strings.Lines(c.ok("GET", "/metrics", "").text) {
		if strings.HasPrefix(line, labelled+" ") {
			return strings.TrimSpace(strings.TrimPrefix(line, labelled))
		}
	}
	return ""
}

func TestMetrics(t *testing.T) {
	c := newClient(t, func(o *Options) {
		o.Traffic = func() proxy.State {
			return proxy.State{Ports: []proxy.PortState{{Port: 80, Protocol: "http", Retries: 7}}}
		}
	})
	a := c.ok("GET", "/metrics", "")
	if got := a.header.Get("Content-Type"); got != "text/plain; version=0.0.4; charset=utf-8" {
		t.Errorf("Content-Type %q", got)
	}
	for _, line := range []string{`probity_build_info{version="test"} 1`, `probity_proxy_retries_total{namespace="",service="",port="80"} 7`, "# TYPE go_goroutines gauge"} {
		if !strings.Contains(a.text, line+"\n") {
			t.Errorf("there is no %s in\n%s", line, a.text)
		}
	}
	if got := c.ok("GET", "/metrics/probes", "").text; strings.Contains(got, "probity_") || !strings.Contains(got, "\nprocess_start_time_seconds ") {
		t.Errorf("probes of a run without Pods: %s", got)
	}
	for _, path := range []string{"/metrics", "/metrics/probes"} {
		if a := c.ok("HEAD", path, ""); a.text != "" || a.header.Get("Content-Type") == "" {
			t.Errorf("HEAD %s: %v %q", path, a.header, a.text)
		}
		for _, method := range []string{"POST", "PUT", "PATCH", "DELETE"} {
			if a := c.do(method, path, ""); a.code != http.StatusMethodNotAllowed || a.header.Get("Allow") != "GET, HEAD" {
				t.Errorf("%s %s: %d, Allow %q", method, path, a.code, a.header.Get("Allow"))
			}
		}
	}
	for _, path := range []string{"/metrics/", "/metrics/cadvisor", "/metricsx"} {
		if a := c.do("GET", path, ""); a.code != http.StatusNotFound {
			t.Errorf("GET %s: %d", path, a.code)
		}
	}
}

// TestMetricsAreZipped: for who takes it, but not on this machine.
func TestMetricsAreZipped(t *testing.T) {
	c := newClient(t)
	tests := map[string]struct {
		from, accept string
		want         bool
	}{
		"from elsewhere":               {"192.0.2.7:4711", "gzip", true},
		"from elsewhere, among others": {"[2001:db8::7]:4711", "zstd;q=1.0, gzip;q=0.5", true},
		"from elsewhere, plain":        {"192.0.2.7:4711", "", false},
		"from here":                    {"127.0.0.1:4711", "gzip", false},
		"from here, over IPv6":         {"[::1]:4711", "gzip", false},
		"from here, mapped":            {"[::ffff:127.0.0.1]:4711", "gzip", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil)
			r.RemoteAddr = test.from
			r.Header.Set("Accept-Encoding", test.accept)
			w := httptest.NewRecorder()
			c.api.ServeHTTP(w, r)
			var body io.Reader = w.Body
			if got := w.Header().Get("Content-Encoding") == "gzip"; got != test.want {
				t.Fatalf("compressed: %v, want %v", got, test.want)
			}
			if test.want {
				zipped, err := gzip.NewReader(body)
				if err != nil {
					t.Fatal(err)
				}
				body = zipped
			}
			if text, err := io.ReadAll(body); err != nil || !strings.HasSuffix(string(text), "\n") || !strings.Contains(string(text), "\nprobity_build_info{") {
				t.Errorf("%v\n%s", err, text)
			}
		})
	}
}

func TestRequestsAreCounted(t *testing.T) {
	c := newClient(t)
	c.ok("POST", "/api/v1/namespaces", `{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"other"}}`)
	c.ok("GET", "/api/v1/pods", "")
	c.ok("GET", "/api/v1/namespaces/default/pods", "")
	c.ok("GET", "/api/v1/namespaces/default", "")
	c.do("GET", "/api/v1/namespaces/default/pods/none/log", "")
	c.do("GET", "/api/v1/namespaces/default/pods/none/nonsense", "")
	c.do("PATCH", "/api/v1/namespaces/default/configmaps/c?fieldManager=m", `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"}}`, "Content-Type: application/apply-patch+yaml")
	c.do("PATCH", "/api/v1/namespaces/default/configmaps/none", `{}`, "Content-Type: application/merge-patch+json")
	c.do("DELETE", "/api/v1/namespaces/default/configmaps", "")
	c.do("STRANGE", "/api/v1/namespaces/default/configmaps", "")
	c.do("GET", "/apis/example.com/v1/whatevers", "")
	c.do("GET", "/api/v1/namespaces/default/pods/a/b/c/d", "")
	for labels, want := range map[string]string{
		`{verb="LIST",group="",version="v1",resource="pods",subresource="",code="200"}`:                   "2",
		`{verb="POST",group="",version="v1",resource="namespaces",subresource="",code="201"}`:             "1",
		`{verb="GET",group="",version="v1",resource="namespaces",subresource="",code="200"}`:              "1",
		`{verb="GET",group="",version="v1",resource="pods",subresource="log",code="404"}`:                 "1",
		`{verb="GET",group="",version="v1",resource="pods",subresource="",code="404"}`:                    "1",
		`{verb="APPLY",group="",version="v1",resource="configmaps",subresource="",code="201"}`:            "1",
		`{verb="PATCH",group="",version="v1",resource="configmaps",subresource="",code="404"}`:            "1",
		`{verb="DELETECOLLECTION",group="",version="v1",resource="configmaps",subresource="",code="200"}`: "1",
		`{verb="OTHER",group="",version="v1",resource="configmaps",subresource="",code="405"}`:            "1",
		`{verb="GET",group="",version="",resource="",subresource="",code="404"}`:                          "2",
	} {
		if got := c.series("apiserver_request_total" + labels); got != want {
			t.Errorf("%s is %q, want %s", labels, got, want)
		}
	}
}

func TestRequestOf(t *testing.T) {
	c := newClient(t)
	pod := func(verb, subresource string) scrape.Request {
		return scrape.Request{Verb: verb, Version: "v1", Resource: "pods", Subresource: subresource}
	}
	const web = "/api/v1/namespaces/default/pods/web"
	tests := map[string]struct {
		method, path string
		want         scrape.Request
		lasts        bool
	}{
		"exec over SPDY":         {"POST", web + "/exec?command=ls", pod("CONNECT", "exec"), true},
		"exec over WebSocket":    {"GET", web + "/exec?command=ls", pod("CONNECT", "exec"), true},
		"attach":                 {"POST", web + "/attach", pod("CONNECT", "attach"), true},
		"port-forward":           {"GET", web + "/portforward", pod("CONNECT", "portforward"), true},
		"a log":                  {"GET", web + "/log", pod("GET", "log"), false},
		"a log that is followed": {"GET", web + "/log?follow=true", pod("GET", "log"), true},
		"a watch":                {"GET", "/api/v1/pods?watch=1", pod("WATCH", ""), true},
		"a watch of one":         {"GET", web + "?watch=true", pod("WATCH", ""), true},
		"no watch":               {"GET", "/api/v1/pods?watch=false", pod("LIST", ""), false},
		"no follow":              {"GET", web + "?follow=true", pod("GET", ""), false},
		"the head of one":        {"HEAD", web, pod("HEAD", ""), false},
		"of a group":             {"PUT", "/apis/apps/v1/namespaces/default/deployments/web/scale", scrape.Request{Verb: "PUT", Group: "apps", Version: "v1", Resource: "deployments", Subresource: "scale"}, false},
		"an unknown subresource": {"POST", web + "/anything", pod("POST", ""), false},
		"an unknown resource":    {"GET", "/api/v1/anythings", scrape.Request{Verb: "GET"}, false},
		"an unknown method":      {"ANYTHING", web, pod("OTHER", ""), false},
		"no resource":            {"GET", "/version", scrape.Request{Verb: "GET"}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), test.method, test.path, nil)
			got := c.api.requestOf(r)
			if got != test.want || lasts(got, r) != test.lasts {
				t.Errorf("%s %s is %+v, lasts %v; want %+v, %v", test.method, test.path, got, lasts(got, r), test.want, test.lasts)
			}
		})
	}
}

// TestRefusalsAreCounted: once, also where the guard refuses what is being served already.
func TestRefusalsAreCounted(t *testing.T) {
	var c *client
	c = newClient(t, func(o *Options) {
		o.Guard = guard.New(guard.Options{Limits: guard.Limits{Watches: 1}, Refuse: func(w http.ResponseWriter, r *http.Request, reason *apierrors.StatusError) {
			c.api.Refuse(w, r, reason)
		}})
	})
	const open = `apiserver_longrunning_requests{verb="WATCH",group="",version="v1",resource="pods",subresource=""}`
	if got := c.series(open); got != "" {
		t.Errorf("before the first watch: %q are open", got)
	}
	watch := c.open("GET", "/api/v1/pods?watch=true", "")
	if got := c.series(open); got != "1" {
		t.Errorf("%q watches are open, want 1", got)
	}
	c.fails(429, "TooManyRequests", "watches", "GET", "/api/v1/pods?watch=true", "")
	watch.Body.Close()
	for c.series(open) != "0" { // the server notices it soon
	}
	for code, want := range map[string]string{"429": "1", "200": "1"} {
		if got := c.series(`apiserver_request_total{verb="WATCH",group="",version="v1",resource="pods",subresource="",code="` + code + `"}`); got != want {
			t.Errorf("%q watches ended with %s, want %s", got, code, want)
		}
	}
}
