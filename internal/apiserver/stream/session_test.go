package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/websocket"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// messages are all that a client receives over a WebSocket, by channel.
func messages(t *testing.T, client *websocket.Conn) map[byte]string {
	t.Helper()
	got := map[byte]string{}
	for {
		var message []byte
		if err := websocket.Message.Receive(client, &message); err != nil {
			if !errors.Is(err, io.EOF) {
				t.Errorf("the client receives %v, want a clean end", err)
			}
			return got
		}
		got[message[0]] += string(message[1:])
	}
}

// TestWebSocketSession: what is typed arrives and what is written comes back, each on its channel,
// then how it ended, and then the end.
func TestWebSocketSession(t *testing.T) {
	all := Wants{Stdin: true, Stdout: true, Stderr: true}
	for name, test := range map[string]struct {
		wants     Wants
		protocols []string
		sends     []string
		want      map[byte]string
	}{
		"all":              {all, []string{protocolV5, protocolV4}, []string{"\x07ignored", "", "\x00typ", "\x00ed", "\xff\x07", "\xff\x00"}, map[byte]string{1: "typed", 2: "begun", 3: "Failure 3"}},
		"terminal":         {Wants{Stdin: true, Stdout: true, Stderr: true, Terminal: true}, []string{protocolV5}, []string{"\x04" + `{"Width":0,"Height":24}{"Wid`, "\x04" + `th":80,"Height":24}`, "\x00typed", "\xff\x00"}, map[byte]string{1: "80x24typed", 3: "Failure 3"}},
		"output alone":     {Wants{Stderr: true}, []string{protocolV5}, []string{"\x00ignored"}, map[byte]string{2: "begun", 3: "Failure 3"}},
		"nothing is typed": {all, []string{protocolV5}, []string{"\xff\x00"}, map[byte]string{2: "begun", 3: "Failure 3"}},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, echo(t, test.wants), func(t *testing.T, s *server) {
				client, _ := s.webSocket(test.protocols...)
				defer client.Close() // it was read to its end
				if got := client.Config().Protocol; got[0] != test.protocols[0] {
					t.Errorf("protocol %q", got)
				}
				go func() {
					for _, message := range test.sends {
						_ = websocket.Message.Send(client, []byte(message)) // the session may be over
					}
				}()
				got := messages(t, client)
				got[3] = statusMessage(t, []byte(got[3]))
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("messages (-want +got):\n%s", diff)
				}
				client.Close()
				<-s.handled
			})
		})
	}
}

// TestSPDYSession is the same over SPDY.
func TestSPDYSession(t *testing.T) {
	inBubble(t, echo(t, Wants{Stdin: true, Stdout: true, Terminal: true}), func(t *testing.T, s *server) {
		client, over := s.spdy(protocolV4)
		defer over.Close() // nothing more is expected of it
		unknown := open(t, client, "streamType", "other")
		errs, stdin := open(t, client, "streamType", "error"), open(t, client, "streamType", "stdin")
		stdout, resize := open(t, client, "streamType", "stdout"), open(t, client, "streamType", "resize")
		late := open(t, client, "streamType", "other")
		for stream, text := range map[io.Writer]string{resize: `{"Width":80,"Height":24}`, unknown: "ignored", late: "ignored", stdout: "ignored"} {
			if _, err := io.WriteString(stream, text); err != nil {
				t.Fatal(err)
			}
		}
		go func() {
			_, _ = io.WriteString(stdin, "typed")
			stdin.Close()
		}()
		if text, err := io.ReadAll(stdout); err != nil || string(text) != "80x24typed" {
			t.Errorf("stdout %q, %v", text, err)
		}
		text, err := io.ReadAll(errs)
		if err != nil || statusMessage(t, text) != "Failure 3" {
			t.Errorf("status %q, %v", text, err)
		}
		over.Close()
		<-s.handled
	})
}

