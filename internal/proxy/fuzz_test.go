package proxy

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// seeds are requests that proxies and servers are known to read differently.
func seeds() []string {
	const head = "POST /fuzz HTTP/1.1\r\nHost: x\r\n"
	const hidden = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
	return []string{
		"GET /fuzz HTTP/1.1\r\nHost: x\r\n\r\n",
		head + "Content-Length: 5\r\n\r\nhello",
		// CL.TE
		head + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden,
		// TE.CL
		head + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n" + hidden + "0\r\n\r\n",
		head + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
		head + "Content-Length: 5, 5\r\n\r\nhello" + hidden,
		head + "Content-Length: +5\r\n\r\nhello",
		head + "Content-Length: -1\r\n\r\n" + hidden,
		head + "Content-Length: 0x5\r\n\r\nhello",
		head + "Content-Length: 99999999999999999999\r\n\r\n",
		head + "Transfer-Encoding: xchunked\r\n\r\n" + hidden,
		head + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
		head + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + hidden,
		head + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + hidden,
		head + "Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n" + hidden,
		head + "X: 1\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden, // obsolete folding
		head + "\tX: 1\r\n\r\n" + hidden,
		head + "X: 1\nTransfer-Encoding: chunked\n\n0\n\n" + hidden, // bare LF
		head + "X: a\rTransfer-Encoding: chunked\r\n\r\n" + hidden,  // bare CR
		head + "X: a\x00b\r\n\r\n",
		head + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff0\r\nx\r\n0\r\n\r\n",
		head + "Transfer-Encoding: chunked\r\n\r\n5;ext=\"\r\n\"\r\nhello\r\n0\r\n\r\n" + hidden,
		head + "Transfer-Encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n" + hidden,
		head + "Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 5\r\nHost: y\r\n\r\n" + hidden,
		head + "Transfer-Encoding: chunked\r\nTrailer: X-A\r\n\r\n1\r\nx\r\n0\r\nX-A: 1\r\n\r\n",
		head + "Connection: close, Content-Length, Host, Transfer-Encoding\r\nContent-Length: 5\r\n\r\nhello",
		head + "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n" + hidden,
		head + "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n" + hidden,
		head + "Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello",
		head + "Expect: 200-maybe\r\nContent-Length: 5\r\n\r\nhello",
		head + "Host: y\r\n\r\n",
		"GET /fuzz HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello",
		"GET /fuzz HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden,
		"GET  /fuzz HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /fuzz HTTP/9.9\r\nHost: x\r\n\r\n",
		"GET /fuzz\r\n\r\n",
		"GET http://other/fuzz HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET //other/fuzz HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /%0d%0aX:%20y HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /fuzz HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("y", 100<<10) + "\r\n\r\n",
		"GET /fuzz HTTP/1.1\r\n" + strings.Repeat("A: b\r\n", 5000) + "Host: x\r\n\r\n",
		"CONNECT x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n" + hidden,
		"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
		"HEAD /fuzz HTTP/1.1\r\nHost: x\r\n\r\n" + "GET /fuzz HTTP/1.1\r\nHost: x\r\n\r\n",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\x01\x05\x00\x00\x00\x01",
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
		"",
	}
}

// FuzzFront sends anything at all to a Service with one replica, which answers each request with
// its path. After each input, other clients must get the answers to their own requests: else the
// proxy and the replica disagree about where a request on their connection ends.
func FuzzFront(f *testing.F) {
	for _, s := range seeds() {
		f.Add([]byte(s))
	}
	fx := start(f, Options{DrainTimeout: 50 * time.Millisecond})
	front := fx.service("web")
	var serial atomic.Int64
	origin, wrong := strictReplica(f)
	fx.endpoints("web", at("a", origin))
	well := client(f)
	f.Fuzz(func(t *testing.T, request []byte) {
		sendRaw(t, front, request)
		for range 3 {
			path := fmt.Sprintf("/own/%d", serial.Add(1))
			if code, body := do(well, []string{http.MethodGet, http.MethodPost}[serial.Load()%2], "http://"+front+path, "body"); code != http.StatusOK || body != path {
				t.Fatalf("%s got %d %q", path, code, body)
			}
		}
		if message := wrong.Swap(nil); message != nil {
			t.Fatalf("the replica: %s", *message)
		}
		var m runtime.MemStats
		if runtime.ReadMemStats(&m); m.HeapAlloc > 256<<20 {
			t.Fatalf("the heap has grown to %d MiB", m.HeapAlloc>>20)
		}
	})
}

// strictReplica answers with the path. It notes a request that a proxy must not pass on.
func strictReplica(f *testing.F) (address string, wrong *atomic.Pointer[string]) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.Fatal(err)
	}
	wrong = &atomic.Pointer[string]{}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.TransferEncoding) > 0 && r.Header.Get("Content-Length") != "" || r.Header.Get("X-Forwarded-For") == "" {
			wrong.Store(new(fmt.Sprintf("%s %s %v %v", r.Method, r.URL, r.TransferEncoding, r.Header)))
		}
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return // the client broke off
		}
		fmt.Fprint(w, r.URL.Path)
	})}
	go func() { _ = server.Serve(l) }()
	f.Cleanup(func() { _ = server.Close() })
	return l.Addr().String(), wrong
}

// sendRaw sends bytes, closes its side of the connection and reads what comes.
func sendRaw(t *testing.T, address string, request []byte) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	var writing sync.WaitGroup
	defer writing.Wait()
	defer conn.Close() // ends it
	writing.Go(func() {
		_, _ = conn.Write(request) // fails if the proxy has closed the connection
		_ = conn.(*net.TCPConn).CloseWrite()
	})
	for answers := bufio.NewReader(conn); ; {
		res, err := http.ReadResponse(answers, nil)
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, res.Body); err != nil {
			return
		}
		_ = res.Body.Close()
	}
}

// FuzzFraming compares framing with net/http, whose requests it guards: where both accept what a
// client sent, they agree about whether it ended with a request. How the bytes are cut into pieces
// makes no difference.
func FuzzFraming(f *testing.F) {
	for _, s := range seeds() {
		f.Add([]byte(s), 7)
	}
	f.Fuzz(func(t *testing.T, sent []byte, cut int) {
		var whole, pieces framing
		n, err := whole.scan(sent)
		var pieceErr error
		for rest := sent; len(rest) > 0 && pieceErr == nil; {
			size := min(1+max(cut, 0)%16, len(rest))
			_, pieceErr = pieces.scan(rest[:size])
			rest = rest[size:]
		}
		if err != pieceErr || err == nil && (n != len(sent) || whole.state != pieces.state) {
			t.Fatalf("%d of %d bytes and %v at once, %v in pieces of %d", n, len(sent), err, pieceErr, 1+max(cut, 0)%16)
		}
		if err != nil || whole.state == unread {
			return
		}
		r := bufio.NewReader(bytes.NewReader(sent))
		for {
			if _, err := r.Peek(1); err != nil {
				if whole.state != inHead || len(whole.head) > 0 {
					t.Fatalf("net/http has read whole requests, framing is in state %d with %q", whole.state, whole.head)
				}
				return
			}
			request, err := http.ReadRequest(r)
			if err == nil {
				_, err = io.Copy(io.Discard, request.Body)
			}
			if errors.Is(err, io.ErrUnexpectedEOF) && whole.state == inHead && len(whole.head) == 0 {
				t.Fatalf("framing has read whole requests, net/http waits for more")
			}
			if err != nil {
				return
			}
		}
	})
}
