package probe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/probity-run/probity/probe/internal/probetest"
)

// TestHTTPStatus goes through the statuses of D01–D05 and 101 (R62, R63).
func TestHTTPStatus(t *testing.T) {
	success := expectation{outcome: Success, output: "body"}
	warning := expectation{outcome: Warning, output: "Probe terminated redirects, Response body: body"}
	groups := []struct {
		want     expectation
		statuses []int
	}{
		{success, []int{200, 201, 206, 226, 299}},
		// without Location (D02, R70)
		{warning, []int{300, 301, 302, 303, 305, 306, 307, 308, 399}},
		{expectation{outcome: Success}, []int{204}}, // no body by definition
		{expectation{outcome: Warning, output: "Probe terminated redirects, Response body: "}, []int{304}},
		{expectation{outcome: Failure}, []int{101, 400, 401, 403, 404, 408, 429, 499, 500, 502, 503, 599, 999}},
	}
	for _, group := range groups {
		for _, status := range group.statuses {
			t.Run(fmt.Sprint(status), func(t *testing.T) {
				p := probetest.Serve(t, probetest.Answer(fmt.Sprintf("HTTP/1.1 %d Something\r\nContent-Length: 4\r\n\r\nbody", status)))
				want := group.want
				if want.outcome == Failure {
					want.output = fmt.Sprintf("HTTP probe failed with statuscode: %d", status)
				}
				want.check(t, HTTPGet{Port: p.Port, Timeout: ample}.Probe(t.Context()), "")
			})
		}
	}
}

