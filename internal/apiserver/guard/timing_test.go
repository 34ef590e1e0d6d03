package guard

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener whose connections are pipes, so that their time is that of the bubble.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 6443} }

// dial connects a client.
func (p *pipes) dial() net.Conn {
	server, client := net.Pipe()
	p.conns <- server
	return client
}

// inBubble serves next in virtual time.
func inBubble(t *testing.T, limits Limits, next http.HandlerFunc, test func(t *testing.T, p *pipes)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		opts := testOptions()
		opts.Limits = limits
		g := New(opts)
		server := g.Server(next)
		server.Protocols = new(http.Protocols)
		server.Protocols.SetHTTP1(true)
		server.Protocols.SetUnencryptedHTTP2(true)
		p := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
		var serving sync.WaitGroup
		serving.Go(func() {
			if err := server.Serve(g.Listener(p)); !errors.Is(err, http.ErrServerClosed) {
				t.Error(err)
			}
		})
		test(t, p)
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		serving.Wait()
		synctest.Wait()
		if n := len(g.clients.slots); n > 0 || g.clients.unproven.Len() > 0 {
			t.Errorf("%d slots are in use, %d connections unproven", n, g.clients.unproven.Len())
		}
	})
}

// lasts returns how long a connection is open, while what comes is thrown away.
func lasts(conn net.Conn) time.Duration {
	start := time.Now()
	_, _ = io.Copy(io.Discard, conn) // ends with an error or without one
	return time.Since(start)
}

// A preface begins HTTP/2: some text and a frame of settings, which may be empty.
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"

// TestProofTimeout: a connection on which no token is shown lasts 10 seconds, whatever it says.
func TestProofTimeout(t *testing.T) {
	const healthz = "GET /healthz HTTP/1.1\r\nHost: localhost:6443\r\n"
	for name, test := range map[string]struct {
		says string
		want time.Duration
	}{
		"nothing":               {"", 10 * time.Second},
		"half a head":           {healthz, 10 * time.Second},
		"HTTP/2 and no request": {preface, 10 * time.Second},
		"asks of health":        {healthz + "\r\n", 0},
		"has a wrong token":     {healthz + "Authorization: Bearer wrong\r\n\r\n", 0},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, Limits{}, nothing, func(t *testing.T, p *pipes) {
				conn := p.dial()
				go io.WriteString(conn, test.says) // ends with the connection
				if got := lasts(conn); got != test.want {
					t.Errorf("it lasted %v, want %v", got, test.want)
				}
			})
		})
	}
}

// overHTTP runs a test with clients of both versions. Each has one connection at a time.
func overHTTP(t *testing.T, next http.HandlerFunc, test func(t *testing.T, client *http.Client, dials *int)) {
	for name, protocol := range map[string]func(*http.Protocols, bool){
		"HTTP/1": (*http.Protocols).SetHTTP1,
		"HTTP/2": (*http.Protocols).SetUnencryptedHTTP2,
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, Limits{}, next, func(t *testing.T, p *pipes) {
				dials := 0
				transport := &http.Transport{Protocols: new(http.Protocols), DialContext: func(context.Context, string, string) (net.Conn, error) {
					dials++
					return p.dial(), nil
				}}
				protocol(transport.Protocols, true)
				defer transport.CloseIdleConnections()
				test(t, &http.Client{Transport: transport}, &dials)
			})
		})
	}
}

// ask sends a request with the token and returns the status and the body of the answer.
func ask(t *testing.T, client *http.Client, method string, body io.Reader) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://localhost:6443/api", body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer right")
	answer, err := client.Do(r)
	if err != nil {
		return err.Error()
	}
	defer answer.Body.Close() // read to its end
	text, err := io.ReadAll(answer.Body)
	return fmt.Sprint(answer.StatusCode, " ", string(text), err)
}

// TestProven: a connection on which the token was shown once stays as long as it is used.
func TestProven(t *testing.T) {
	overHTTP(t, nothing, func(t *testing.T, client *http.Client, dials *int) {
		for _, pause := range []time.Duration{0, 11 * time.Second, 89 * time.Second, 89 * time.Second} {
			time.Sleep(pause)
			if got, want := ask(t, client, "GET", nil), "200 <nil>"; got != want {
				t.Errorf("after %v: %s, want %s", pause, got, want)
			}
		}
		if *dials != 1 {
			t.Errorf("it took %d connections", *dials)
		}
		time.Sleep(91 * time.Second)
		if ask(t, client, "GET", nil); *dials != 2 {
			t.Errorf("an idle connection was kept: %d were made", *dials)
		}
	})
}

