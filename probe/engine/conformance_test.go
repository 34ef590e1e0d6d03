package engine_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/probity-run/probity/probe"
	"github.com/probity-run/probity/probe/engine"
	"github.com/probity-run/probity/probe/internal/probetest"
)

// outcome is what both paths must agree about.
type outcome struct {
	Outcome probe.Outcome
	Output  string
	Err     string
	Detail  probe.Detail // without the times
	Reached [3]bool      // the connection, the first byte, the result
}

// ports are the parts of a text that differ between two attempts: the ephemeral port of the prober.
var ports = regexp.MustCompile(`(read|write) tcp (127\.0\.0\.1|\[::1\]):\d+->`)

// comparable returns a result without what may differ.
func comparable(r probe.Result) outcome {
	d := &r.Detail
	o := outcome{Outcome: r.Outcome, Output: ports.ReplaceAllString(r.Output, "$1 tcp $2:0->"), Reached: [3]bool{d.Connect > 0, d.FirstByte > 0, d.Total > 0}}
	d.Connect, d.FirstByte, d.Total = 0, 0, 0
	o.Detail = *d
	if r.Err != nil {
		o.Err = ports.ReplaceAllString(r.Err.Error(), "$1 tcp $2:0->")
	}
	return o
}

// agree makes an attempt on both paths at the same time, and demands equal results and, if want is
// not empty, this text.
func agree(t *testing.T, e *engine.Engine, p probe.Prober, want string, but ...cmp.Option) {
	t.Helper()
	if differ := disagreement(t, e, p, want, but...); differ != "" {
		t.Error(differ)
	}
}

// agreeAt is [agree] for attempts that are to reach their time-out at a certain stage, each of
// which is made from its time-out. {timeout} stands for that in the text.
func agreeAt(t *testing.T, e *engine.Engine, timeout time.Duration, p func(timeout time.Duration) probe.Prober, want string, but ...cmp.Option) {
	t.Helper()
	var differ string
	probetest.WithLonger(timeout, func(timeout time.Duration) bool {
		differ = disagreement(t, e, p(timeout), strings.ReplaceAll(want, "{timeout}", timeout.String()), but...)
		return differ == ""
	})
	if differ != "" {
		t.Error(differ)
	}
}

// disagreement makes the attempts of [agree] and says what is wrong with their results.
func disagreement(t *testing.T, e *engine.Engine, p probe.Prober, want string, but ...cmp.Option) (differ string) {
	t.Helper()
	var plain, fast probe.Result
	var both sync.WaitGroup
	both.Go(func() { plain = p.Probe(t.Context()) })
	both.Go(func() { fast = e.Prepare(p).Probe(t.Context()) })
	both.Wait()
	if diff := cmp.Diff(comparable(plain), comparable(fast), but...); diff != "" {
		differ = "results differ (-plain +engine):\n" + diff
	}
	if !strings.Contains(plain.String()+plain.Output, want) {
		differ += fmt.Sprintf("\nresult = %v, want it to contain %q", plain, want)
	}
	return differ
}

// orReset is for peers that reset a connection at once: whether it is seen before is chance.
func orReset(name string) cmp.Option {
	if strings.HasSuffix(name, " resets") {
		return cmpopts.IgnoreFields(outcome{}, "Reached", "Detail.Remote")
	}
	return cmp.Options{}
}

