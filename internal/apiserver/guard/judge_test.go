package guard

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func testOptions() Options {
	return Options{Port: 6443, Address: netip.MustParseAddr("192.168.1.20"), IsToken: func(shown string) bool { return shown == "right" }}
}

// TestJudge: which requests are refused, and with which status.
func TestJudge(t *testing.T) {
	const origin = "https://evil.example"
	for name, test := range map[string]struct {
		method, path, host string // GET, /api and that of the server by default
		header             http.Header
		code               int32 // 0 if it is let in
		hasToken           bool
	}{
		"the token":                     {header: with("Authorization", "Bearer right"), hasToken: true},
		"in other letters":              {header: with("Authorization", " bearer   right "), hasToken: true},
		"no token":                      {code: 401},
		"a wrong token":                 {header: with("Authorization", "Bearer wrong"), code: 401},
		"an empty token":                {header: with("Authorization", "Bearer"), code: 401},
		"the token without a scheme":    {header: with("Authorization", "right"), code: 401},
		"another scheme":                {header: with("Authorization", "Basic right"), code: 401},
		"the token in the URL":          {path: "/api?token=right&access_token=right", code: 401},
		"the token in a cookie":         {header: with("Cookie", "token=right"), code: 401},
		"version":                       {path: "/version", code: 401},
		"metrics":                       {path: "/metrics", code: 401},
		"the root":                      {path: "/", code: 401},
		"healthz":                       {path: "/healthz"},
		"livez in words":                {path: "/livez?verbose"},
		"livez, one check":              {path: "/livez/store"},
		"readyz":                        {path: "/readyz"},
		"readyz without a body":         {method: "HEAD", path: "/readyz"},
		"health, with a wrong token":    {path: "/readyz", header: with("Authorization", "Bearer wrong"), code: 401},
		"health, with another scheme":   {path: "/readyz", header: with("Authorization", "Basic wrong")},
		"health, written":               {method: "POST", path: "/healthz", code: 401},
		"below a check":                 {path: "/livez/store/x", code: 401},
		"nearly health":                 {path: "/healthzz", code: 401},
		"health, to get out of it":      {path: "/livez/../api", code: 401},
		"the same, encoded":             {path: "/livez/%2e%2e", code: 401},
		"a slash in it":                 {path: "/livez/..%2fapi", code: 401},
		"another host":                  {host: "evil.example:6443", path: "/healthz", header: with("Authorization", "Bearer right"), code: 403},
		"the given address":             {host: "192.168.1.20:6443", header: with("Authorization", "Bearer right"), hasToken: true},
		"another origin":                {header: with("Origin", origin), code: 403},
		"another origin asks of health": {path: "/healthz", header: with("Origin", origin), code: 403},
		"another origin, a wrong token": {header: with("Origin", origin, "Authorization", "Bearer wrong"), code: 403},
		"another origin, the token":     {header: with("Origin", origin, "Authorization", "Bearer right"), hasToken: true},
		"an origin without a name":      {header: with("Origin", "null"), code: 403},
		"this origin":                   {header: with("Origin", "https://localhost:6443"), code: 401},
		"this origin, but not secure":   {header: with("Origin", "http://localhost:6443"), code: 403},
		"two origins":                   {header: http.Header{"Origin": {"https://localhost:6443", origin}}, code: 403},
		"OPTIONS":                       {method: "OPTIONS", code: 403},
		"OPTIONS of health":             {method: "OPTIONS", path: "/healthz", code: 403},
		"OPTIONS with the token":        {method: "OPTIONS", header: with("Authorization", "Bearer right"), code: 403, hasToken: true},
	} {
		t.Run(name, func(t *testing.T) {
			target := test.path
			if target == "" {
				target = "/api"
			}
			r := httptest.NewRequest(test.method, "https://localhost:6443"+target, nil)
			if test.host != "" {
				r.Host = test.host
			}
			r.Header = test.header
			refusal, hasToken := New(testOptions()).judge(r)
			var code int32
			if refusal != nil {
				code = refusal.Status().Code
			}
			if code != test.code || hasToken != test.hasToken {
				t.Errorf("code %d, token %t, want %d and %t", code, hasToken, test.code, test.hasToken)
			}
		})
	}
}

// with makes a header of names and values.
func with(pairs ...string) http.Header {
	header := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		header.Set(pairs[i], pairs[i+1])
	}
	return header
}

