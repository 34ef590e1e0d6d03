package h1

import (
	"errors"
	"strings"
	"testing"
)

// lines writes a head whose lines end with CRLF.
func lines(all ...string) string { return strings.Join(all, "\r\n") + "\r\n\r\n" }

var origin = Origin{Client: "127.0.0.9", Service: "127.64.0.1:80"}

// TestForward has the head that a replica gets, for each rule about what a hop changes.
func TestForward(t *testing.T) {
	const forwarded = "X-Forwarded-For: 127.0.0.9\r\nX-Forwarded-Host: web\r\nX-Forwarded-Proto: http"
	for name, tt := range map[string]struct{ sent, want string }{
		"nothing but who sent it": {lines("GET /a?b=%zz#\\ HTTP/1.1", "Host: web", "accept: x"), lines("GET /a?b=%zz#\\ HTTP/1.1", "Host: web", "accept: x", forwarded)},
		"hop by hop": {lines("GET / HTTP/1.1", "Connection: x-secret, keep-alive", "Host: web", "X-Secret: 1", "Keep-Alive: 1", "Proxy-Authorization: x", "A: b"),
			lines("GET / HTTP/1.1", "Host: web", "A: b", forwarded)},
		"what no client strips": {lines("POST / HTTP/1.1", "Host: web", "Connection: host, content-length, x-forwarded-proto, close", "Content-Length: 2", "X-Forwarded-Proto: https"),
			lines("POST / HTTP/1.1", "Host: web", "Content-Length: 2", "X-Forwarded-Proto: https", "X-Forwarded-For: 127.0.0.9\r\nX-Forwarded-Host: web")},
		"lists of addresses": {lines("GET / HTTP/1.1", "X-Forwarded-For: 10.0.0.1", "Host: web", "x-forwarded-for: 10.0.0.2, 10.0.0.3", "X-Forwarded-Host: front"),
			lines("GET / HTTP/1.1", "Host: web", "X-Forwarded-Host: front", "X-Forwarded-For: 10.0.0.1, 10.0.0.2, 10.0.0.3, 127.0.0.9\r\nX-Forwarded-Proto: http")},
		"one spelling of chunked": {lines("POST / HTTP/1.1", "tRANSFER-encoding:\tCHUNKED ", "Host: web"), lines("POST / HTTP/1.1", "Host: web", "Transfer-Encoding: chunked", forwarded)},
		"bare line feeds":         {"GET / HTTP/1.1\nHost:web\nA:b\n\n", lines("GET / HTTP/1.1", "Host: web", "A: b", forwarded)},
		"absolute form":           {lines("GET http://web HTTP/1.1", "Host: other"), lines("GET / HTTP/1.1", "Host: web", forwarded)},
		"absolute form, query":    {lines("GET HTTP://web?a HTTP/1.1", "Host: other"), lines("GET /?a HTTP/1.1", "Host: web", forwarded)},
		"absolute form, OPTIONS":  {lines("OPTIONS http://web HTTP/1.1", "Host: other"), lines("OPTIONS * HTTP/1.1", "Host: web", forwarded)},
		"the server itself":       {lines("OPTIONS * HTTP/1.1", "Host: web"), lines("OPTIONS * HTTP/1.1", "Host: web", forwarded)},
		"HTTP/1.0 without Host": {lines("GET / HTTP/1.0", "A: b", "Expect: 100-continue"),
			lines("GET / HTTP/1.1", "A: b", "Host: 127.64.0.1:80", "X-Forwarded-For: 127.0.0.9\r\nX-Forwarded-Proto: http")},
		"upgrade": {lines("GET / HTTP/1.1", "Host: web", "Connection: Upgrade", "Upgrade: websocket"),
			lines("GET / HTTP/1.1", "Host: web", "Upgrade: websocket", "Connection: Upgrade", forwarded)},
		"upgrade to HTTP/2": {lines("GET / HTTP/1.1", "Host: web", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: x"),
			lines("GET / HTTP/1.1", "Host: web", forwarded)},
		"upgrade that nobody names": {lines("GET / HTTP/1.1", "Host: web", "Upgrade: websocket"), lines("GET / HTTP/1.1", "Host: web", forwarded)},
		"trailers":                  {lines("GET / HTTP/1.1", "Host: web", "TE: gzip, trailers"), lines("GET / HTTP/1.1", "Host: web", "TE: trailers\r\nConnection: TE", forwarded)},
	} {
		var r Request
		if err := r.Parse([]byte(tt.sent)); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := string(r.AppendForward(nil, origin)); got != tt.want {
			t.Errorf("%s: got\n%q, want\n%q", name, got, tt.want)
		}
	}
}

// TestRefused are heads that are refused; tests of the proxy have the rest of them.
func TestRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		sent   string
		status int
	}{
		"user information":     {lines("GET http://a@web/ HTTP/1.1", "Host: web"), 400},
		"another scheme":       {lines("GET ftp://web/ HTTP/1.1", "Host: web"), 400},
		"no form at all":       {lines("GET web HTTP/1.1", "Host: web"), 400},
		"* but not OPTIONS":    {lines("GET * HTTP/1.1", "Host: web"), 400},
		"a list of hosts":      {lines("GET / HTTP/1.1", "Host: web, other"), 400},
		"a path as host":       {lines("GET / HTTP/1.1", "Host: web/x"), 400},
		"a tunnel":             {lines("CONNECT web:80 HTTP/1.1", "Host: web"), 501},
		"HTTP/2":               {lines("GET / HTTP/2.0", "Host: web"), 505},
		"another expectation":  {lines("GET / HTTP/1.1", "Host: web", "Expect: 200"), 417},
		"two expectations":     {lines("GET / HTTP/1.1", "Host: web", "Expect: 100-continue", "Expect: 100-continue"), 417},
		"very many options":    {lines("GET / HTTP/1.1", "Host: web", "Connection: "+strings.Repeat("a,", maxOptions+1)), 400},
		"a coding and a close": {lines("POST / HTTP/1.1", "Host: web", "Transfer-Encoding: gzip, chunked"), 501},
	} {
		var r Request
		err, ok := errors.AsType[*Error](r.Parse([]byte(tt.sent)))
		if !ok || err.Status != tt.status {
			t.Errorf("%s: %v, want %d", name, err, tt.status)
		}
	}
}

