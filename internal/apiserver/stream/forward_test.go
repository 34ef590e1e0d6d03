package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"testing"

	"github.com/moby/spdystream"
)

// dialEcho is a program that sends back what it gets, and says goodbye at its end. Nothing listens
// on port 1.
func dialEcho(t *testing.T, programs *sync.WaitGroup) Dial {
	return func(_ context.Context, port int32) (net.Conn, error) {
		if port == 1 {
			return nil, errors.New("nobody is there")
		}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		programs.Go(func() {
			defer l.Close() // there is one connection
			conn, err := l.Accept()
			if err != nil {
				return
			}
			defer conn.Close() // it was read to its end
			if _, err := io.Copy(conn, conn); err == nil {
				fmt.Fprintf(conn, " bye from %d", port)
			}
		})
		return net.Dial("tcp", l.Addr().String())
	}
}

// forwarded connects a client of port-forward, over real sockets.
func forwarded(t *testing.T, header http.Header, method string, dial Dial) (answer *http.Response, conn net.Conn, ended chan error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended = make(chan error, 1)
	h := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { ended <- Forward(w, r, dial) })}
	var serving sync.WaitGroup
	serving.Go(func() { _ = h.Serve(l) }) // until it is closed
	t.Cleanup(func() {
		h.Close()
		serving.Wait()
	})
	conn, err = net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	answer, conn = requestOver(t, conn, method, header)
	return answer, conn, ended
}

// forwardClients are the ways to ask for it: over SPDY, and in a WebSocket.
func forwardClients(t *testing.T, dial Dial) map[string]func(t *testing.T) (*spdystream.Connection, net.Conn, chan error) {
	return map[string]func(*testing.T) (*spdystream.Connection, net.Conn, chan error){
		"SPDY": func(t *testing.T) (*spdystream.Connection, net.Conn, chan error) {
			_, conn, ended := forwarded(t, http.Header{"Connection": {"Upgrade"}, "Upgrade": {"SPDY/3.1"}, "X-Stream-Protocol-Version": {"portforward.k8s.io"}}, "POST", dial)
			return overSPDY(t, conn), conn, ended
		},
		"tunnel": func(t *testing.T) (*spdystream.Connection, net.Conn, chan error) {
			answer, conn, ended := forwarded(t, http.Header{
				"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"MDEyMzQ1Njc4OWFiY2RlZg=="},
				"Sec-Websocket-Protocol": {"SPDY/3.1+portforward.k8s.io"},
			}, "GET", dial)
			if got := answer.Header.Get("Sec-Websocket-Accept"); got != "BACScCJPNqyz+UBoqMH89VmURoA=" { // of this key
				t.Errorf("accept header %q", got)
			}
			return overSPDY(t, &tunnelClient{Conn: conn}), conn, ended
		},
	}
}

// tunnelClient is the client's side of a tunnel, whose server sends no frame in pieces.
type tunnelClient struct {
	net.Conn
	left int
}

func (c *tunnelClient) Write(p []byte) (int, error) {
	if _, err := io.WriteString(c.Conn, frame(0x82, string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (c *tunnelClient) Read(p []byte) (int, error) {
	for c.left == 0 {
		var head [4]byte
		if _, err := io.ReadFull(c.Conn, head[:2]); err != nil {
			return 0, err
		}
		c.left = int(head[1])
		if c.left == lengthOf16 {
			if _, err := io.ReadFull(c.Conn, head[2:]); err != nil {
				return 0, err
			}
			c.left = int(head[2])<<8 | int(head[3])
		}
	}
	n, err := c.Conn.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}

// TestForward: twenty connections at a time, each with its own bytes and ends, and one to a port
// where nobody is, whose client is told.
func TestForward(t *testing.T) {
	var programs sync.WaitGroup
	defer programs.Wait()
	for name, connect := range forwardClients(t, dialEcho(t, &programs)) {
		t.Run(name, func(t *testing.T) {
			client, conn, ended := connect(t)
			var running sync.WaitGroup
			for i := range 21 {
				running.Go(func() {
					number, port := strconv.Itoa(i), strconv.Itoa(i+1)
					errs := open(t, client, "streamType", "error", "port", port, "requestID", number)
					errs.Close()
					var reading sync.WaitGroup // as kubectl reads both at a time
					defer reading.Wait()
					wantErr := ""
					if i == 0 {
						wantErr = "nobody is there"
					}
					reading.Go(func() {
						if text, err := io.ReadAll(errs); err != nil || string(text) != wantErr {
							t.Errorf("connection %d: error %q, %v, want %q", i, text, err, wantErr)
						}
					})
					data := open(t, client, "streamType", "data", "port", port, "requestID", number)
					sent := fmt.Sprintf("hello %d", i)
					if _, err := io.WriteString(data, sent); err != nil {
						t.Error(err)
					}
					data.Close()
					got, err := io.ReadAll(data)
					want := sent + " bye from " + port
					if i == 0 {
						want = ""
					}
					if err != nil || string(got) != want {
						t.Errorf("connection %d: %q, %v, want %q", i, got, err, want)
					}
				})
			}
			running.Wait()
			conn.Close()
			if err := <-ended; err != nil {
				t.Errorf("Forward = %v", err)
			}
		})
	}
}

// TestForwardLeavesHalf: nor is anything left of a connection on which the client has sent all, and
// the program nothing.
func TestForwardLeavesHalf(t *testing.T) {
	begun, over := make(chan struct{}), make(chan struct{})
	dial := func(context.Context, int32) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			begun <- struct{}{}
			_, _ = io.Copy(io.Discard, theirs) // until the connection is closed
			over <- struct{}{}
		}()
		return ours, nil
	}
	for name, connect := range forwardClients(t, dial) {
		t.Run(name, func(t *testing.T) {
			client, conn, ended := connect(t)
			open(t, client, "streamType", "error", "port", "8080", "requestID", "0")
			data := open(t, client, "streamType", "data", "port", "8080", "requestID", "0")
			if err := data.Close(); err != nil {
				t.Fatal(err)
			}
			<-begun
			if _, err := client.Ping(); err != nil { // its end has arrived by then
				t.Fatal(err)
			}
			conn.Close()
			<-over
			if err := <-ended; err != nil {
				t.Errorf("Forward = %v", err)
			}
		})
	}
}

// TestForwardLeaves: when the client leaves, or gives up one connection, nothing of it is left.
func TestForwardLeaves(t *testing.T) {
	var programs sync.WaitGroup
	for name, connect := range forwardClients(t, dialEcho(t, &programs)) {
		t.Run(name, func(t *testing.T) {
			client, conn, ended := connect(t)
			for i, leave := range []func(*spdystream.Stream){func(s *spdystream.Stream) { s.Reset() }, func(*spdystream.Stream) { conn.Close() }} {
				number := strconv.Itoa(i)
				open(t, client, "streamType", "error", "port", "8080", "requestID", number)
				data := open(t, client, "streamType", "data", "port", "8080", "requestID", number)
				if _, err := io.WriteString(data, "hello"); err != nil {
					t.Fatal(err)
				}
				if _, err := io.ReadFull(data, make([]byte, 5)); err != nil {
					t.Fatal(err)
				}
				leave(data)
				programs.Wait() // it ends with the connection
			}
			if err := <-ended; err != nil {
				t.Errorf("Forward = %v", err)
			}
		})
	}
}
