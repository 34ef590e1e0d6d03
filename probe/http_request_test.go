package probe

import (
	"bufio"
	"bytes"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/probity-run/probity/probe/internal/probetest"
)

const okResponse = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

// TestRequestBytes compares the request to the byte (D40–D45, R51–R57). {addr} stands for the
// server's address.
func TestRequestBytes(t *testing.T) {
	const defaults = "User-Agent: kube-probe/1.36\r\nAccept: */*\r\nConnection: close\r\n\r\n"
	tests := map[string]struct {
		probe HTTPGet
		want  string
	}{
		"D40 default":            {HTTPGet{Path: "/healthz"}, "GET /healthz HTTP/1.1\r\nHost: {addr}\r\n" + defaults},
		"D40 scheme in capitals": {HTTPGet{Scheme: "HTTP", Path: "/healthz"}, "GET /healthz HTTP/1.1\r\nHost: {addr}\r\n" + defaults},
		"D41 user headers": {
			HTTPGet{Headers: []Header{{"X-A", "1"}, {"x-a", "2"}, {"Host", "vh.example"}}},
			"GET / HTTP/1.1\r\nHost: vh.example\r\nUser-Agent: kube-probe/1.36\r\nAccept: */*\r\nX-A: 1\r\nX-A: 2\r\nConnection: close\r\n\r\n",
		},
		"D41 host in lower case": {HTTPGet{Headers: []Header{{"host", "vh.example"}}}, "GET / HTTP/1.1\r\nHost: vh.example\r\n" + defaults},
		"D42 own agent": {
			HTTPGet{Headers: []Header{{"User-Agent", "mine/1"}}},
			"GET / HTTP/1.1\r\nHost: {addr}\r\nUser-Agent: mine/1\r\nAccept: */*\r\nConnection: close\r\n\r\n",
		},
		"D42 no agent": {
			HTTPGet{Headers: []Header{{"user-agent", ""}}},
			"GET / HTTP/1.1\r\nHost: {addr}\r\nAccept: */*\r\nConnection: close\r\n\r\n",
		},
		"D42 own accept": {
			HTTPGet{Headers: []Header{{"Accept", "text/html"}}},
			"GET / HTTP/1.1\r\nHost: {addr}\r\nUser-Agent: kube-probe/1.36\r\nAccept: text/html\r\nConnection: close\r\n\r\n",
		},
		"D42 no accept": {
			HTTPGet{Headers: []Header{{"accept", ""}}},
			"GET / HTTP/1.1\r\nHost: {addr}\r\nUser-Agent: kube-probe/1.36\r\nConnection: close\r\n\r\n",
		},
		"R54 other empty value": {
			HTTPGet{Headers: []Header{{"X-Empty", ""}}},
			"GET / HTTP/1.1\r\nHost: {addr}\r\nUser-Agent: kube-probe/1.36\r\nAccept: */*\r\nX-Empty: \r\nConnection: close\r\n\r\n",
		},
		"configured agent": {
			HTTPGet{UserAgent: "other/2"},
			"GET / HTTP/1.1\r\nHost: {addr}\r\nUser-Agent: other/2\r\nAccept: */*\r\nConnection: close\r\n\r\n",
		},
		"D43 accept-encoding": {
			HTTPGet{Headers: []Header{{"Accept-Encoding", "gzip"}}},
			"GET / HTTP/1.1\r\nHost: {addr}\r\nUser-Agent: kube-probe/1.36\r\nAccept: */*\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n",
		},
		"D44 no slash":         {HTTPGet{Path: "healthz"}, "GET /healthz HTTP/1.1\r\nHost: {addr}\r\n" + defaults},
		"D44 query":            {HTTPGet{Path: "/a?x=1"}, "GET /a?x=1 HTTP/1.1\r\nHost: {addr}\r\n" + defaults},
		"D44 space in a query": {HTTPGet{Path: "/a?x=b c"}, "GET /a?x=b c HTTP/1.1\r\nHost: {addr}\r\n" + defaults},
		"D44 query alone":      {HTTPGet{Path: "?x=1"}, "GET /?x=1 HTTP/1.1\r\nHost: {addr}\r\n" + defaults},
		"D44 space":            {HTTPGet{Path: "/a b"}, "GET /a%20b HTTP/1.1\r\nHost: {addr}\r\n" + defaults},
		"D44 no reference":     {HTTPGet{Path: "/%zz"}, "GET /%25zz HTTP/1.1\r\nHost: {addr}\r\n" + defaults},
		"D44 fragment":         {HTTPGet{Path: "/x#f"}, "GET /x HTTP/1.1\r\nHost: {addr}\r\n" + defaults},
		"D44 other host":       {HTTPGet{Path: "//evil/p"}, "GET /p HTTP/1.1\r\nHost: {addr}\r\n" + defaults},
		"D44 other URL":        {HTTPGet{Path: "https://evil:1/p"}, "GET /p HTTP/1.1\r\nHost: {addr}\r\n" + defaults},
		"D44 absent":           {HTTPGet{}, "GET / HTTP/1.1\r\nHost: {addr}\r\n" + defaults},
		"R57 escaped slash":    {HTTPGet{Path: "/a%2Fb"}, "GET /a%2Fb HTTP/1.1\r\nHost: {addr}\r\n" + defaults},
		"R57 user becomes a login": {
			HTTPGet{Path: "http://u:p@evil/p"},
			"GET /p HTTP/1.1\r\nHost: {addr}\r\nUser-Agent: kube-probe/1.36\r\nAccept: */*\r\nAuthorization: Basic dTpw\r\nConnection: close\r\n\r\n",
		},
		"R57 line break": {HTTPGet{Path: "/a\r\nX: y"}, "GET /a%0D%0AX:%20y HTTP/1.1\r\nHost: {addr}\r\n" + defaults},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := probetest.Serve(t, probetest.Answer(okResponse))
			test.probe.Port, test.probe.Timeout = p.Port, ample
			if got := test.probe.Probe(t.Context()); got.Outcome != Success {
				t.Fatalf("result = %v, want success", got)
			}
			if got, want := p.LastHead(), strings.ReplaceAll(test.want, "{addr}", address("", p.Port)); got != want {
				t.Errorf("request = %q\nwant      %q", got, want)
			}
		})
	}
}