// TestKeepAlive: RFC 9112, 9.3.
func TestKeepAlive(t *testing.T) {
	for sent, want := range map[string]bool{
		lines("GET / HTTP/1.1", "Host: a"):                                                   true,
		lines("GET / HTTP/1.1", "Host: a", "Connection: x, Close"):                           false,
		lines("GET / HTTP/1.0"):                                                              false,
		lines("GET / HTTP/1.0", "Connection: Keep-Alive"):                                    true,
		lines("GET / HTTP/1.0", "Connection: keep-alive", "Connection: close"):               false,
		lines("GET / HTTP/1.1", "Host: a", "Connection: keep-alive", "Connection: x, close"): false,
	} {
		var r Request
		if err := r.Parse([]byte(sent)); err != nil || r.KeepAlive != want {
			t.Errorf("%q: %v, %v, want %v", sent, r.KeepAlive, err, want)
		}
	}
}

func TestHeadEnd(t *testing.T) {
	for text, want := range map[string]int{"": 0, "a\r\n": 0, "a\r\n\r\n": 5, "a\n\nb": 3, "a\n\r\nb": 4, "a\r\n\r": 0, "a\r\n\r\r\n\r\n": 8, "\n\n": 2} {
		if got := HeadEnd([]byte(text), 0); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
		for seen := range len(text) { // what was looked at has no whole head
			if HeadEnd([]byte(text[:seen]), 0) > 0 {
				continue
			}
			if got := HeadEnd([]byte(text), seen); got != want {
				t.Errorf("%q after %d: %d, want %d", text, seen, got, want)
			}
		}
	}
}