// TestSPDYStreamsMissing: a client that does not open the streams that it wants is cut off.
func TestSPDYStreamsMissing(t *testing.T) {
	handle := func(w http.ResponseWriter, r *http.Request) {
		if _, err := Open(w, r, Wants{Stdout: true}); !errors.Is(err, errStreams) {
			t.Errorf("Open = %v, want %v", err, errStreams)
		}
	}
	inBubble(t, handle, func(t *testing.T, s *server) {
		client, _ := s.spdy(protocolV4)
		open(t, client, "streamType", "error")
		start := time.Now()
		<-client.CloseChan()
		if took := time.Since(start); took != openTime {
			t.Errorf("it took %v, want %v", took, openTime)
		}
		<-s.handled
	})
}

// TestNoUpgrade: whoever speaks something else is told what is spoken, and nothing was answered
// before.
func TestNoUpgrade(t *testing.T) {
	handle := func(w http.ResponseWriter, r *http.Request) {
		var err error
		if r.Header.Get("Test") == "forward" {
			err = Forward(w, r, nil)
		} else {
			_, err = Open(w, r, Wants{Stdout: true})
		}
		if _, ok := errors.AsType[*ProtocolError](err); !ok {
			t.Errorf("error %v, want one about protocols", err)
		}
		http.Error(w, err.Error(), http.StatusBadRequest)
	}
	handshake := func(change ...string) http.Header {
		h := http.Header{
			"Connection": {"keep-alive, Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"MDEyMzQ1Njc4OWFiY2RlZg=="},
			"Sec-Websocket-Protocol": {protocolV5},
		}
		for i := 0; i < len(change); i += 2 {
			h.Set(change[i], change[i+1])
		}
		return h
	}
	for name, test := range map[string]struct {
		method string
		header http.Header
		want   string
	}{
		"POST for a WebSocket":       {"POST", handshake(), "needs the method GET"},
		"no key":                     {"GET", handshake("Sec-Websocket-Key", "short"), "no handshake of WebSocket version 13"},
		"another version":            {"GET", handshake("Sec-Websocket-Version", "8"), "no handshake of WebSocket version 13"},
		"another protocol":           {"GET", handshake("Sec-Websocket-Protocol", "channel.k8s.io"), `client supports ["channel.k8s.io"], server accepts ["v5.channel.k8s.io" "v4.channel.k8s.io"]`},
		"another upgrade":            {"GET", handshake("Upgrade", "h2c"), "WebSocket or to SPDY/3.1"},
		"another SPDY":               {"POST", handshake("Upgrade", "SPDY/3.1", protocolHeader, "v1"), `client supports ["v1"], server accepts ["v4.channel.k8s.io"]`},
		"a session for port-forward": {"GET", handshake("Test", "forward"), `server accepts ["SPDY/3.1+portforward.k8s.io"]`},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, handle, func(t *testing.T, s *server) {
				answer, conn := s.request(test.method, test.header)
				defer conn.Close() // it was read
				text, err := io.ReadAll(answer.Body)
				if err != nil || answer.StatusCode != 400 || !strings.Contains(string(text), test.want) {
					t.Errorf("%d %q, %v, want 400 with %q", answer.StatusCode, text, err, test.want)
				}
			})
		})
	}
}

// idle is a session of which nobody reads what is typed, and which writes without end if it shall.
// It ends with its context, and says why.
func idle(t *testing.T, writes bool, why *string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s, err := Open(w, r, Wants{Stdin: true, Stdout: true})
		if err != nil {
			t.Errorf("Open = %v", err)
			return
		}
		written := make(chan struct{})
		go func() {
			defer close(written)
			for writes {
				if _, err := fmt.Fprint(s.Stdout, "without end"); err != nil {
					return
				}
			}
		}()
		<-s.Context().Done()
		*why = context.Cause(s.Context()).Error()
		<-written
		s.End(&metav1.Status{})
	}
}

// client is one of either protocol that has opened a session.
type client struct {
	close func()
	stuff func() // types more than anybody takes
}

func clients() map[string]func(s *server) client {
	return map[string]func(s *server) client{
		"WebSocket": func(s *server) client {
			c, over := s.webSocket(protocolV5)
			return client{func() { over.Close() }, func() { go websocket.Message.Send(c, []byte("\x00typed")) }}
		},
		"SPDY": func(s *server) client {
			c, over := s.spdy(protocolV4)
			open(s.t, c, "streamType", "error")
			stdin, stdout := open(s.t, c, "streamType", "stdin"), open(s.t, c, "streamType", "stdout")
			return client{func() {
				over.Close()
				stdout.Reset() // else spdystream waits for somebody who reads it
			}, func() { go io.WriteString(stdin, "typed") }}
		},
	}
}