// TestHTTPExchange goes through what may happen on the wire (D06, D18–D28, D38).
func TestHTTPExchange(t *testing.T) {
	const get = `Get "http://{addr}/healthz": `
	tests := map[string]struct {
		script   func(*probetest.Peer, net.Conn)
		timeout  time.Duration // default: ample
		want     expectation
		requests int // how many the server must have seen
	}{
		"D06 interim responses": {
			script:   probetest.Answer("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
			want:     expectation{outcome: Success, output: "ok"},
			requests: 1,
		},
		"D19 closes without a byte": {
			script:   probetest.Answer(""),
			want:     expectation{outcome: Failure, output: get + "EOF"},
			requests: 1,
		},
		"D20 resets": {
			script:   func(p *probetest.Peer, conn net.Conn) { p.ReadHead(conn); probetest.Reset(conn) },
			want:     expectation{outcome: Failure, contains: "connection reset by peer"},
			requests: 1,
		},
		"D21 garbage": {
			script:   probetest.Answer("SSH-2.0-x\r\n"),
			want:     expectation{outcome: Failure, output: get + `net/http: HTTP/1.x transport connection broken: malformed HTTP response "SSH-2.0-x"`},
			requests: 1,
		},
		"D21 endless garbage": {
			script:   probetest.Answer(strings.Repeat("x", 64<<10) + "\r\n"),
			want:     expectation{outcome: Failure, contains: "malformed HTTP response"},
			requests: 1,
		},
		"D22 headers never come": {
			script:  probetest.AnswerAndHold(""),
			timeout: brief,
			want:    expectation{outcome: Failure, output: get + "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"},
		},
		"D22 headers never end": {
			script:  probetest.AnswerAndHold("HTTP/1.1 200 OK\r\nA: b\r\n"),
			timeout: brief,
			want:    expectation{outcome: Failure, output: get + "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"},
		},
		"D23 body stalls": {
			script:   probetest.AnswerAndHold("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"),
			timeout:  staged,
			want:     expectation{outcome: Failure, err: "context deadline exceeded (Client.Timeout or context cancellation while reading body)"},
			requests: 1,
		},
		"D23 body of a 500 stalls": {
			script:   probetest.AnswerAndHold("HTTP/1.1 500 no\r\n\r\nab"),
			timeout:  staged,
			want:     expectation{outcome: Failure, err: "context deadline exceeded (Client.Timeout or context cancellation while reading body)"},
			requests: 1,
		},
		"D25 body too short": {
			script:   probetest.Answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"),
			want:     expectation{outcome: Failure, err: "unexpected EOF"},
			requests: 1,
		},
		"D25 body of a 500 too short": {
			script:   probetest.Answer("HTTP/1.1 500 no\r\nContent-Length: 5\r\n\r\nab"),
			want:     expectation{outcome: Failure, err: "unexpected EOF"},
			requests: 1,
		},
		"D26 broken chunk": {
			script:   probetest.Answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab"),
			want:     expectation{outcome: Failure, err: "invalid byte in chunk length"},
			requests: 1,
		},
		"D28 large body": {
			script: probetest.Answer("HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n" + strings.Repeat("a", 1<<20)),
			want:   expectation{outcome: Success, output: strings.Repeat("a", 10240)},
		},
		"D28 large body of a warning": {
			script: probetest.Answer("HTTP/1.1 304 Not Modified\r\n\r\n"),
			want:   expectation{outcome: Warning, output: "Probe terminated redirects, Response body: "},
		},
		"D28 body of exactly the limit, then nothing": {
			script: probetest.AnswerAndHold("HTTP/1.1 200 OK\r\nContent-Length: 10241\r\n\r\n" + strings.Repeat("a", 10240)),
			want:   expectation{outcome: Success, output: strings.Repeat("a", 10240)},
		},
		"D38 headers too large": {
			script: probetest.Answer("HTTP/1.1 200 OK\r\n" + strings.Repeat("A: "+strings.Repeat("b", 1<<10)+"\r\n", 11<<10) + "\r\n"),
			want:   expectation{outcome: Failure, contains: "server response headers exceeded 10485760 bytes"},
		},
		"R62 another protocol": {
			script: probetest.AnswerAndHold("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"),
			want:   expectation{outcome: Failure, output: "HTTP probe failed with statuscode: 101"},
		},
		"E05 failure is not repeated": {
			script:   probetest.Answer("HTTP/1.1 500 no\r\n\r\n"),
			want:     expectation{outcome: Failure, output: "HTTP probe failed with statuscode: 500"},
			requests: 1,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var p *probetest.Peer
			attempt := func(timeout time.Duration) (got Result, addr string) {
				p = probetest.Serve(t, test.script)
				return HTTPGet{Port: p.Port, Path: "/healthz", Timeout: timeout}.Probe(t.Context()), address("", p.Port)
			}
			got := test.want.checkAt(t, cmp.Or(test.timeout, ample), attempt)
			if len(got.Output) > 11<<10 {
				t.Errorf("output has %d bytes, want it bounded", len(got.Output))
			}
			if accepted, requests := p.Counts(); test.requests > 0 && (accepted != test.requests || requests != test.requests) {
				t.Errorf("%d connections with %d requests, want %d", accepted, requests, test.requests)
			}
		})
	}
}

// TestHTTPTarget goes through targets that cannot be reached or asked for (D18, D35, D36, R47).
func TestHTTPTarget(t *testing.T) {
	tests := map[string]struct {
		probe HTTPGet
		want  expectation
	}{
		"D18 refused":       {HTTPGet{Port: probetest.RefusedPort(t), Path: "/h"}, expectation{outcome: Failure, output: `Get "http://{addr}/h": dial tcp {addr}: connect: connection refused`}},
		"D35 no such host":  {HTTPGet{Host: "no..such", Port: 80}, expectation{outcome: Failure, output: `Get "http://{addr}/": dial tcp: lookup no..such: no such host`}},
		"D36 no port":       {HTTPGet{}, expectation{outcome: Unknown, err: "invalid port number: 0, must be between 1 and 65535"}},
		"D36 port too high": {HTTPGet{Port: 65536}, expectation{outcome: Unknown, err: "invalid port number: 65536, must be between 1 and 65535"}},
		"R47 no request": {
			HTTPGet{Host: "a b", Port: 80},
			expectation{outcome: Unknown, err: `cannot construct the request: parse "http://a%20b:80/": invalid URL escape "%20"`},
		},
		"R64 bad header value": {
			HTTPGet{Port: 80, Headers: []Header{{"X-A", "b\n"}}},
			expectation{outcome: Failure, output: `Get "http://{addr}/": net/http: invalid header field value for "X-A"`},
		},
		"R64 unknown scheme": {HTTPGet{Port: 80, Scheme: "FTP"}, expectation{outcome: Failure, output: `Get "ftp://{addr}/": unsupported protocol scheme "ftp"`}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.probe.Timeout = ample
			test.want.check(t, test.probe.Probe(t.Context()), address(test.probe.Host, test.probe.Port))
		})
	}
}

