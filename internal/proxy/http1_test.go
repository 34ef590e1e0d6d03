package proxy

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// scripted is a replica that serves each connection by a function, which gets the connection and
// what comes over it.
func scripted(t *testing.T, serve func(conn *net.TCPConn, in *bufio.Reader)) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				serve(conn.(*net.TCPConn), bufio.NewReader(conn))
			}()
		}
	}()
	return l.Addr().String()
}

// readRequest reads one request with its body.
func readRequest(in *bufio.Reader) (*http.Request, string, error) {
	r, err := http.ReadRequest(in)
	if err != nil {
		return nil, "", err
	}
	body, err := io.ReadAll(r.Body)
	return r, string(body), err
}

// TestHalfClose has clients that end their side of the connection after the request, as nc does.
// They get their answer, however long that takes.
func TestHalfClose(t *testing.T) {
	for name, request := range map[string]string{
		"GET": "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "POST": "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi", "HTTP/1.0": "GET / HTTP/1.0\r\n\r\n",
		"chunks": "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", "bare LF": "GET / HTTP/1.1\nHost: a\n\n",
	} {
		t.Run(name, func(t *testing.T) {
			fx := start(t, Options{})
			address := fx.service("web")
			a := fx.replica("a", func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				time.Sleep(3 * firstLookAtClient) // the fault: somebody looks whether the client has left
				fmt.Fprint(w, "here")
			})
			fx.endpoints("web", at("a", a.address))
			conn, answers := raw(t, address, request)
			if err := conn.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			res, err := http.ReadResponse(answers, nil)
			if err != nil {
				t.Fatal(err)
			}
			if body, err := io.ReadAll(res.Body); res.StatusCode != http.StatusOK || string(body) != "here" || err != nil {
				t.Errorf("%s %q %v", res.Status, body, err)
			}
		})
	}
}

// TestClientThatLeaves: a client that closes its connection is let go of soon, and the replica is
// told.
func TestClientThatLeaves(t *testing.T) {
	fx := start(t, Options{})
	address := fx.service("web")
	told := make(chan struct{})
	a := fx.replica("a", func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		close(told)
	})
	fx.endpoints("web", at("a", a.address))
	conn, _ := raw(t, address, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	eventually(t, "the request is there", func() bool { return a.seen.Load() == 1 })
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	<-told
	eventually(t, "the client is counted as gone", func() bool { s := fx.state(); return s.Gone == 1 && s.Lost == 0 && s.InFlight == 0 })
}

