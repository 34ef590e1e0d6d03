package proxy

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/probity-run/probity/internal/h1"
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
		script.wait(t)
		judgeExchange(t, want, script, got)
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

// scriptReplica is a replica that answers as the script says of the client that a request is from.
type scriptReplica struct {
	address string
	echo    string // the address of the client whose requests are answered with their paths
	serial  int
	own     net.Conn
	ownIn   *bufio.Reader

	mu     sync.Mutex // guards the rest
	script *script
}

// script is what is answered to the requests of one client, and what these were.
type script struct {
	client  string
	answers [][]byte
	how     uint64

	mu       sync.Mutex // guards the rest
	attempts []*attempt
	refused  error // why net/http takes what came for no request
	running  sync.WaitGroup
}

// attempt is a request that came to the replica, and how it was answered.
type attempt struct {
	request plainRequest
	answer  []byte
	how     uint64
}

func startScriptReplica(f *testing.F) *scriptReplica {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { l.Close() })
	r := &scriptReplica{address: l.Addr().String(), echo: "127.0.0.77", script: &script{}}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go r.serve(conn.(*net.TCPConn))
		}
	}()
	return r
}

// begin begins a script: answers separated by \x1e.
func (r *scriptReplica) begin(client string, answers []byte, how uint64) *script {
	s := &script{client: client, how: how >> howScripts}
	if len(answers) > 0 {
		s.answers = bytes.Split(answers, []byte{'\x1e'})
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.script = s
	return s
}

// serve serves a connection of the relay, until it is closed.
func (r *scriptReplica) serve(conn *net.TCPConn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	for {
		request, err := http.ReadRequest(in)
		r.mu.Lock()
		s := r.script
		r.mu.Unlock()
		if err != nil {
			if _, ok := errors.AsType[net.Error](err); !ok && err != io.EOF && err != io.ErrUnexpectedEOF {
				s.refuse(err)
			}
			return
		}
		from := request.Header.Get("X-Forwarded-For")
		from = from[strings.LastIndexByte(from, ' ')+1:]
		switch {
		case from == r.echo:
			_, _ = io.Copy(io.Discard, request.Body) // a short one
			fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(request.URL.Path), request.URL.Path)
		case from != s.client || !s.serve(conn, request):
			return
		}
	}
}

func (s *script) refuse(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused = err
}

// serve answers a request, and reports whether the connection stays open.
func (s *script) serve(conn *net.TCPConn, request *http.Request) bool {
	s.running.Add(1)
	defer s.running.Done()
	a := &attempt{request: plainRequest{Request: request}, answer: []byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")}
	s.mu.Lock()
	if n := len(s.attempts); n < len(s.answers) {
		a.answer, a.how = s.answers[n], s.how>>(n%14*4)
	}
	s.attempts = append(s.attempts, a)
	s.mu.Unlock()
	readBody := func() {
		body, err := io.ReadAll(request.Body)
		a.request.body, a.request.whole = body, err == nil
	}
	early := a.how&scriptEarly != 0
	if !early {
		if readBody(); !a.request.whole {
			return false
		}
	}
	expected, end := a.expected()
	err := writePieces(conn, a.answer, a.how&scriptCut != 0, end)
	closes := a.how&scriptCloses != 0 || expected == nil || !expected.whole || expected.StatusCode == http.StatusSwitchingProtocols ||
		end == len(a.answer) && expected.ContentLength < 0 && len(expected.TransferEncoding) == 0
	if early && !closes && a.how&scriptReset == 0 {
		readBody()
	}
	if a.how&scriptReset != 0 {
		reset(conn)
	}
	return err == nil && !closes && (!early || a.request.whole)
}

// expected is what net/http reads of the answer, and where that ends.
func (a *attempt) expected() (answer *plainAnswerRead, end int) {
	// a hop takes white space before a colon out, which net/http makes a part of the name (RFC 9112,
	// 5.1)
	plain := spaceBeforeColon.ReplaceAll(a.answer[:h1.HeadEnd(a.answer, 0)], []byte("$1:"))
	r := bytes.NewReader(slices.Concat(plain, a.answer[h1.HeadEnd(a.answer, 0):]))
	in := bufio.NewReader(r)
	answer = readOneAnswer(in, a.request.Request)
	return answer, len(a.answer) - r.Len() - in.Buffered()
}

var spaceBeforeColon = regexp.MustCompile(`(?m)^([!#-'*+\-.^_\x60|~0-9A-Za-z]+)[ \t]+:`)

// wait waits until the requests that have come are answered.
func (s *script) wait(t *testing.T) {
	done := make(chan struct{})
	go func() {
		s.running.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatalf("the replica waits for the relay\n%s", stacks())
	}
}

// probe sends a request of another client, which gets its own answer.
func (r *scriptReplica) probe(t *testing.T, front string) {
	if r.own == nil {
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(r.echo)}}
		conn, err := dialer.Dial("tcp", front)
		if err != nil {
			t.Fatal(err)
		}
		r.own, r.ownIn = conn, bufio.NewReader(conn)
	}
	r.serial++
	path := fmt.Sprintf("/own/%d", r.serial)
	_ = r.own.SetDeadline(time.Now().Add(10 * time.Second)) // fails only with the next call
	fmt.Fprintf(r.own, "POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi", path)
	a := readOneAnswer(r.ownIn, &http.Request{Method: http.MethodPost})
	if a == nil || a.StatusCode != http.StatusOK || string(a.body) != path {
		r.own = nil
		t.Fatalf("%s got %v", path, a)
	}
}