// TestHTTPTimeoutCoversAll lets a connection hang, in virtual time: the attempt takes the time-out
// to the instant, and its dial is over then (R58).
func TestHTTPTimeoutCoversAll(t *testing.T) {
	for name, test := range map[string]struct{ set, want time.Duration }{
		"default": {0, time.Second},
		"set":     {90 * time.Second, 90 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				got := HTTPGet{Port: 80, Timeout: test.set, Client: &HTTPClient{Dial: dialHanging}}.Probe(t.Context())
				// The text's tail needs the clock to be past the instant, which virtual time is
				// not.
				want := expectation{outcome: Failure, output: `Get "http://127.0.0.1:80/": context deadline exceeded`}
				want.check(t, got, "")
				if took := time.Since(begin); took != test.want {
					t.Errorf("took %v, want %v", took, test.want)
				}
			})
		})
	}
}

// TestHTTPSilentTLS: a peer that never answers the handshake holds neither the attempt nor,
// afterwards, a socket. The bubble fails if a goroutine stays until the handshake's own limit.
func TestHTTPSilentTLS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		silent := func(context.Context, string, string) (net.Conn, error) {
			client, server := net.Pipe()
			go probetest.Hold(server) // ends when the client closes
			return client, nil
		}
		got := HTTPGet{Scheme: "HTTPS", Port: 443, Client: &HTTPClient{Dial: silent}}.Probe(t.Context())
		expectation{outcome: Failure, contains: "context deadline exceeded"}.check(t, got, "")
		synctest.Wait()
		if took := time.Since(begin); took != DefaultTimeout {
			t.Errorf("took %v, want %v", took, DefaultTimeout)
		}
	})
}

// TestHTTPLateConnection: a dial that does not heed its context brings a connection when nobody
// waits for it any more. It is closed; the bubble fails if its far end is held for ever.
func TestHTTPLateConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		late := func(context.Context, string, string) (net.Conn, error) {
			time.Sleep(5 * time.Second)
			client, server := net.Pipe()
			go probetest.Hold(server)
			return client, nil
		}
		begin := time.Now()
		got := HTTPGet{Scheme: "https", Port: 443, Client: &HTTPClient{Dial: late}}.Probe(t.Context())
		expectation{outcome: Failure, contains: "context deadline exceeded"}.check(t, got, "")
		if took := time.Since(begin); took != DefaultTimeout {
			t.Errorf("took %v, want %v", took, DefaultTimeout)
		}
		time.Sleep(5 * time.Second) // virtual, until the connection has come
	})
}

// TestHTTPHandshakeCap: the handshake gets ten seconds even if the attempt has more (R58).
func TestHTTPHandshakeCap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		silent := func(context.Context, string, string) (net.Conn, error) {
			client, server := net.Pipe()
			go probetest.Hold(server)
			return client, nil
		}
		got := HTTPGet{Scheme: "https", Port: 443, Timeout: time.Minute, Client: &HTTPClient{Dial: silent}}.Probe(t.Context())
		expectation{outcome: Failure, output: `Get "https://127.0.0.1:443/": net/http: TLS handshake timeout`}.check(t, got, "")
		if took := time.Since(begin); took != 10*time.Second {
			t.Errorf("took %v, want 10s", took)
		}
	})
}

// TestHTTPStoppedWhileReading ends the attempt after the headers have come.
func TestHTTPStoppedWhileReading(t *testing.T) {
	cause := errors.New("pod deleted")
	for name, response := range map[string]string{
		"before the headers": "",
		"in the body":        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab",
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			p := probetest.Serve(t, func(p *probetest.Peer, conn net.Conn) {
				probetest.Answer(response)(p, conn)
				cancel(cause)
				probetest.Hold(conn)
			})
			checkStopped(t, HTTPGet{Port: p.Port, Timeout: ample}.Probe(ctx), cause)
		})
	}
}