func TestSegments(t *testing.T) {
	for target, want := range map[string][]string{
		"/":                             {},
		"/api/v1":                       {"api", "v1"},
		"/api/":                         {"api"},
		"/api/v1/namespaces/a%2Db":      {"api", "v1", "namespaces", "a-b"},
		"/a/%252f":                      {"a", "%2f"},
		"/a/...":                        {"a", "..."},
		"/a/b%20c?d=/../e":              {"a", "b c"},
		"https://localhost/api/v1":      {"api", "v1"},
		"https://localhost":             nil,
		"*":                             nil,
		"//":                            nil,
		"//evil.example/x":              nil,
		"/api//v1":                      nil,
		"/api/v1//":                     nil,
		"/api/../v1":                    nil,
		"/..":                           nil,
		"/./api":                        nil,
		"/api/%2e%2e/v1":                nil,
		"/api/%2E/v1":                   nil,
		"/api/v1/namespaces/a%2fpods":   nil,
		"/api/v1/namespaces/..%2F..%2F": nil,
		"/api/%00":                      nil,
	} {
		u, err := url.ParseRequestURI(target)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := Segments(u)
		if ok != (want != nil) || ok && strings.Join(got, "|") != strings.Join(want, "|") {
			t.Errorf("Segments(%s) = %q, %t, want %q", target, got, ok, want)
		}
	}
}

// FuzzSegments: a path that is accepted means the same to whoever cleans it, or decodes it first
// and splits it then.
func FuzzSegments(f *testing.F) {
	for _, seed := range []string{"/", "/api/v1/", "/a%2fb", "/a/%2e%2e/b", "//a", "/a/%252e%252e", "/%C3%A4;b=1?c#d", "https://localhost/a/b", "*"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, target string) {
		u, err := url.ParseRequestURI(target)
		if err != nil {
			return
		}
		segments, ok := Segments(u)
		if !ok {
			return
		}
		want := "/" + strings.Join(segments, "/")
		if got := path.Clean(u.Path); got != want {
			t.Errorf("%q is cleaned to %q, and its segments are %q", target, got, want)
		}
		if len(u.Path)-len(want) > 1 {
			t.Errorf("the path %q is not that of %q", u.Path, segments)
		}
	})
}

// TestUnauthorized: the answer is a cluster's.
func TestUnauthorized(t *testing.T) {
	refusal, _ := New(testOptions()).judge(httptest.NewRequest("GET", "https://localhost:6443/api", nil))
	w := httptest.NewRecorder()
	New(testOptions()).refuse(w, nil, refusal)
	const want = `{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"Unauthorized","reason":"Unauthorized","code":401}` + "\n"
	if diff := cmp.Diff(want, w.Body.String()); w.Code != 401 || w.Header().Get("Content-Type") != "application/json" || diff != "" {
		t.Errorf("code %d, %v (-want +got):\n%s", w.Code, w.Header(), diff)
	}
}

func TestSlots(t *testing.T) {
	opts := testOptions()
	opts.Limits = Limits{Watches: 2, Follows: 1, Streams: 1}
	g := New(opts)
	acquire := func(from func(http.ResponseWriter, *http.Request) (func(), bool)) (*httptest.ResponseRecorder, func()) {
		w := httptest.NewRecorder()
		release, ok := from(w, nil)
		if ok != (w.Body.Len() == 0) || ok != (release != nil) {
			t.Errorf("ok is %t, and the answer %s", ok, w.Body)
		}
		return w, release
	}
	_, first := acquire(g.AcquireWatch)
	acquire(g.AcquireWatch)
	acquire(g.AcquireStream) // has its own
	acquire(g.AcquireFollow) // and this
	w, none := acquire(g.AcquireWatch)
	const want = `{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"there are 2 watches already, please try again later",` +
		`"reason":"TooManyRequests","details":{"retryAfterSeconds":5},"code":429}` + "\n"
	if diff := cmp.Diff(want, w.Body.String()); none != nil || w.Code != 429 || w.Header().Get("Retry-After") != "5" || diff != "" {
		t.Errorf("code %d, %v (-want +got):\n%s", w.Code, w.Header(), diff)
	}
	first()
	if _, again := acquire(g.AcquireWatch); again == nil {
		t.Error("a slot that was released is not to be had")
	}
	if _, none := acquire(g.AcquireStream); none != nil {
		t.Error("there was one stream too many")
	}
	if _, none := acquire(g.AcquireFollow); none != nil {
		t.Error("there was one too many that is followed")
	}
}