// TestRequestIPv6 looks at the Host of an IPv6 target (D49).
func TestRequestIPv6(t *testing.T) {
	if listener, err := net.Listen("tcp", "[::1]:0"); err != nil {
		t.Skipf("no IPv6 loopback: %v", err)
	} else {
		listener.Close()
	}
	p := probetest.ServeOn(t, "[::1]:0", probetest.Answer(okResponse))
	if got := (HTTPGet{Host: "::1", Port: p.Port, Timeout: ample}).Probe(t.Context()); got.Outcome != Success {
		t.Fatalf("result = %v, want success", got)
	}
	if want := "\r\nHost: " + address("::1", p.Port) + "\r\n"; !strings.Contains(p.LastHead(), want) || !strings.Contains(want, "[::1]:") {
		t.Errorf("request = %q, want it to contain %q", p.LastHead(), want)
	}
}

// TestNewConnectionEachTime repeats a probe on a shared client (D40, R59).
func TestNewConnectionEachTime(t *testing.T) {
	p := probetest.Serve(t, probetest.Answer(okResponse))
	client := new(HTTPClient)
	defer client.Close()
	for range 3 {
		_ = HTTPGet{Port: p.Port, Timeout: ample, Client: client}.Probe(t.Context())
	}
	if accepted, requests := p.Counts(); accepted != 3 || requests != 3 {
		t.Errorf("%d connections with %d requests, want 3 with 3", accepted, requests)
	}
	seen := make(map[string]bool)
	for _, remote := range p.Remotes() {
		seen[remote] = true
	}
	if len(seen) != 3 {
		t.Errorf("source addresses %v, want three different ones", p.Remotes())
	}
}

// TestGetOnly: a server that knows nothing but GET is healthy (D48).
func TestGetOnly(t *testing.T) {
	port := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			w.WriteHeader(http.StatusMethodNotAllowed)
		}
	})
	if got := (HTTPGet{Port: port, Timeout: ample}).Probe(t.Context()); got.Outcome != Success {
		t.Errorf("result = %v, want success", got)
	}
}

// FuzzRequest checks that no path leads to another target or to more than one request.
func FuzzRequest(f *testing.F) {
	for _, path := range []string{
		"", "/", "healthz", "/a?x=1", "?x", "/a b", "/%zz", "/x#f", "//evil/p", "http://evil/p", "http://u:p@evil:1/p", "mailto:x", "a:b",
		"/a\r\nX: y", "\x00", "//[::1", "/%2f%2f", "*", "//@/", "/\xff", "https:///x", "?#", "///",
	} {
		f.Add("127.0.0.1", path)
	}
	f.Add("::1", "/")
	f.Add("a b", "/")
	f.Fuzz(func(t *testing.T, host, path string) {
		req, err := HTTPGet{Host: host, Port: 80, Path: path}.request(t.Context(), DefaultUserAgent)
		if err != nil {
			return
		}
		if want := address(host, 80); req.URL.Host != "" && req.URL.Host != want && !strings.Contains(host, "%") {
			t.Fatalf("host %q, path %q: target %q, want %q", host, path, req.URL.Host, want)
		}
		if req.URL.Host == "" {
			return // an opaque reference; the client refuses it
		}
		// net/http sends a space in a query as it is, and so does the kubelet: a bad request, but
		// still one.
		req.URL.RawQuery = strings.ReplaceAll(req.URL.RawQuery, " ", "+")
		var wire bytes.Buffer
		if err := req.Write(&wire); err != nil {
			return
		}
		reader := bufio.NewReader(&wire)
		parsed, err := http.ReadRequest(reader)
		if err != nil {
			t.Fatalf("host %q, path %q: request does not parse: %v", host, path, err)
		}
		if rest := reader.Buffered() + wire.Len(); parsed.Method != "GET" || !strings.HasPrefix(parsed.RequestURI, "/") || rest > 0 {
			t.Fatalf("host %q, path %q: %s %q and %d more bytes", host, path, parsed.Method, parsed.RequestURI, rest)
		}
	})
}
