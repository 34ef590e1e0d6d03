package engine_test

import (
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/probity-run/probity/probe"
	"github.com/probity-run/probity/probe/internal/probetest"
)

// FuzzHTTPPathsAgree sends any bytes as an answer, in two pieces, to both paths.
func FuzzHTTPPathsAgree(f *testing.F) {
	for _, answer := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"HTTP/1.0 503 no\r\n\r\nbody",
		"HTTP/1.1 200\r\nA:\tb\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nok\r\n0\r\nA: b\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nokk",
		"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
		"HTTP/1.1 304 x\r\nContent-Length: 9\r\n\r\n",
		"HTTP/1.1 301 x\r\nLocation: http://other/\r\nContent-Length: 1\r\n\r\nx",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\nok",
		"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
		"HTTP/1.1 200 OK\r\n A: b\r\n\r\n",
		"HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
		"HTTP/1.1 200 OK\r\nA: \x00\r\n\r\n",
		"HTTP/1.1 2000 OK\r\n\r\n",
		"HTTP/1.1  200 OK\r\n\r\n",
		"HTTP/1.1 200 OK\n\nx",
		"\r\nHTTP/1.1 200 OK\r\n\r\n",
		"HTTP/1.1 200 OK\r\n\r\n" + strings.Repeat("x", 10241),
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2801\r\n" + strings.Repeat("x", 10241) + "\r\n0\r\n\r\n",
		"",
	} {
		for _, split := range []uint16{0, 20, 60} {
			f.Add([]byte(answer), split)
		}
	}
	e := newEngine(f)
	var response atomic.Pointer[[2][]byte]
	p := probetest.Serve(f, func(p *probetest.Peer, conn net.Conn) {
		p.ReadHead(conn)
		pieces := response.Load()
		_, _ = conn.Write(pieces[0])
		if len(pieces[0]) > 0 && len(pieces[1]) > 0 {
			time.Sleep(time.Millisecond) // so that it mostly arrives in two pieces
		}
		_, _ = conn.Write(pieces[1])
	})
	get := probe.HTTPGet{Port: p.Port, Timeout: ample}
	fast := e.Prepare(get)
	f.Fuzz(func(t *testing.T, data []byte, split uint16) {
		if redirectsHere(data) {
			t.Skip("would be asked for other URLs")
		}
		first := min(int(split), len(data))
		response.Store(&[2][]byte{data[:first], data[first:]})
		if diff := cmp.Diff(comparable(get.Probe(t.Context())), comparable(fast.Probe(t.Context()))); diff != "" {
			t.Errorf("results for %q differ (-plain +engine):\n%s", data, diff)
		}
	})
}

// redirectsHere reports whether following a redirect might lead back to the same answer, or to a
// real host.
func redirectsHere(data []byte) bool {
	text := strings.ToLower(string(data))
	return strings.Contains(text, "location") && !strings.Contains(text, "location: http://other/")
}