// newEngine returns an engine that ends with the test.
func newEngine(t testing.TB) *engine.Engine {
	t.Helper()
	e, err := engine.New(engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

// TestHTTPStatusAgrees goes through D01–D05 with a length, chunked and until the end of the
// connection.
func TestHTTPStatusAgrees(t *testing.T) {
	e := newEngine(t)
	forms := map[string]string{
		"length":  "HTTP/1.1 %d Something\r\nContent-Length: 4\r\n\r\nbody",
		"chunked": "HTTP/1.1 %d Something\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
		"close":   "HTTP/1.0 %d Something\r\nConnection: close\r\n\r\nbody",
	}
	statuses := []int{
		101, 200, 201, 204, 206, 226, 299, 300, 301, 302, 303, 304, 305, 306, 307, 308, 399,
		400, 401, 403, 404, 408, 429, 499, 500, 502, 503, 599, 999,
	}
	for form, answered := range forms {
		for _, status := range statuses {
			t.Run(fmt.Sprint(form, " ", status), func(t *testing.T) {
				t.Parallel()
				p := probetest.Serve(t, probetest.Answer(fmt.Sprintf(answered, status)))
				agree(t, e, probe.HTTPGet{Port: p.Port, Timeout: ample}, "")
			})
		}
	}
}

// exchanges are what may happen on the wire (D06, D18–D28, D38, E01, E05), and what must be part of
// the text.
var exchanges = map[string]struct {
	script  func(*probetest.Peer, net.Conn)
	timeout time.Duration // default: ample
	want    string
}{
	"D06 interim":             {script: probetest.Answer("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), want: "succeeded"},
	"D08 location without it": {script: probetest.Answer("HTTP/1.1 302 Found\r\nContent-Length: 1\r\n\r\nx"), want: "Probe terminated redirects, Response body: x"},
	"D16 bad location":        {script: probetest.Answer("HTTP/1.1 302 Found\r\nLocation: http://[::1\r\n\r\n"), want: "failed to parse Location header"},
	"D17 scheme":              {script: probetest.Answer("HTTP/1.1 302 Found\r\nLocation: ftp://127.0.0.1/x\r\n\r\n"), want: `unsupported protocol scheme "ftp"`},
	"R68 other host":          {script: probetest.Answer("HTTP/1.1 302 Found\r\nLocation: http://localhost/x\r\nContent-Length: 3\r\n\r\nabc"), want: "Response body: abc"},
	"R70 empty location":      {script: probetest.Answer("HTTP/1.1 302 Found\r\nLocation:\r\n\r\n"), want: "warning"},
	"D19 closes":              {script: probetest.Answer(""), want: "EOF"},
	"D20 resets":              {script: func(p *probetest.Peer, conn net.Conn) { p.ReadHead(conn); probetest.Reset(conn) }, want: "connection reset by peer"},
	"D20 resets in the head": {script: func(p *probetest.Peer, conn net.Conn) {
		probetest.Answer("HTTP/1.1 200 OK\r\nA: b\r\n")(p, conn)
		time.Sleep(20 * time.Millisecond) // the bytes should be read before the reset, but need not
		probetest.Reset(conn)
	}, want: "transport connection broken"},
	"D20 resets in the body": {script: func(p *probetest.Peer, conn net.Conn) {
		probetest.Answer("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nA: b\r\n")(p, conn)
		time.Sleep(20 * time.Millisecond)
		probetest.Reset(conn)
	}, want: "connection reset by peer"},
	"D21 garbage":             {script: probetest.Answer("SSH-2.0-x\r\n"), want: `malformed HTTP response "SSH-2.0-x"`},
	"D21 garbage and silence": {script: probetest.AnswerAndHold("SSH-2.0-x\r\n"), want: `malformed HTTP response "SSH-2.0-x"`},
	"D21 speaks first": {script: func(p *probetest.Peer, conn net.Conn) {
		p.ReadHead(conn)
		conn.Write([]byte("220 mail\r\n"))
		probetest.Hold(conn)
	}, want: "malformed HTTP"},
	"D21 endless garbage":         {script: probetest.Answer(strings.Repeat("x", 64<<10) + "\r\n"), want: "malformed HTTP response"},
	"D21 bad status":              {script: probetest.Answer("HTTP/1.1 20x OK\r\n\r\n"), want: `malformed HTTP status code "20x"`},
	"D21 bad version":             {script: probetest.Answer("HTTP/9 200 OK\r\n\r\n"), want: `malformed HTTP version "HTTP/9"`},
	"D21 bad header":              {script: probetest.Answer("HTTP/1.1 200 OK\r\nno colon\r\n\r\n"), want: "malformed MIME header"},
	"D22 silence":                 {script: probetest.AnswerAndHold(""), timeout: brief, want: "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"},
	"D22 endless head":            {script: probetest.AnswerAndHold("HTTP/1.1 200 OK\r\nA: b\r\n"), timeout: staged, want: "Client.Timeout exceeded while awaiting headers"},
	"D22 endless line":            {script: probetest.AnswerAndHold("HTTP/1.1 200 OK\r\nA: b"), timeout: staged, want: "Client.Timeout exceeded while awaiting headers"},
	"D23 body stalls":             {script: probetest.AnswerAndHold("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"), timeout: staged, want: "resulted in failure state: context deadline exceeded (Client.Timeout or context cancellation while reading body)"},
	"D23 chunked body stalls":     {script: probetest.AnswerAndHold("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"), timeout: staged, want: "while reading body"},
	"D23 body of 500 stalls":      {script: probetest.AnswerAndHold("HTTP/1.1 500 no\r\n\r\nab"), timeout: staged, want: "while reading body"},
	"D23 unsupported body stalls": {script: probetest.AnswerAndHold("HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 200 OK\r\n\r\nab"), timeout: staged, want: "while reading body"},
	"D25 short body":              {script: probetest.Answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"), want: "unexpected EOF"},
	"D25 short body of 500":       {script: probetest.Answer("HTTP/1.1 500 no\r\nContent-Length: 5\r\n\r\nab"), want: "unexpected EOF"},
	"D26 bad chunk":               {script: probetest.Answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab"), want: "invalid byte in chunk length"},
	"D26 chunk too long":          {script: probetest.Answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n"), want: "malformed chunked encoding"},
	"D26 chunks end early":        {script: probetest.Answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"), want: "unexpected EOF"},
	"D26 no last line":            {script: probetest.Answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n")},
	"D26 trailer":                 {script: probetest.Answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: A\r\n\r\n2\r\nab\r\n0\r\nA: b\r\n\r\n"), want: "succeeded"},
	"D28 large body":              {script: probetest.Answer("HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n" + strings.Repeat("a", 1<<20)), want: "succeeded"},
	"D28 large chunks":            {script: probetest.Answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n100000\r\n" + strings.Repeat("a", 1<<20) + "\r\n0\r\n\r\n"), want: "succeeded"},
	"D28 chunk of the limit":      {script: probetest.Answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2800\r\n" + strings.Repeat("a", 10240) + "\r\n0\r\n\r\n"), want: "succeeded"},
	"D28 exactly the limit":       {script: probetest.AnswerAndHold("HTTP/1.1 200 OK\r\nContent-Length: 10241\r\n\r\n" + strings.Repeat("a", 10240)), want: "succeeded"},
	"D28 large warning":           {script: probetest.Answer("HTTP/1.1 300 x\r\n\r\n" + strings.Repeat("a", 20000)), want: "Probe terminated redirects"},
	"D38 headers too large":       {script: probetest.Answer("HTTP/1.1 200 OK\r\n" + strings.Repeat("A: "+strings.Repeat("b", 1<<10)+"\r\n", 11<<10) + "\r\n"), want: "server response headers exceeded 10485760 bytes"},
	"R75 large headers":           {script: probetest.Answer("HTTP/1.1 200 OK\r\n" + strings.Repeat("A: "+strings.Repeat("b", 1<<10)+"\r\n", 100) + "Content-Length: 2\r\n\r\nok"), want: "succeeded"},
	"R62 another protocol":        {script: probetest.AnswerAndHold("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"), want: "statuscode: 101"},
	"folded header":               {script: probetest.Answer("HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 2\r\n\r\nok"), want: "succeeded"},
	"bare newlines":               {script: probetest.Answer("HTTP/1.1 200 OK\nContent-Length: 2\n\nok"), want: "succeeded"},
	"two lengths":                 {script: probetest.Answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok"), want: "multiple Content-Length"},
	"both lengths":                {script: probetest.Answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"), want: "succeeded"},
	"bad length":                  {script: probetest.Answer("HTTP/1.1 200 OK\r\nContent-Length: 2x\r\n\r\nok"), want: "bad Content-Length"},
	"unknown encoding":            {script: probetest.Answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nok"), want: "unsupported transfer encoding"},
	"drop by drop":                {script: dribble("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789", 1), want: "succeeded"},
	"chunks drop by drop":         {script: dribble("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n", 3), want: "succeeded"},
}

// TestHTTPExchangeAgrees also counts: whatever path an exchange takes, the server sees one request.
func TestHTTPExchangeAgrees(t *testing.T) {
	e := newEngine(t)
	for name, test := range exchanges {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var p *probetest.Peer
			try := func(timeout time.Duration) probe.Prober {
				p = probetest.Serve(t, test.script)
				return probe.HTTPGet{Port: p.Port, Path: "/healthz", Timeout: timeout}
			}
			timeout := test.timeout
			if timeout == 0 {
				timeout = ample
			}
			agreeAt(t, e, timeout, try, test.want)
			count := func() int { accepted, _ := p.Counts(); return accepted }
			// who got no answer may be gone before its connection is counted
			if _ = probetest.WaitFor(func() bool { return count() >= 2 }); count() != 2 {
				t.Errorf("%d connections for two attempts, want 2", count())
			}
		})
	}
}

// TestHTTPRequestAgrees compares what arrives (D40–D48), byte by byte.
func TestHTTPRequestAgrees(t *testing.T) {
	e := newEngine(t)
	tests := map[string]probe.HTTPGet{
		"D40 default": {Path: "/healthz"},
		"D41 headers": {Headers: []probe.Header{{Name: "X-A", Value: "1"}, {Name: "x-a", Value: "2"}, {Name: "Host", Value: "vh.example"}}},
		"D42 agent":   {Headers: []probe.Header{{Name: "User-Agent", Value: "mine/1"}, {Name: "Accept", Value: "text/html"}}},
		"D42 none":    {Headers: []probe.Header{{Name: "user-agent"}, {Name: "Accept"}}},
		"D43 gzip":    {Headers: []probe.Header{{Name: "Accept-Encoding", Value: "gzip"}}},
		"D44 query":   {Path: "a?x=1#f"},
		"D44 literal": {Path: "/%zz"},
		"D44 space":   {Path: "/a b"},
		"D44 other":   {Path: "//evil/p"},
		"R57 user":    {Path: "http://user:secret@evil/p"},
		"upgrade":     {Headers: []probe.Header{{Name: "Connection", Value: "Upgrade"}, {Name: "Upgrade", Value: "x"}}},
		"close":       {Headers: []probe.Header{{Name: "Connection", Value: "close"}}},
		"agent":       {UserAgent: "mine/2"},
		"long":        {Headers: []probe.Header{{Name: "X-A", Value: strings.Repeat("a", 100<<10)}}},
		"scheme":      {Scheme: "HTTP"},
	}
	for name, get := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := probetest.Serve(t, probetest.Answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
			get.Port, get.Timeout = p.Port, ample
			agree(t, e, get, "succeeded")
			heads, remotes := p.Heads(), p.Remotes()
			if diff := cmp.Diff(heads[0], heads[1]); diff != "" {
				t.Errorf("request (-plain +engine):\n%s", diff)
			}
			if remotes[0] == remotes[1] {
				t.Errorf("both attempts came from %s, want a new connection for each", remotes[0])
			}
		})
	}
}

// TestRedirectsAgree follows redirects (D07–D14, R71).
func TestRedirectsAgree(t *testing.T) {
	e := newEngine(t)
	other := probetest.Serve(t, probetest.Answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother"))
	mux := http.NewServeMux()
	mux.HandleFunc("/ok", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") })
	mux.HandleFunc("/bad", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	mux.Handle("/to-ok", http.RedirectHandler("/ok", http.StatusFound))
	mux.Handle("/to-bad", http.RedirectHandler("/bad", http.StatusTemporaryRedirect))
	mux.Handle("/to-port", http.RedirectHandler(fmt.Sprintf("http://127.0.0.1:%d/", other.Port), http.StatusSeeOther))
	mux.Handle("/loop", http.RedirectHandler("/loop", http.StatusFound))
	mux.HandleFunc("/chain/{n}", func(w http.ResponseWriter, r *http.Request) {
		rest := strings.TrimPrefix(r.PathValue("n"), "x")
		if rest == "" {
			fmt.Fprint(w, "end of the chain")
			return
		}
		http.Redirect(w, r, "/chain/"+rest, http.StatusPermanentRedirect)
	})
	port := serveHTTP(t, mux, false)
	secure := serveHTTP(t, mux, true)
	mux.Handle("/to-tls", http.RedirectHandler(fmt.Sprintf("https://127.0.0.1:%d/ok", secure), http.StatusMovedPermanently))
	for path, want := range map[string]string{
		"/to-ok": "ok", "/to-bad": "statuscode: 500", "/to-port": "other", "/to-tls": "ok",
		"/loop": "stopped after 10 redirects", "/chain/xxxxxxxxx": "", "/chain/xxxxxxxxxx": "",
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			agree(t, e, probe.HTTPGet{Port: port, Path: path, Timeout: ample}, want)
		})
	}
}

// TestHTTPTargetAgrees goes through targets that cannot be reached or asked for (D18, D31–D37, D49,
// R47).
func TestHTTPTargetAgrees(t *testing.T) {
	e := newEngine(t)
	hello := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") })
	tests := map[string]struct {
		get  probe.HTTPGet
		want string
	}{
		"D18 refused":          {probe.HTTPGet{Port: probetest.RefusedPort(t), Path: "/h"}, "connect: connection refused"},
		"D31 self-signed":      {probe.HTTPGet{Port: serveHTTP(t, hello, true), Scheme: "HTTPS"}, "hello"},
		"D33 plain to TLS":     {probe.HTTPGet{Port: serveHTTP(t, hello, true)}, "statuscode: 400"},
		"D34 TLS to plain":     {probe.HTTPGet{Port: serveHTTP(t, hello, false), Scheme: "https"}, "server gave HTTP response to HTTPS client"},
		"D35 no such host":     {probe.HTTPGet{Host: "no..such", Port: 80}, "no such host"},
		"D36 no port":          {probe.HTTPGet{}, "invalid port number: 0"},
		"D49 IPv6":             {probe.HTTPGet{Host: "::1", Port: probetest.ServeOn(t, "[::1]:0", probetest.Answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")).Port}, "ok"},
		"another name":         {probe.HTTPGet{Host: "127.0.0.001", Port: 80}, ""},
		"localhost":            {probe.HTTPGet{Host: "localhost", Port: serveHTTP(t, hello, false)}, "hello"},
		"R47 no request":       {probe.HTTPGet{Host: "a b", Port: 80}, "cannot construct the request"},
		"R64 bad header value": {probe.HTTPGet{Port: 80, Headers: []probe.Header{{Name: "X-A", Value: "b\n"}}}, "invalid header field value"},
		"R64 unknown scheme":   {probe.HTTPGet{Port: 80, Scheme: "FTP"}, "unsupported protocol scheme"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.get.Timeout = ample
			agree(t, e, test.get, test.want)
		})
	}
}

// TestTCPAgrees goes through F01–F09.
func TestTCPAgrees(t *testing.T) {
	e := newEngine(t)
	backlog, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { backlog.Close() })
	stays := probetest.Serve(t, func(_ *probetest.Peer, conn net.Conn) { probetest.Hold(conn) })
	tests := map[string]struct {
		socket probe.TCPSocket
		want   string
	}{
		"F01 stays open":   {probe.TCPSocket{Port: stays.Port}, "succeeded"},
		"F02 closes":       {probe.TCPSocket{Port: probetest.Serve(t, func(*probetest.Peer, net.Conn) {}).Port}, "succeeded"},
		"F03 resets":       {probe.TCPSocket{Port: probetest.Serve(t, func(_ *probetest.Peer, conn net.Conn) { probetest.Reset(conn) }).Port}, "succeeded"},
		"F05 refused":      {probe.TCPSocket{Port: probetest.RefusedPort(t)}, "connect: connection refused"},
		"F07 host":         {probe.TCPSocket{Host: "127.0.0.2", Port: stays.Port}, "dial tcp 127.0.0.2:"},
		"F07 name":         {probe.TCPSocket{Host: "localhost", Port: stays.Port}, "succeeded"},
		"F07 no such host": {probe.TCPSocket{Host: "no..such", Port: 80}, "no such host"},
		"F08 no port":      {probe.TCPSocket{}, "invalid port number: 0"},
		"F09 HTTP of 500":  {probe.TCPSocket{Port: probetest.Serve(t, probetest.Answer("HTTP/1.1 500 no\r\n\r\n")).Port}, "succeeded"},
		"R79 backlog":      {probe.TCPSocket{Port: backlog.Addr().(*net.TCPAddr).Port}, "succeeded"},
		"IPv6":             {probe.TCPSocket{Host: "::1", Port: probetest.ServeOn(t, "[::1]:0", func(*probetest.Peer, net.Conn) {}).Port}, "succeeded"},
		"IPv6 refused":     {probe.TCPSocket{Host: "::1", Port: 1}, "dial tcp [::1]:1: connect: connection refused"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.socket.Timeout = ample
			agree(t, e, test.socket, test.want, orReset(name))
		})
	}
}

// TestTimeoutWhileConnectingAgrees fills a backlog, so that a connection hangs.
func TestTimeoutWhileConnectingAgrees(t *testing.T) {
	e := newEngine(t)
	port := probetest.FullBacklog(t)
	for name, p := range map[string]probe.Prober{
		"TCP":  probe.TCPSocket{Port: port, Timeout: staged},
		"HTTP": probe.HTTPGet{Port: port, Timeout: staged},
		"gRPC": probe.GRPC{Port: port, Timeout: staged},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			agree(t, e, p, "")
		})
	}
}

// TestProberOfOthers runs what the engine knows nothing about.
func TestProberOfOthers(t *testing.T) {
	e := newEngine(t)
	want := probe.Result{Outcome: probe.Warning, Output: "from elsewhere"}
	got := e.Prepare(proberFunc(func(context.Context) probe.Result { return want })).Probe(t.Context())
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("result (-want +got):\n%s", diff)
	}
	got = e.Prepare(proberFunc(func(context.Context) probe.Result { panic("oh no") })).Probe(t.Context())
	if got.Err == nil || got.Err.Error() != "the prober panicked: oh no" {
		t.Errorf("error = %v, want it to tell of the panic", got.Err)
	}
}
