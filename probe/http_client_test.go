package probe

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/probity-run/probity/probe/internal/probetest"
)

// serveHTTP starts a web server on 127.0.0.1 and returns its port.
func serveHTTP(t *testing.T, handler http.HandlerFunc) int {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return portOf(t, server)
}

func portOf(t *testing.T, server *httptest.Server) int {
	t.Helper()
	target, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(target.Port())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// TestRedirects goes through D07–D17 and R66–R72.
func TestRedirects(t *testing.T) {
	tests := map[string]struct {
		location func(port, other int) string // where /start leads to; see redirector
		want     expectation
		requests int // seen by the first server
	}{
		"D07 same host":             {location: func(port, _ int) string { return fmt.Sprintf("http://127.0.0.1:%d/ok", port) }, want: expectation{outcome: Success, output: "ok"}, requests: 2},
		"D07 relative":              {location: func(int, int) string { return "/ok" }, want: expectation{outcome: Success, output: "ok"}, requests: 2},
		"D08 to a failure":          {location: func(int, int) string { return "/broken" }, want: expectation{outcome: Failure, output: "HTTP probe failed with statuscode: 500"}, requests: 2},
		"D09 other port":            {location: func(_, other int) string { return fmt.Sprintf("http://127.0.0.1:%d/ok", other) }, want: expectation{outcome: Success, output: "ok"}, requests: 1},
		"D12 nine":                  {location: func(int, int) string { return "/chain/8" }, want: expectation{outcome: Success, output: "ok"}, requests: 10},
		"D13 ten":                   {location: func(int, int) string { return "/chain/9" }, want: expectation{outcome: Failure, output: `Get "/ok": stopped after 10 redirects`}, requests: 10},
		"D14 endless":               {location: func(int, int) string { return "/start" }, want: expectation{outcome: Failure, output: `Get "/start": stopped after 10 redirects`}, requests: 10},
		"D16 unparsable":            {location: func(int, int) string { return "http://[::1" }, want: expectation{outcome: Failure, contains: `failed to parse Location header "http://[::1"`}, requests: 1},
		"D17 other scheme":          {location: func(int, int) string { return "ftp://127.0.0.1/x" }, want: expectation{outcome: Failure, output: `Get "ftp://127.0.0.1/x": unsupported protocol scheme "ftp"`}, requests: 1},
		"R67 name of the same host": {location: func(port, _ int) string { return fmt.Sprintf("http://localhost:%d/ok", port) }, want: expectation{outcome: Warning, output: "Probe terminated redirects, Response body: moved"}, requests: 1},
		"R69 away at the limit":     {location: func(int, int) string { return "/away/9" }, want: expectation{outcome: Warning, output: "Probe terminated redirects, Response body: moved"}, requests: 10},
	}
	other := serveHTTP(t, redirector(new(atomic.Int32), ""))
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var requests atomic.Int32
			handler := redirector(&requests, "")
			port := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) { handler(w, r) })
			handler = redirector(&requests, test.location(port, other))
			test.want.check(t, HTTPGet{Port: port, Path: "/start", Timeout: ample}.Probe(t.Context()), address("", port))
			if got := int(requests.Load()); got != test.requests {
				t.Errorf("%d requests, want %d", got, test.requests)
			}
		})
	}
}

// redirector redirects /start to the location, /chain/n over n further steps to /ok, and /away/n to
// another host name.
func redirector(requests *atomic.Int32, location string) http.HandlerFunc {
	mux := http.NewServeMux()
	redirect := func(w http.ResponseWriter, location string) {
		w.Header().Set("Location", location)
		w.WriteHeader(http.StatusFound)
		fmt.Fprint(w, "moved")
	}
	step := func(name, end string) {
		mux.HandleFunc(name+"{n}", func(w http.ResponseWriter, r *http.Request) {
			n, _ := strconv.Atoi(r.PathValue("n")) // the tests write numbers
			if n <= 1 {
				redirect(w, end)
				return
			}
			redirect(w, name+strconv.Itoa(n-1))
		})
	}
	step("/chain/", "/ok")
	step("/away/", "http://localhost/")
	mux.HandleFunc("/start", func(w http.ResponseWriter, _ *http.Request) { redirect(w, location) })
	mux.HandleFunc("/ok", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") })
	mux.HandleFunc("/broken", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	return func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		mux.ServeHTTP(w, r)
	}
}

// TestRedirectedRequest looks at the second request (R72).
func TestRedirectedRequest(t *testing.T) {
	tests := map[string]struct {
		absolute bool
		wantHost string
	}{
		"relative keeps the custom host": {false, "vh.example"},
		"absolute brings its own":        {true, "{addr}"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := probetest.Serve(t, func(p *probetest.Peer, conn net.Conn) {
				location := "/next"
				if test.absolute {
					location = "http://" + conn.LocalAddr().String() + location
				}
				if head := p.ReadHead(conn); strings.HasPrefix(head, "GET /next ") {
					fmt.Fprint(conn, okResponse)
				} else {
					fmt.Fprintf(conn, "HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", location)
				}
			})
			probe := HTTPGet{Port: p.Port, Path: "/first", Timeout: ample, Headers: []Header{{"Host", "vh.example"}, {"X-A", "1"}}}
			if got := probe.Probe(t.Context()); got.Outcome != Success {
				t.Fatalf("result = %v, want success", got)
			}
			want := "GET /next HTTP/1.1\r\nHost: " + test.wantHost + "\r\nUser-Agent: kube-probe/1.36\r\nAccept: */*\r\n" +
				"Referer: http://{addr}/first\r\nX-A: 1\r\nConnection: close\r\n\r\n"
			if got, want := p.LastHead(), strings.ReplaceAll(want, "{addr}", address("", p.Port)); got != want {
				t.Errorf("request = %q\nwant      %q", got, want)
			}
		})
	}
}