// slowly is a body of which a byte comes each 0.9 s, and so none at the end of the minute.
type slowly struct{ bytes int }

func (s *slowly) Read(p []byte) (int, error) {
	if s.bytes == 0 {
		return 0, io.EOF
	}
	s.bytes--
	time.Sleep(900 * time.Millisecond)
	return copy(p, "x"), nil
}

// TestSlowBody: a body has to be there after a minute, and an answer can take as long as it likes.
func TestSlowBody(t *testing.T) {
	for name, test := range map[string]struct {
		bytes int
		want  string
		after time.Duration
	}{
		"in time":  {66, "200 66 bytes<nil>", 66*900*time.Millisecond + time.Hour},
		"too slow": {1000, `504 Timeout: the body of the request did not arrive in time<nil>`, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			next := func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if refusal := BodyError(err); refusal != nil {
					http.Error(w, refusal.Error(), int(refusal.Status().Code))
					return
				}
				select {
				case <-time.After(time.Hour):
				case <-r.Context().Done():
					t.Errorf("the request was given up: %v", r.Context().Err())
				}
				fmt.Fprintf(w, "%d bytes", len(body))
			}
			overHTTP(t, next, func(t *testing.T, client *http.Client, _ *int) {
				start := time.Now()
				if got := strings.ReplaceAll(ask(t, client, "POST", &slowly{test.bytes}), "\n", ""); got != test.want {
					t.Errorf("%s, want %s", got, test.want)
				}
				// the client may wait for the next byte of the body
				if after := time.Since(start); after < test.after || after > test.after+time.Second {
					t.Errorf("the answer came after %v, want %v", after, test.after)
				}
				time.Sleep(2 * time.Second) // with its next byte the client notices
			})
		})
	}
}

// TestSlowBodyUnread: a body that nobody reads does not hold up the connection for longer.
func TestSlowBodyUnread(t *testing.T) {
	inBubble(t, Limits{}, nothing, func(t *testing.T, p *pipes) {
		conn := p.dial()
		go io.WriteString(conn, "POST /api HTTP/1.1\r\nHost: localhost:6443\r\nAuthorization: Bearer right\r\nContent-Length: 1000\r\n\r\n12345")
		if got := lasts(conn); got > time.Minute+time.Second {
			t.Errorf("it lasted %v, want a minute", got)
		}
	})
}

// TestSlowHead: the head of a request takes 10 seconds at most, although the token was shown
// before.
func TestSlowHead(t *testing.T) {
	inBubble(t, Limits{}, nothing, func(t *testing.T, p *pipes) {
		conn := p.dial()
		const head = "GET /api HTTP/1.1\r\nHost: localhost:6443\r\nAuthorization: Bearer right\r\n"
		go io.WriteString(conn, head+"\r\n")
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || answer.StatusCode != 200 {
			t.Fatalf("%v, %v", answer, err)
		}
		go io.WriteString(conn, head)
		if got := lasts(conn); got != 10*time.Second {
			t.Errorf("it lasted %v, want 10 s", got)
		}
	})
}

// TestTokenless: a client that goes on without the token, and takes no answers, is cut off; one
// that has shown it before is not.
func TestTokenless(t *testing.T) {
	for name, isProven := range map[string]bool{"unproven": false, "proven": true} {
		t.Run(name, func(t *testing.T) {
			g := New(testOptions())
			server, other := net.Pipe()
			defer other.Close() // has no error
			g.clients.slots <- struct{}{}
			c := g.clients.add(server)
			defer c.Close() // has no error
			handler := g.Handler(http.HandlerFunc(nothing))
			ask := func(header http.Header) {
				r := httptest.NewRequestWithContext(withClient(t.Context(), c), "GET", "https://localhost:6443/api", nil)
				r.Header = header
				handler.ServeHTTP(httptest.NewRecorder(), r)
			}
			if isProven {
				ask(with("Authorization", "Bearer right"))
			}
			for n := range maxTokenless {
				if ask(nil); isClosed(c) {
					t.Fatalf("request %d was one too many", n+1)
				}
			}
			if ask(nil); isClosed(c) == isProven {
				t.Errorf("closed after request %d: %t", maxTokenless+1, isClosed(c))
			}
		})
	}
}

// isClosed reports whether this end of a pipe is closed.
func isClosed(c *client) bool { return c.SetDeadline(time.Time{}) != nil }
