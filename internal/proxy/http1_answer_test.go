package proxy

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestAnswersPassUnchanged has answers that reach the client byte for byte, in the pieces in which
// they come.
func TestAnswersPassUnchanged(t *testing.T) {
	for name, tt := range map[string]struct{ first, second, want string }{
		"no type is made up": {"HTTP/1.1 200 OK\r\nServer: x\r\ncontent-LENGTH: 6\r\n\r\n<html>", "", "HTTP/1.1 200 OK\r\nServer: x\r\ncontent-LENGTH: 6\r\n\r\n<html>"},
		"a part of a length": {"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nfir", "sec", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nfirsec"},
		"until it closes":    {"HTTP/1.1 200 OK\r\n\r\nfirst", "second", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nfirstsecond"},
		"interim": {"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n",
			"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			fx := start(t, Options{})
			address := fx.service("web")
			next := make(chan struct{})
			fx.endpoints("web", at("a", scripted(t, func(conn *net.TCPConn, in *bufio.Reader) {
				if _, _, err := readRequest(in); err == nil {
					_, _ = io.WriteString(conn, tt.first)
					<-next // the client has it already
					_, _ = io.WriteString(conn, tt.second)
				}
			})))
			_, answers := raw(t, address, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
			got := make([]byte, len(tt.want)-len(tt.second))
			if _, err := io.ReadFull(answers, got); err != nil {
				t.Fatalf("%q %v", got, err)
			}
			close(next)
			rest := make([]byte, len(tt.second))
			if _, err := io.ReadFull(answers, rest); err != nil || string(got)+string(rest) != tt.want {
				t.Errorf("%q%q %v, want %q", got, rest, err, tt.want)
			}
		})
	}
}

// TestAnswersWithoutBody: what Content-Length says is about another message if the answer is one to
// HEAD, or 204 or 304 (RFC 9112, 6.3). The next answer follows at once, and what a replica sends in
// spite of that reaches nobody.
func TestAnswersWithoutBody(t *testing.T) {
	for name, tt := range map[string]struct{ method, status, body string }{
		"HEAD": {"HEAD", "200 OK", ""}, "204": {"GET", "204 No Content", ""}, "304": {"GET", "304 Not Modified", ""},
		"HEAD with a body": {"HEAD", "200 OK", "ok"}, "204 with a body": {"GET", "204 No Content", "ok"}, "304 with a body": {"GET", "304 Not Modified", "ok"},
	} {
		t.Run(name, func(t *testing.T) {
			fx := start(t, Options{})
			address := fx.service("web")
			first := "HTTP/1.1 " + tt.status + "\r\nContent-Length: 2\r\n\r\n"
			const next = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext"
			fx.endpoints("web", at("a", scripted(t, func(conn *net.TCPConn, in *bufio.Reader) {
				for {
					r, _, err := readRequest(in)
					switch {
					case err != nil:
						return
					case r.URL.Path == "/next":
						_, _ = io.WriteString(conn, next)
					default:
						_, _ = io.WriteString(conn, first+tt.body)
					}
				}
			})))
			_, answers := raw(t, address, tt.method+" / HTTP/1.1\r\nHost: a\r\n\r\nGET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
			want := first + strings.Replace(next, "\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1)
			if got, err := io.ReadAll(answers); string(got) != want || err != nil {
				t.Errorf("%q %v, want %q", got, err, want)
			}
		})
	}
}

// TestSpoiltConnections has replicas that send more than an answer. Nobody else gets it.
func TestSpoiltConnections(t *testing.T) {
	for name, answer := range map[string]string{
		"behind a length": "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" + "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison",
		"behind chunks":   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison",
		"both lengths":    "HTTP/1.1 200 OK\r\nContent-Length: 40\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			fx := start(t, Options{})
			url := "http://" + fx.service("web")
			fx.endpoints("web", at("a", scripted(t, func(conn *net.TCPConn, in *bufio.Reader) {
				for {
					if _, _, err := readRequest(in); err != nil {
						return
					}
					_, _ = io.WriteString(conn, answer)
				}
			})))
			c := client(t)
			for range 20 {
				if code, body := get(c, url); code != http.StatusOK || body != "ok" {
					t.Fatalf("%d %q", code, body)
				}
			}
		})
	}
}

// TestTruncatedAnswers: an answer that breaks off is never made a whole one.
func TestTruncatedAnswers(t *testing.T) {
	for name, answer := range map[string]string{
		"length": "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf", "chunks": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal",
		"bad chunk": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", "trailer": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nHost: a\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			fx := start(t, Options{})
			url := "http://" + fx.service("web")
			fx.endpoints("web", at("a", scripted(t, func(conn *net.TCPConn, in *bufio.Reader) {
				if _, _, err := readRequest(in); err == nil {
					_, _ = io.WriteString(conn, answer)
				}
			})))
			if code, body := get(client(t), url); code != 0 {
				t.Errorf("%d %q, want an answer that breaks off", code, body)
			}
			eventually(t, "it is counted", func() bool { return fx.state().Lost == 1 })
		})
	}
}

// TestReplicaThatCloses has a replica that closes each connection after a few answers without
// saying so: while the next request is on its way, or before. No request waits for ever, and none
// fails: a POST is never sent over a connection that is closed already.
func TestReplicaThatCloses(t *testing.T) {
	fx := start(t, Options{})
	address := fx.service("web")
	var connections, closed atomic.Int64
	fx.endpoints("web", at("a", scripted(t, func(conn *net.TCPConn, in *bufio.Reader) {
		n := connections.Add(1)
		for range 1 + n%3 {
			if _, _, err := readRequest(in); err != nil {
				return
			}
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") // fails if the proxy has gone
		}
		for range n % 50 * 100 { // so that it is closed at different moments
			runtime.Gosched()
		}
		_ = conn.Close() // nothing is expected of it
		closed.Store(n)
	})))
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	answers := bufio.NewReader(conn)
	for i := range 3000 {
		method := http.MethodGet
		if closed.Load() == connections.Load() { // so none is open, as there is one request at a time
			method = http.MethodPost
		}
		if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, method+" / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		res, err := http.ReadResponse(answers, nil)
		if err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
		if body, err := io.ReadAll(res.Body); res.StatusCode != http.StatusOK || string(body) != "ok" || err != nil {
			t.Fatalf("request %d: %s %s %q %v", i, method, res.Status, body, err)
		}
	}
}