// judgeExchange says what is wrong with an exchange.
func judgeExchange(t *testing.T, sent requestsSent, s *script, got []*plainAnswerRead) {
	if s.refused != nil {
		t.Fatalf("the replica cannot read what it got: %v", s.refused)
	}
	n := 0 // attempts that belong to the answers before
	for i, answer := range got {
		last := i == len(got)-1
		if i >= len(sent.all) { // a refusal of what net/http refuses, too
			if !last || !isOwn(answer) {
				t.Fatalf("%d answers to %d requests; the last one is %d %q", len(got), len(sent.all), answer.StatusCode, answer.body)
			}
			break
		}
		request := sent.all[i]
		// a request that got nothing over a connection that was kept is sent once more
		for n+1 < len(s.attempts) && len(s.attempts[n].answer) == 0 && sameRequest(request, s.attempts[n+1].request) == nil &&
			(!isOwn(answer) || len(s.attempts[n+1].answer) == 0 || i+1 >= len(sent.all) || sameRequest(sent.all[i+1], s.attempts[n+1].request) != nil) {
			n++
		}
		lost := isOwn(answer) && answer.StatusCode == http.StatusBadGateway // with a connection that the replica closed at that moment
		if n == len(s.attempts) && lost && i > 0 {
			continue
		}
		if n == len(s.attempts) {
			if !last || !isOwn(answer) {
				t.Fatalf("nobody has answered request %d, and the client got %d %q", i, answer.StatusCode, answer.body)
			}
			break
		}
		a := s.attempts[n]
		if lost && i > 0 && sameRequest(request, a.request) != nil {
			continue
		}
		n++
		if err := sameRequest(request, a.request); err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
		if err := judgeAnswer(a, answer); err != nil {
			t.Fatalf("answer %d: %v", i, err)
		}
		if last && !answer.Close && answer.StatusCode != http.StatusSwitchingProtocols && answer.whole && i+1 < len(sent.all) && answer.ProtoMinor == 1 && !request.Close {
			t.Fatalf("no answer to request %d of %d, and the connection was not to be closed after %d %v", i+1, len(sent.all), answer.StatusCode, answer.Header)
		}
	}
	if left := len(s.attempts) - n; len(got)+left > len(sent.all)+1 && left > 1 {
		t.Fatalf("the replica got %d requests, the client has sent %d and got %d answers", len(s.attempts), len(sent.all), len(got))
	}
	for i := range s.attempts[n:] {
		if !slices.ContainsFunc(sent.all, func(r plainRequest) bool { return sameRequest(r, s.attempts[n+i].request) == nil }) {
			t.Fatalf("the replica got %s %s, which nobody has sent", s.attempts[n+i].request.Method, s.attempts[n+i].request.RequestURI)
		}
	}
}