// TestNoProxy: the environment asks for a proxy, and the probe goes straight to its target (D39).
// net/http reads the environment once per process, so the probe runs in one of its own. The target
// is not on loopback, for which the variable would be ignored anyway.
func TestNoProxy(t *testing.T) {
	if os.Getenv("HTTP_PROXY") != "http://127.0.0.1:1" {
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestNoProxy$")
		child.Env = append(os.Environ(), "HTTP_PROXY=http://127.0.0.1:1", "NO_PROXY=", "no_proxy=")
		if out, err := child.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	p := probetest.Serve(t, probetest.Answer(okResponse))
	var dialled string
	client := &HTTPClient{Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
		dialled = addr
		return new(net.Dialer).DialContext(ctx, network, address("", p.Port))
	}}
	got := HTTPGet{Host: "192.0.2.1", Port: 80, Timeout: ample, Client: client}.Probe(t.Context())
	if got.Outcome != Success || dialled != "192.0.2.1:80" {
		t.Errorf("result = %v after dialling %q, want success from 192.0.2.1:80", got, dialled)
	}
}

// TestNoDecompression: what the service sends is what comes out (D43).
func TestNoDecompression(t *testing.T) {
	p := probetest.Serve(t, probetest.Answer("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nraw"))
	got := HTTPGet{Port: p.Port, Timeout: ample, Headers: []Header{{"Accept-Encoding", "gzip"}}}.Probe(t.Context())
	expectation{outcome: Success, output: "raw"}.check(t, got, "")
}

// FuzzResponse serves arbitrary bytes to an attempt: it must end in time, return bounded text and
// leave nothing behind, which the bubble checks.
func FuzzResponse(f *testing.F) {
	for _, response := range []string{
		"", "HTTP/1.1 200 OK\r\n\r\n", okResponse, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", "HTTP/1.0 302 x\r\nLocation: /\r\n\r\n",
		"HTTP/1.1 302 x\r\nLocation: http://[::1\r\n\r\n", "HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", "HTTP/1.1 100 x\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		"HTTP/2.0 200 OK\r\n\r\n", "HTTP/1.1 999 x\r\nA\r\n\r\n", "\x15\x03\x01\x00\x02\x02F",
	} {
		f.Add([]byte(response), false)
		f.Add([]byte(response), true)
	}
	f.Fuzz(func(t *testing.T, response []byte, keepOpen bool) {
		synctest.Test(t, func(t *testing.T) {
			begin := time.Now()
			got := HTTPGet{Port: 80, Client: &HTTPClient{Dial: dialBytes(response, keepOpen)}}.Probe(t.Context())
			if took := time.Since(begin); took > DefaultTimeout {
				t.Errorf("took %v, want at most %v", took, DefaultTimeout)
			}
			if len(got.Output) > 11<<10 || (got.Outcome == Unknown && got.Err == nil) {
				t.Errorf("result = %v with %d bytes of output", got.Outcome, len(got.Output))
			}
		})
	})
}

// dialBytes connects to a peer that reads a request and sends the bytes. Every connection is a
// pipe: no redirect leads anywhere.
func dialBytes(response []byte, keepOpen bool) DialFunc {
	return func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		go func() { // ends when the client closes its side
			defer far.Close()
			new(probetest.Peer).ReadHead(far)
			_, _ = far.Write(response) // fails when the client has seen enough
			if keepOpen {
				probetest.Hold(far)
			}
		}()
		return near, nil
	}
}
