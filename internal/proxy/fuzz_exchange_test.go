package proxy

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// FuzzExchange sends the bytes of a client through the relay to a replica that answers with given
// bytes, and has net/http read the same beside it. The replica gets no request that the client has
// not sent, each as it was sent and in that order; the client gets the answers that were given, or
// is told that there is none; one that breaks off is never completed.
func FuzzExchange(f *testing.F) {
	for i, requests := range seeds() {
		f.Add([]byte(requests), []byte(""), uint64(i))
	}
	for _, tt := range hiddenRequests() {
		f.Add([]byte(tt.sent), []byte("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na\x1eHTTP/1.1 200 OK\r\n\r\nb"), uint64(0))
	}
	const three = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\nHEAD /3 HTTP/1.1\r\nHost: a\r\n\r\n"
	for _, answers := range exchangeSeeds() {
		f.Add([]byte(three), []byte(answers), uint64(0))
		f.Add([]byte(strings.ReplaceAll(three, "HTTP/1.1", "HTTP/1.0")), []byte(answers), uint64(0x1))
		f.Add([]byte(three), []byte(answers), uint64(0x8421<<8))
		f.Add([]byte(three), []byte(answers), ^uint64(0))
	}
	fx := start(f, Options{DrainTimeout: 50 * time.Millisecond})
	front := fx.service("web")
	replica := startScriptReplica(f)
	fx.endpoints("web", at("a", replica.address))
	clients := netip.MustParseAddr("127.1.0.1")
	f.Fuzz(func(t *testing.T, requests, answers []byte, how uint64) {
		want := readRequests(requests)
		if want.unknown {
			return
		}
		if clients = clients.Next(); clients.As4()[1] > 100 { // each input has an address of its own
			clients = netip.MustParseAddr("127.1.0.1")
		}
		script := replica.begin(clients.String(), answers, how)
		got := exchangeWith(t, front, clients, requests, want, how)
		attempts, refused := script.wait(t)
		judgeExchange(t, want, attempts, refused, got)
		replica.probe(t, front)
	})
}

// exchangeSeeds are answers to three requests, separated by \x1e: what replicas say that are
// careless, old, early, or out to deceive.
func exchangeSeeds() []string {
	const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	return []string{
		ok + "\x1e" + ok + "\x1eHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nok\r\n0\r\nA: b\r\n\r\n\x1e" + ok,
		"HTTP/1.1 200 OK\r\n\r\nuntil the end",
		"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok\x1eHTTP/1.0 200\n\nok",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" + ok,
		ok + ok, "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 304 x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 40\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n" + ok, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
		"HTTP/1.1 200 OK\r\nA: b\r\n  c\r\nContent-Length : 2\r\n\r\nok", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nbytes", "HTTP/1.1 413 x\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
		"HTTP/1.1 200 OK\r\nConnection: Content-Length, x\r\nX: 1\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "\x1e\x1e" + ok, "HTT", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
		"HTTP/1.1 200 OK\r\nX: " + strings.Repeat("y", 70<<10) + "\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat("z", 100_000),
	}
}

// Bits of how an exchange goes.
const (
	howEndsLate   = 1 << 0 // the client ends its side after the answers, not before
	howCutRequest = 1 << 1 // the client sends in small pieces
	howScripts    = 8      // where the bits of the scripts begin, four of each

	scriptEarly  = 1 << 0 // the replica answers before it reads the body
	scriptReset  = 1 << 1 // it resets the connection after the answer
	scriptCloses = 1 << 2 // it closes the connection after the answer
	scriptCut    = 1 << 3 // it sends in small pieces
)

// plainRequest is what net/http reads of a request.
type plainRequest struct {
	*http.Request
	body  []byte
	whole bool
}

// requestsSent are the requests that a client has sent.
type requestsSent struct {
	all     []plainRequest
	unknown bool // net/http refuses a path that a hop does not read
	ended   bool // nothing follows the last one
}

// readRequests has net/http read what a client sends, as far as that goes.
func readRequests(sent []byte) (r requestsSent) {
	for in := bufio.NewReader(bytes.NewReader(sent)); ; {
		for { // RFC 9112, 2.2
			if next, err := in.Peek(1); err != nil || next[0] != '\r' && next[0] != '\n' {
				break
			}
			_, _ = in.ReadByte() // it was peeked
		}
		if _, err := in.Peek(1); err != nil {
			r.ended = true
			return r
		}
		if preface, _ := in.Peek(3); string(preface) == "PRI" {
			r.unknown = len(r.all) == 0 // HTTP/2 is not compared
			return r
		}
		request, err := http.ReadRequest(in)
		if err != nil {
			_, r.unknown = errors.AsType[*url.Error](err)
			return r
		}
		body, err := io.ReadAll(request.Body)
		if r.all = append(r.all, plainRequest{request, body, err == nil}); err != nil {
			return r
		}
	}
}

// plainAnswerRead is what net/http reads of an answer.
type plainAnswerRead struct {
	*http.Response
	interim []int // statuses of what came before
	body    []byte
	whole   bool
}

// readOneAnswer reads the answer to a request; nil if there is none.
func readOneAnswer(in *bufio.Reader, to *http.Request) *plainAnswerRead {
	var a plainAnswerRead
	for {
		response, err := http.ReadResponse(in, to)
		if err != nil {
			return nil
		}
		if response.StatusCode < 200 && response.StatusCode != http.StatusSwitchingProtocols {
			a.interim = append(a.interim, response.StatusCode)
			continue
		}
		if a.Response = response; response.StatusCode == http.StatusSwitchingProtocols {
			a.body, err = io.ReadAll(in)
		} else {
			a.body, err = io.ReadAll(response.Body)
		}
		a.whole = err == nil
		return &a
	}
}

// exchangeWith sends a client's requests and reads the answers.
func exchangeWith(t *testing.T, front string, from netip.Addr, requests []byte, sent requestsSent, how uint64) (answers []*plainAnswerRead) {
	dialer := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))}
	c, err := dialer.DialContext(t.Context(), "tcp", front)
	if err != nil {
		t.Fatal(err)
	}
	conn := c.(*net.TCPConn)
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	endsLate := how&howEndsLate != 0 && sent.ended // else the relay may wait for more
	var sending sync.WaitGroup
	defer sending.Wait()
	sending.Go(func() {
		_ = writePieces(conn, requests, how&howCutRequest != 0, len(requests)) // fails if the relay has refused it
		if !endsLate {
			_ = conn.CloseWrite()
		}
	})
	in := bufio.NewReader(conn)
	for i := 0; ; i++ {
		to := &http.Request{Method: http.MethodGet}
		if i < len(sent.all) {
			to = sent.all[i].Request
		}
		if i == len(sent.all) && endsLate {
			sending.Wait()
			_ = conn.CloseWrite()
		}
		a := readOneAnswer(in, to)
		if a == nil {
			break
		}
		answers = append(answers, a)
	}
	if _, err := in.Peek(1); isTimeout(err) {
		t.Fatalf("the client of %q waits after %d answers", requests, len(answers))
	}
	return answers
}

// writePieces writes bytes, in pieces if cut is true. The last one has what begins at last-1, so
// that whatever follows an end comes with it.
func writePieces(conn *net.TCPConn, p []byte, cut bool, last int) error {
	for size := 1; cut && size < last && last < 4<<10; size += 3 {
		if _, err := conn.Write(p[:size]); err != nil {
			return err
		}
		p, last = p[size:], last-size
	}
	_, err := conn.Write(p)
	return err
}
