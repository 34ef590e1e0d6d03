package proxy

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2/hpack"
)

// TestMalformedRequests sends requests that servers are known to read differently, each with
// another request hidden behind it. The client is refused and the connection closed, and no replica
// sees the hidden request, however the bytes arrive.
func TestMalformedRequests(t *testing.T) {
	const head = "POST / HTTP/1.1\r\nHost: web\r\n"
	const chunked = "Transfer-Encoding: chunked\r\n"
	const badRequest, notImplemented, notSupported = http.StatusBadRequest, http.StatusNotImplemented, http.StatusHTTPVersionNotSupported
	for name, tt := range map[string]struct {
		request string
		want    int
	}{
		"both lengths, CL first":            {head + "Content-Length: 5\r\n" + chunked + "\r\n0\r\n\r\n", badRequest},
		"both lengths, TE first":            {head + chunked + "Content-Length: 5\r\n\r\n0\r\n\r\n", badRequest},
		"both lengths, CL of zero":          {head + chunked + "Content-Length: 0\r\n\r\n0\r\n\r\n", badRequest},
		"both lengths, TE unknown":          {head + "Transfer-Encoding: gzip\r\nContent-Length: 0\r\n\r\n", badRequest},
		"both lengths, odd case":            {head + "tRANSFER-eNCODING: CHUNKED\r\ncontent-length: 5\r\n\r\n0\r\n\r\n", badRequest},
		"both lengths, tab":                 {head + "Transfer-Encoding:\tchunked\r\nContent-Length:\t5\r\n\r\n0\r\n\r\n", badRequest},
		"both lengths, bare LF":             {"POST / HTTP/1.1\nHost: web\nTransfer-Encoding: chunked\nContent-Length: 5\n\n0\r\n\r\n", badRequest},
		"both lengths, GET":                 {"GET / HTTP/1.1\r\nHost: web\r\n" + chunked + "Content-Length: 5\r\n\r\n0\r\n\r\n", badRequest},
		"CL twice, different":               {head + "Content-Length: 5\r\nContent-Length: 0\r\n\r\n", badRequest},
		"CL twice, equal":                   {head + "Content-Length: 0\r\nContent-Length: 0\r\n\r\n", badRequest},
		"CL as a list":                      {head + "Content-Length: 0, 0\r\n\r\n", badRequest},
		"CL with a sign":                    {head + "Content-Length: +0\r\n\r\n", badRequest},
		"CL negative":                       {head + "Content-Length: -1\r\n\r\n", badRequest},
		"CL in hex":                         {head + "Content-Length: 0x0\r\n\r\n", badRequest},
		"CL empty":                          {head + "Content-Length:\r\n\r\n", badRequest},
		"CL too large":                      {head + "Content-Length: 18446744073709551616\r\n\r\n", badRequest},
		"CL with a space within":            {head + "Content-Length: 0 0\r\n\r\n", badRequest},
		"TE twice":                          {head + chunked + chunked + "\r\n0\r\n\r\n", badRequest},
		"TE as a list":                      {head + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", notImplemented},
		"TE identity":                       {head + "Transfer-Encoding: identity\r\n\r\n", notImplemented},
		"TE unknown":                        {head + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", notImplemented},
		"TE in quotes":                      {head + "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n", notImplemented},
		"TE empty":                          {head + "Transfer-Encoding:\r\n\r\n", notImplemented},
		"TE with a control character":       {head + "Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", badRequest},
		"TE in HTTP/1.0":                    {"POST / HTTP/1.0\r\nHost: web\r\nConnection: keep-alive\r\n" + chunked + "\r\n0\r\n\r\n", badRequest},
		"TE and CL in HTTP/1.0":             {"POST / HTTP/1.0\r\nHost: web\r\nConnection: keep-alive\r\nContent-Length: 5\r\n" + chunked + "\r\n0\r\n\r\n", badRequest},
		"space before the colon":            {head + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", badRequest},
		"tab before the colon":              {head + "Content-Length\t: 0\r\n\r\n", badRequest},
		"no name":                           {head + ": 0\r\n\r\n", badRequest},
		"no colon":                          {head + "Content-Length\r\n\r\n", badRequest},
		"a name of other letters":           {head + "Conten\xc5\xa7-Length: 0\r\n\r\n", badRequest},
		"obsolete folding":                  {head + "X: 1\r\n " + chunked + "\r\n0\r\n\r\n", badRequest},
		"obsolete folding by a tab":         {head + "X: 1\r\n\t2\r\n\r\n", badRequest},
		"obsolete folding of a length":      {head + "Content-Length:\r\n 0\r\n\r\n", badRequest},
		"obsolete folding in the first":     {"POST / HTTP/1.1\r\n Host: web\r\nHost: web\r\n\r\n", badRequest},
		"obsolete folding of nothing":       {head + "X: 1\r\n \r\n\r\n", badRequest},
		"bare CR in a value":                {head + "X: 1\r" + chunked + "\r\n0\r\n\r\n", badRequest},
		"two CR":                            {head + "X: 1\r\r\n\r\n", badRequest},
		"a line of CR":                      {head + "\r\r\n\r\n", badRequest},
		"NUL in a value":                    {head + "X: a\x00b\r\n\r\n", badRequest},
		"NUL in a name":                     {head + "X\x00: b\r\n\r\n", badRequest},
		"DEL in a value":                    {head + "X: a\x7fb\r\n\r\n", badRequest},
		"two Hosts":                         {head + "Host: other\r\n\r\n", badRequest},
		"no Host":                           {"POST / HTTP/1.1\r\n\r\n", badRequest},
		"two spaces":                        {"GET  / HTTP/1.1\r\nHost: web\r\n\r\n", badRequest},
		"no version":                        {"GET /\r\nHost: web\r\n\r\n", badRequest},
		"space after the version":           {"GET / HTTP/1.1 \r\nHost: web\r\n\r\n", badRequest},
		"another version":                   {"GET / HTTP/3.0\r\nHost: web\r\n\r\n", notSupported},
		"NUL in the path":                   {"GET /\x00 HTTP/1.1\r\nHost: web\r\n\r\n", badRequest},
		"no chunk":                          {head + chunked + "\r\nno chunk\r\n", badRequest},
		"chunk size too large":              {head + chunked + "\r\n10000000000000000\r\nx\r\n0\r\n\r\n", badRequest},
		"chunk size negative":               {head + chunked + "\r\n-1\r\nx\r\n0\r\n\r\n", badRequest},
		"chunk size with a prefix":          {head + chunked + "\r\n0x0\r\n\r\n", badRequest},
		"chunk size with a sign":            {head + chunked + "\r\n+0\r\n\r\n", badRequest},
		"chunk size empty":                  {head + chunked + "\r\n\r\n0\r\n\r\n", badRequest},
		"chunk size after a space":          {head + chunked + "\r\n 0\r\n\r\n", badRequest},
		"chunk line with bare LF":           {head + chunked + "\r\n0\n\r\n", badRequest},
		"chunk longer than its size":        {head + chunked + "\r\n5\r\nhelloXX0\r\n\r\n", badRequest},
		"chunk shorter than its size":       {head + chunked + "\r\n6\r\nhello\r\n0\r\n\r\n", badRequest},
		"chunk data with bare LF":           {head + chunked + "\r\n5\r\nhello\n0\r\n\r\n", badRequest},
		"extension with bare LF":            {head + chunked + "\r\n0;a\nb\r\n\r\n", badRequest},
		"extension with bare CR":            {head + chunked + "\r\n0;a\rb\r\n\r\n", badRequest},
		"extension with NUL":                {head + chunked + "\r\n0;a\x00b\r\n\r\n", badRequest},
		"extension without semicolon":       {head + chunked + "\r\n0 a\r\n\r\n", badRequest},
		"trailer that is a length":          {head + chunked + "\r\n0\r\nContent-Length: 5\r\n\r\n", badRequest},
		"trailer that is a coding":          {head + chunked + "\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n", badRequest},
		"trailer that is a Host":            {head + chunked + "\r\n0\r\nHost: other\r\n\r\n", badRequest},
		"trailer that is folded":            {head + chunked + "\r\n0\r\nX: 1\r\n 2\r\n\r\n", badRequest},
		"trailer with bare LF":              {head + chunked + "\r\n0\r\nX: 1\n\r\n", badRequest},
		"HTTP/2 begun by half":              {"PRI * HTTP/2.0\r\n\r\nXM\r\n\r\n", badRequest},
		"HTTP/2 begun by half, bare LF":     {"PRI * HTTP/2.0\n\nSM\r\n\r\n", badRequest},
		"HTTP/2 begun by half, with fields": {"PRI * HTTP/2.0\r\nHost: web\r\n\r\n", badRequest},
	} {
		for _, protocol := range []string{"http", "h2c"} { // the relay, and net/http
			t.Run(name+" to "+protocol, func(t *testing.T) { expectMalformed(t, protocol, tt.request, tt.want) })
		}
	}
}

// expectMalformed sends a malformed request to a port, also behind a good one.
func expectMalformed(t *testing.T, protocol, request string, want int) {
	fx := start(t, Options{})
	address := fx.service("web", named(protocol))
	replica := fx.replica("a", func(_ http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/hidden") {
			t.Error("the replica got the hidden request")
		}
		_, _ = io.Copy(io.Discard, r.Body)
	})
	fx.endpoints("web", at("a", replica.address))
	for name, send := range map[string]func(net.Conn, string){"at once": sendAtOnce, "byte by byte": sendByteByByte} {
		conn, answers := raw(t, address, "")
		send(conn, request+"GET /hidden HTTP/1.1\r\nHost: web\r\n\r\n")
		expectRefusal(t, name, answers, want)
		// behind a good request, which is answered first
		conn, answers = raw(t, address, "")
		send(conn, "GET /good HTTP/1.1\r\nHost: web\r\n\r\n"+request+"GET /hidden HTTP/1.1\r\nHost: web\r\n\r\n")
		res, err := http.ReadResponse(answers, nil)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("%s: the good request: %v %v", name, res, err)
		}
		expectRefusal(t, name+", behind a good one", answers, want)
	}
}

func sendAtOnce(conn net.Conn, request string) { _, _ = io.WriteString(conn, request) }

func sendByteByByte(conn net.Conn, request string) {
	for i := range len(request) {
		// fails once the proxy has closed the connection
		_, _ = conn.Write([]byte(request[i : i+1]))
	}
}

// expectRefusal reads one answer and then the end of the connection.
func expectRefusal(t *testing.T, what string, answers *bufio.Reader, want int) {
	t.Helper()
	res, err := http.ReadResponse(answers, nil)
	if err != nil {
		t.Errorf("%s: %v, want an answer with %d", what, err, want)
		return
	}
	text, _ := io.ReadAll(res.Body)
	if res.StatusCode != want || !res.Close {
		t.Errorf("%s: %s %q, close: %v, want %d and the end", what, res.Status, text, res.Close, want)
	}
	if more, _ := io.ReadAll(answers); len(more) > 0 {
		t.Errorf("%s: after the refusal came %q", what, more)
	}
}

// TestRefusalSaysWhy reads the text of a refusal.
func TestRefusalSaysWhy(t *testing.T) {
	fx := start(t, Options{})
	_, answers := raw(t, fx.service("web"), "POST / HTTP/1.1\r\nHost: web\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
	res, err := http.ReadResponse(answers, nil)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(res.Body); err != nil || !strings.Contains(string(text), "both Content-Length and Transfer-Encoding") {
		t.Errorf("%q %v", text, err)
	}
}

// TestPipelining sends good requests of all framings one behind the other.
func TestPipelining(t *testing.T) {
	requests := []string{
		"GET /1 HTTP/1.1\r\nHost: web\r\n\r\n",
		"POST /2 HTTP/1.1\r\nHost: web\r\nContent-Length: 5\r\n\r\nhello",
		"POST /3 HTTP/1.1\r\nHost: web\r\ntransfer-encoding:  Chunked\t\r\n\r\n3;a=\"b\"\r\nhel\r\n2; c\r\nlo\r\n0\r\nX: 1\r\n\r\n",
		"HEAD /4 HTTP/1.1\r\nHost: web\r\n\r\n",
		"POST /5 HTTP/1.1\r\nHost: web\r\nContent-Length: 0\r\nX: \x80\xff\ty\r\n\r\n",
		"GET /6 HTTP/1.1\nHost: web\n\n",
		"POST /7 HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\n\r\n",
		"GET /8 HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n",
	}
	for name, send := range map[string]func(net.Conn, string){"at once": sendAtOnce, "byte by byte": sendByteByByte} {
		t.Run(name, func(t *testing.T) {
			fx := start(t, Options{})
			address := fx.service("web")
			replica := fx.replica("a", func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				w.Header().Set("X-Path", r.URL.Path)
				_, _ = w.Write(body)
			})
			fx.endpoints("web", at("a", replica.address))
			conn, answers := raw(t, address, "")
			go send(conn, strings.Join(requests, ""))
			for i, request := range requests {
				method, _, _ := strings.Cut(request, " ")
				res, err := http.ReadResponse(answers, &http.Request{Method: method})
				if err != nil {
					t.Fatalf("request %d: %v", i+1, err)
				}
				body, _ := io.ReadAll(res.Body)
				want := map[int]string{1: "hello", 2: "hello", 6: "\r\n"}[i]
				if path := "/" + string(rune('1'+i)); res.StatusCode != http.StatusOK || res.Header.Get("X-Path") != path || string(body) != want {
					t.Errorf("request %d: %s from %s, %q, want %q", i+1, res.Status, res.Header.Get("X-Path"), body, want)
				}
			}
		})
	}
}

// TestHTTP2Lengths declares another length than that of the body. That is refused, and the replica
// does not take the request for a whole one.
func TestHTTP2Lengths(t *testing.T) {
	for name, tt := range map[string]struct {
		lengths []string
		body    string
		noBody  bool
		refused bool
	}{
		"right":             {lengths: []string{"5"}, body: "hello"},
		"none":              {body: "hello"},
		"no body":           {lengths: []string{"0"}, noBody: true},
		"too short":         {lengths: []string{"3"}, body: "hello", refused: true},
		"too long":          {lengths: []string{"8"}, body: "hello", refused: true},
		"a length, no body": {lengths: []string{"5"}, noBody: true, refused: true},
		"two lengths":       {lengths: []string{"5", "6"}, body: "hello", refused: true},
		"two equal lengths": {lengths: []string{"5", "5"}, body: "hello", refused: true},
		"a list":            {lengths: []string{"5, 5"}, body: "hello", refused: true},
		"no number":         {lengths: []string{"five"}, body: "", refused: true},
		"a sign":            {lengths: []string{"+5"}, body: "hello", refused: true},
	} {
		for _, port := range []string{"http", "h2c"} {
			t.Run(name+" to "+port, func(t *testing.T) {
				fx := start(t, Options{})
				address := fx.service("web", named(port))
				whole := make(chan string, 1)
				replica := fx.replica("a", func(_ http.ResponseWriter, r *http.Request) {
					if body, err := io.ReadAll(r.Body); err == nil {
						whole <- string(body)
					}
				})
				fx.endpoints("web", at("a", replica.address))
				status := sendHTTP2(t, address, tt.lengths, tt.body, tt.noBody)
				if !tt.refused {
					if got := <-whole; status != "200" || got != tt.body {
						t.Errorf("%s, the replica got %q, want %q", status, got, tt.body)
					}
					return
				}
				if status != "400" && status != "reset" {
					t.Errorf("%s, want 400 or a reset", status)
				}
				eventually(t, "nothing is in flight", func() bool { return fx.state().InFlight == 0 })
				select {
				case got := <-whole:
					t.Errorf("the replica took %q for a whole request", got)
				case <-time.After(50 * time.Millisecond):
				}
			})
		}
	}
}

// sendHTTP2 sends one request over HTTP/2, and returns the status of its answer, or "reset".
func sendHTTP2(t *testing.T, address string, lengths []string, body string, noBody bool) string {
	t.Helper()
	var fields strings.Builder
	encoder := hpack.NewEncoder(&fields)
	all := []hpack.HeaderField{{Name: ":method", Value: "POST"}, {Name: ":scheme", Value: "http"}, {Name: ":path", Value: "/"}, {Name: ":authority", Value: "web"}}
	for _, length := range lengths {
		all = append(all, hpack.HeaderField{Name: "content-length", Value: length})
	}
	for _, field := range all {
		if err := encoder.WriteField(field); err != nil {
			t.Fatal(err)
		}
	}
	const data, headers, resetStream, settings = 0, 1, 3, 4
	const endStream, endHeaders = 1, 4
	flags := byte(endHeaders)
	if noBody {
		flags |= endStream
	}
	request := "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + http2Frame(settings, 0, 0, "") + http2Frame(headers, flags, 1, fields.String())
	if !noBody {
		request += http2Frame(data, endStream, 1, body)
	}
	_, answers := raw(t, address, request)
	for {
		var head [9]byte
		if _, err := io.ReadFull(answers, head[:]); err != nil {
			return "reset"
		}
		payload := make([]byte, int(head[0])<<16|int(head[1])<<8|int(head[2]))
		if _, err := io.ReadFull(answers, payload); err != nil {
			return "reset"
		}
		switch head[3] {
		case resetStream:
			return "reset"
		case headers:
			found, err := hpack.NewDecoder(4096, nil).DecodeFull(payload)
			if err != nil {
				t.Fatal(err)
			}
			return found[0].Value
		}
	}
}

func http2Frame(kind, flags, stream byte, payload string) string {
	n := len(payload)
	return string([]byte{byte(n >> 16), byte(n >> 8), byte(n), kind, flags, 0, 0, 0, stream}) + payload
}