// TestHeldClientThatLeaves: nor does it wait for a replica any more.
func TestHeldClientThatLeaves(t *testing.T) {
	fx := start(t, Options{})
	address := fx.service("web", annotated("probity.run/hold", "1h"))
	conn, _ := raw(t, address, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	eventually(t, "it waits", func() bool { return fx.state().Waiting == 1 })
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it left", func() bool { s := fx.state(); return s.Waiting == 0 && s.Gone == 1 })
}

// TestEarlyRefusal has replicas that refuse an upload before they have read it. The client gets
// their words, whatever they do with the connection, and whatever the upload's size.
func TestEarlyRefusal(t *testing.T) {
	const refusal = "HTTP/1.1 413 Content Too Large\r\nContent-Length: 5\r\nConnection: close\r\n\r\nlarge"
	for name, end := range map[string]func(*net.TCPConn, *bufio.Reader){
		"closes": func(*net.TCPConn, *bufio.Reader) {},
		"lingers": func(conn *net.TCPConn, in *bufio.Reader) {
			_ = conn.CloseWrite()
			_, _ = io.Copy(io.Discard, in)
		},
		"reads on for a while": func(_ *net.TCPConn, in *bufio.Reader) { _, _ = io.CopyN(io.Discard, in, 1<<20) },
	} {
		for _, size := range []int{20 << 10, 1 << 20, 8 << 20} {
			t.Run(fmt.Sprint(name, " ", size), func(t *testing.T) {
				fx := start(t, Options{})
				address := fx.service("web")
				fx.endpoints("web", at("a", scripted(t, func(conn *net.TCPConn, in *bufio.Reader) {
					if _, err := http.ReadRequest(in); err == nil {
						_, _ = io.WriteString(conn, refusal)
						end(conn, in)
					}
				})))
				conn, answers := raw(t, address, fmt.Sprintf("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", size))
				go func() { _, _ = conn.Write(make([]byte, size)) }() // fails when the proxy has had enough
				res, err := http.ReadResponse(answers, nil)
				if err != nil {
					t.Fatal(err)
				}
				if body, err := io.ReadAll(res.Body); res.StatusCode != http.StatusRequestEntityTooLarge || string(body) != "large" || err != nil {
					t.Errorf("%s %q %v", res.Status, body, err)
				}
			})
		}
	}
}

// TestReplay breaks requests whose bodies come in pieces. What may be sent twice is, as it was, and
// only if it was kept.
func TestReplay(t *testing.T) {
	for _, chunked := range []bool{false, true} {
		for name, tt := range map[string]struct {
			method string
			size   int
			want   int
		}{
			"small": {http.MethodGet, 2 << 10, 200}, "beyond the head": {http.MethodGet, 60 << 10, 200}, "too large": {http.MethodGet, 100 << 10, 502},
			"not twice": {http.MethodPost, 2 << 10, 502},
		} {
			t.Run(fmt.Sprint(name, " chunked: ", chunked), func(t *testing.T) {
				body := strings.Repeat("0123456789abcdef", tt.size/16)
				fx := start(t, Options{})
				address := fx.service("web")
				var whole, broken atomic.Int64
				serve := func(conn *net.TCPConn, in *bufio.Reader) {
					r, got, err := readRequest(in)
					switch {
					case err != nil || got != body:
						t.Errorf("%v, %d bytes", err, len(got))
					case broken.Add(1) > 1:
						whole.Add(1)
						fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Method: %s\r\n\r\n", r.Method)
					}
				}
				fx.endpoints("web", at("a", scripted(t, serve)), at("b", scripted(t, serve)))
				head := fmt.Sprintf("%s / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", tt.method, len(body))
				if chunked {
					head = fmt.Sprintf("%s / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", tt.method)
				}
				conn, answers := raw(t, address, head)
				for rest := body; rest != ""; {
					piece := rest[:min(len(rest), 10_000)]
					rest = rest[len(piece):]
					if chunked {
						piece = fmt.Sprintf("%x;x\r\n%s\r\n", len(piece), piece)
					}
					if _, err := io.WriteString(conn, piece); err != nil {
						t.Fatal(err)
					}
					time.Sleep(time.Millisecond)
				}
				if chunked {
					_, _ = io.WriteString(conn, "0\r\n\r\n") // fails only if the answer is an error
				}
				res, err := http.ReadResponse(answers, nil)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != tt.want {
					t.Errorf("%s, %v, want %d", res.Status, err, tt.want)
				}
				if n := whole.Load(); n != int64(tt.want/200%2) {
					t.Errorf("answered %d times", n)
				}
			})
		}
	}
}

// TestOldClients: those of HTTP/1.0 get no chunks, and keep their connection only if they ask.
func TestOldClients(t *testing.T) {
	fx := start(t, Options{})
	address := fx.service("web")
	a := fx.replica("a", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/chunks" {
			fmt.Fprint(w, "first ")
			_ = http.NewResponseController(w).Flush()
		}
		fmt.Fprint(w, r.Host)
	})
	fx.endpoints("web", at("a", a.address))
	_, answers := raw(t, address, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"+"GET /chunks HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
	res, err := http.ReadResponse(answers, nil)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(res.Body); string(body) != address || err != nil || res.Header.Get("Connection") != "keep-alive" {
		t.Errorf("%q %v %v, want the address of the Service", body, err, res.Header)
	}
	text, err := io.ReadAll(answers)
	if want := "\r\n\r\nfirst " + address; err != nil || !bytes.HasSuffix(text, []byte(want)) || !bytes.Contains(text, []byte("\r\nConnection: close\r\n")) {
		t.Errorf("%q %v, want it to end by %q", text, err, want)
	}
}

// TestContinue: what a replica says to Expect passes.
func TestContinue(t *testing.T) {
	for name, agrees := range map[string]bool{"agrees": true, "refuses": false} {
		t.Run(name, func(t *testing.T) {
			fx := start(t, Options{})
			address := fx.service("web")
			a := fx.replica("a", func(w http.ResponseWriter, r *http.Request) {
				if !agrees {
					w.WriteHeader(http.StatusForbidden)
					return
				}
				body, _ := io.ReadAll(r.Body)
				fmt.Fprint(w, string(body))
			})
			fx.endpoints("web", at("a", a.address))
			conn, answers := raw(t, address, "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
			res, err := http.ReadResponse(answers, nil)
			if err != nil {
				t.Fatal(err)
			}
			if !agrees {
				if res.StatusCode != http.StatusForbidden || !res.Close {
					t.Errorf("%s, close: %v", res.Status, res.Close)
				}
				return
			}
			if res.StatusCode != http.StatusContinue {
				t.Fatal(res.Status)
			}
			if _, err := io.WriteString(conn, "hi"); err != nil {
				t.Fatal(err)
			}
			if res, err = http.ReadResponse(answers, nil); err != nil {
				t.Fatal(err)
			}
			if body, err := io.ReadAll(res.Body); string(body) != "hi" || err != nil {
				t.Errorf("%s %q %v", res.Status, body, err)
			}
		})
	}
}