// TestClientLeaves: a session ends when its client is gone; at once if the client has nothing
// under way, and else with one of the next heartbeats, as nobody reads that it is gone.
func TestClientLeaves(t *testing.T) {
	for name, connect := range clients() {
		for kind, test := range map[string]struct {
			writes, stuffed bool
			within          time.Duration
		}{
			"quiet":         {within: 0},
			"takes nothing": {writes: true, within: 0},
			"stuffed":       {stuffed: true, within: beatPeriod},
		} {
			t.Run(name+"/"+kind, func(t *testing.T) {
				var why string
				inBubble(t, idle(t, test.writes, &why), func(t *testing.T, s *server) {
					c := connect(s)
					if test.stuffed {
						c.stuff()
					}
					time.Sleep(time.Second)
					start := time.Now()
					c.close()
					<-s.handled
					if took := time.Since(start); took > test.within {
						t.Errorf("it was noticed after %v, want %v", took, test.within)
					}
					if !strings.HasPrefix(why, errLeft.Error()) {
						t.Errorf("the session ended because %q", why)
					}
				})
			})
		}
	}
}

// TestStop: a session ends soon when the server is to stop, also if its client takes nothing.
func TestStop(t *testing.T) {
	for name, connect := range clients() {
		t.Run(name, func(t *testing.T) {
			var why string
			inBubble(t, idle(t, true, &why), func(t *testing.T, s *server) {
				c := connect(s)
				defer c.close()
				time.Sleep(time.Second)
				start := time.Now()
				s.stop()
				<-s.handled
				if took := time.Since(start); took > 2*stopTime {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

// TestStopDuringBeat: it does so too while a heartbeat waits for the client.
func TestStopDuringBeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		conn, client := net.Pipe()
		defer client.Close() // it does nothing
		s := newSession(ctx, conn)
		s.report = func([]byte) error { return nil }
		s.beat = func() error {
			_, err := conn.Write([]byte("x"))
			return err
		}
		s.run(func() error {
			_, err := conn.Read(make([]byte, 1))
			return err
		})
		time.Sleep(10 * beatPeriod)
		start := time.Now()
		stop()
		s.End(&metav1.Status{})
		if took := time.Since(start); took > 2*stopTime {
			t.Errorf("it took %v", took)
		}
	})
}

// TestClientStays: the end of a session waits for its client to close the connection, but not for
// long.
func TestClientStays(t *testing.T) {
	inBubble(t, echo(t, Wants{Stdout: true}), func(t *testing.T, s *server) {
		conn, err := newRawWebSocket(s)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if _, err := io.Copy(io.Discard, conn); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took != leaveTime {
			t.Errorf("the connection was closed after %v, want %v", took, leaveTime)
		}
		<-s.handled
	})
}

// TestReadAhead: what a client sends before it has seen the answer is not lost.
func TestReadAhead(t *testing.T) {
	inBubble(t, echo(t, Wants{Stdin: true, Stdout: true}), func(t *testing.T, s *server) {
		conn := s.dial()
		defer conn.Close() // it is read to its end
		go func() {
			const head = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
				"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Protocol: " + protocolV5 + "\r\n\r\n"
			if _, err := io.WriteString(conn, head+frame(0x82, "\x00typed")+frame(0x82, "\xff\x00")); err != nil {
				t.Error(err)
			}
		}()
		got, err := io.ReadAll(conn)
		if err != nil || !strings.Contains(string(got), "\x82\x06\x01typed") {
			t.Errorf("received %q, %v", got, err)
		}
		<-s.handled
	})
}

// newRawWebSocket is a client that answers nothing.
func newRawWebSocket(s *server) (io.Reader, error) {
	answer, conn := s.request("GET", http.Header{
		"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"MDEyMzQ1Njc4OWFiY2RlZg=="},
		"Sec-Websocket-Protocol": {protocolV5},
	})
	if answer.StatusCode != http.StatusSwitchingProtocols {
		return nil, fmt.Errorf("answer %v", answer)
	}
	return conn, nil
}