// sameRequest says what is different in a request that came through the relay.
func sameRequest(sent, came plainRequest) error {
	target := cmp.Or(sent.URL.RequestURI(), "/")
	if came.RequestURI == "*" && sent.Method == http.MethodOptions {
		target = "*" // RFC 9112, 3.2.4
	}
	switch {
	case sent.Method != came.Method, target != came.URL.RequestURI(), sent.Host != "" && sent.Host != came.Host:
		return fmt.Errorf("%s %s of %q came as %s %s of %q", sent.Method, sent.RequestURI, sent.Host, came.Method, came.RequestURI, came.Host)
	case sent.ContentLength != came.ContentLength, !slices.Equal(sent.TransferEncoding, came.TransferEncoding):
		return fmt.Errorf("length %d %v came as %d %v", sent.ContentLength, sent.TransferEncoding, came.ContentLength, came.TransferEncoding)
	case came.whole && !sent.whole:
		return fmt.Errorf("a body that broke off after %q came whole, as %q", sent.body, came.body)
	case came.whole && !bytes.Equal(sent.body, came.body), !bytes.HasPrefix(sent.body, came.body):
		return fmt.Errorf("body %q came as %q", sent.body, came.body)
	case came.whole && !maps.EqualFunc(sent.Trailer, came.Trailer, slices.Equal):
		return fmt.Errorf("trailers %v came as %v", sent.Trailer, came.Trailer)
	}
	return nil
}

// judgeAnswer says what is wrong with an answer to an attempt.
func judgeAnswer(a *attempt, got *plainAnswerRead) error {
	want, _ := a.expected()
	// what comes in pieces may break within any of them
	mayBreak := a.how&scriptReset != 0 || !a.request.whole
	switch {
	case isOwn(got) && (mayBreak || want == nil || !a.isClean()):
		return nil
	case want == nil:
		return fmt.Errorf("%q came as %d %q", a.answer, got.StatusCode, got.body)
	case got.StatusCode != want.StatusCode, got.Request.ProtoAtLeast(1, 1) && !slices.Equal(got.interim, want.interim):
		return fmt.Errorf("%q came as %v %d", a.answer, got.interim, got.StatusCode)
	case got.whole && !want.whole:
		return fmt.Errorf("%q breaks off, and came whole, as %q", a.answer, got.body)
	case !got.whole && want.whole && !mayBreak && a.isClean():
		return fmt.Errorf("%q came broken, as %q", a.answer, got.body)
	case got.whole && !bytes.Equal(want.body, got.body), !bytes.HasPrefix(want.body, got.body):
		return fmt.Errorf("%q came as %q", a.answer, got.body)
	}
	if name, ok := differentField(want.Header, got.Header); ok {
		return fmt.Errorf("%q: the field %s came as %q", a.answer, name, got.Header[name])
	}
	return nil
}

// isClean reports whether an answer is one that the relay has to pass on.
func (a *attempt) isClean() bool {
	var r h1.Request
	var p h1.Response
	for rest, head := a.answer, 0; ; rest = rest[head:] {
		if head = h1.HeadEnd(rest, 0); head == 0 {
			return false
		}
		method := []byte(a.request.Method + " / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: " + a.request.Header.Get("Upgrade") + "\r\n\r\n")
		if r.Parse(method) != nil || p.Parse(rest[:head], &r) != nil {
			return false
		}
		if p.Status < 200 && p.Status != 101 {
			continue
		}
		var b h1.Body
		b.Begin(p.Framing, p.Length, false)
		_, _, err := b.Filter(bytes.Clone(rest[head:]))
		return err == nil && (b.Ended() || p.Framing == h1.ByClose)
	}
}

// isOwn reports whether an answer looks like one of the proxy's own.
func isOwn(a *plainAnswerRead) bool {
	return a.Header.Get("X-Content-Type-Options") == "nosniff" && a.StatusCode >= 400 && a.Header.Get("Date") != ""
}

// differentField finds a field that did not pass as it came.
func differentField(sent, came http.Header) (name string, found bool) {
	ends := map[string]bool{"Connection": true, "Keep-Alive": true, "Proxy-Connection": true, "Proxy-Authenticate": true, "Proxy-Authorization": true, "Te": true, "Upgrade": true,
		"Transfer-Encoding": true, "Http2-Settings": true}
	for _, value := range sent["Connection"] {
		for option := range strings.SplitSeq(value, ",") {
			if option = http.CanonicalHeaderKey(strings.Trim(option, " \t")); came[option] == nil {
				ends[option] = true
			}
		}
	}
	squeeze := func(values []string) string { return strings.Join(strings.Fields(strings.Join(values, "\n")), " ") }
	for name := range sent {
		if !ends[name] && squeeze(sent[name]) != squeeze(came[name]) {
			return name, true
		}
	}
	for name := range came {
		if !ends[name] && sent[name] == nil {
			return name, true
		}
	}
	return "", false
}
