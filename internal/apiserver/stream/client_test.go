package stream

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/moby/spdystream"
	"golang.org/x/net/websocket"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// server answers every request with a handler, in virtual time.
type server struct {
	t       *testing.T
	pipes   *pipes
	stop    context.CancelFunc // ends the contexts of all requests
	handled chan struct{}      // has a value for each request that is over
}

// inBubble runs a test with a server. At its end, nothing of its requests is left.
func inBubble(t *testing.T, handle http.HandlerFunc, test func(t *testing.T, s *server)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		s := &server{t: t, pipes: &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}, stop: stop, handled: make(chan struct{}, 10)}
		h := &http.Server{BaseContext: func(net.Listener) context.Context { return ctx }, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			handle(w, r)
			s.handled <- struct{}{}
		})}
		var serving sync.WaitGroup
		serving.Go(func() {
			if err := h.Serve(s.pipes); !errors.Is(err, http.ErrServerClosed) {
				t.Error(err)
			}
		})
		test(t, s)
		stop()
		if err := h.Close(); err != nil {
			t.Error(err)
		}
		serving.Wait()
	})
}

// dial connects a client.
func (s *server) dial() net.Conn {
	ours, theirs := net.Pipe()
	s.pipes.conns <- theirs
	return ours
}

// bufferedConn is a connection of which something was read ahead.
type bufferedConn struct {
	net.Conn
	in *bufio.Reader
}

func (c bufferedConn) Read(p []byte) (int, error) { return c.in.Read(p) }

// request sends the head of a request and reads that of the answer.
func (s *server) request(method string, header http.Header) (*http.Response, net.Conn) {
	s.t.Helper()
	return requestOver(s.t, s.dial(), method, header)
}

// requestOver is request over another connection.
func requestOver(t *testing.T, conn net.Conn, method string, header http.Header) (*http.Response, net.Conn) {
	t.Helper()
	r, err := http.NewRequest(method, "http://localhost/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = header
	if err := r.Write(conn); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(conn)
	answer, err := http.ReadResponse(in, r)
	if err != nil {
		t.Fatal(err)
	}
	return answer, bufferedConn{conn, in}
}

// webSocket connects a client of a WebSocket.
func (s *server) webSocket(protocols ...string) (client *websocket.Conn, over net.Conn) {
	s.t.Helper()
	config, err := websocket.NewConfig("ws://localhost/", "http://localhost/")
	if err != nil {
		s.t.Fatal(err)
	}
	config.Protocol = protocols
	over = s.dial()
	client, err = websocket.NewClient(config, over)
	if err != nil {
		s.t.Fatal(err)
	}
	client.PayloadType = websocket.BinaryFrame
	return client, over
}

// spdy connects a client of SPDY, the one that client-go has.
func (s *server) spdy(protocol string) (client *spdystream.Connection, over net.Conn) {
	s.t.Helper()
	answer, conn := s.request("POST", http.Header{"Connection": {"Upgrade"}, "Upgrade": {"SPDY/3.1"}, "X-Stream-Protocol-Version": {"other", protocol}})
	if answer.StatusCode != http.StatusSwitchingProtocols || answer.Header.Get("X-Stream-Protocol-Version") != protocol {
		s.t.Fatalf("answer %v", answer)
	}
	return overSPDY(s.t, conn), conn
}

func overSPDY(t *testing.T, conn net.Conn) *spdystream.Connection {
	t.Helper()
	client, err := spdystream.NewConnection(conn, false)
	if err != nil {
		t.Fatal(err)
	}
	go client.Serve(spdystream.NoOpStreamHandler) // ends with the connection
	return client
}

// open opens a stream with headers "name: value".
func open(t *testing.T, client *spdystream.Connection, headers ...string) *spdystream.Stream {
	t.Helper()
	header := http.Header{}
	for i := 0; i < len(headers); i += 2 {
		header.Set(headers[i], headers[i+1])
	}
	s, err := client.CreateStream(header, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Wait(); err != nil {
		t.Fatal(err)
	}
	return s
}

// echo is a session that says what it was asked for and sends back what is typed, until the client
// ends it or leaves. Its exit code is 3.
func echo(t *testing.T, wants Wants) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s, err := Open(w, r, wants)
		if err != nil {
			t.Errorf("Open = %v", err)
			return
		}
		if s.Stderr != nil {
			fmt.Fprint(s.Stderr, "begun")
		}
		if s.Sizes != nil {
			size := <-s.Sizes
			fmt.Fprintf(s.Stdout, "%dx%d", size.Width, size.Height)
		}
		if s.Stdin != nil {
			if _, err := io.Copy(s.Stdout, s.Stdin); err != nil {
				fmt.Fprint(s.Stderr, err)
			}
		}
		s.End(&metav1.Status{Status: metav1.StatusFailure, Message: "3"})
	}
}

// statusMessage is the message of a status.
func statusMessage(t *testing.T, text []byte) string {
	t.Helper()
	var status metav1.Status
	if err := json.Unmarshal(text, &status); err != nil {
		t.Errorf("%v in %q", err, text)
	}
	return status.Status + " " + status.Message
}
