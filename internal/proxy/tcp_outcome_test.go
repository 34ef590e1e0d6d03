package proxy

import (
	"bufio"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
)

func TestTCPOutcome(t *testing.T) {
	tests := []struct {
		answer copyEnd
		client clientEnd
		want   requestOutcome
	}{
		{copyDone, clientSends, requestCut},
		{copyDone, clientSendsNoMore, requestServed},
		{copyDone, clientLeft, requestClientGone},
		{copySourceBroke, clientSends, requestCut},
		{copySourceBroke, clientSendsNoMore, requestCut},
		{copySourceBroke, clientLeft, requestClientGone},
		{copySinkBroke, clientSends, requestClientGone},
		{copySinkBroke, clientSendsNoMore, requestClientGone},
		{copySinkBroke, clientLeft, requestClientGone},
	}
	for _, tt := range tests {
		if got := tcpOutcome(tt.answer, tt.client); got != tt.want {
			t.Errorf("answer %d, client %d: %d, want %d", tt.answer, tt.client, got, tt.want)
		}
	}
}

// TestTCPClientThatEndsIsNotCut kills a replica right after its clients have ended their
// connections, to which it answered with its own end.
func TestTCPClientThatEndsIsNotCut(t *testing.T) {
	for name, leave := range map[string]func(*net.TCPConn) error{
		"sends no more, and reads the rest": func(c *net.TCPConn) error {
			if err := c.CloseWrite(); err != nil {
				return err
			}
			_, err := io.Copy(io.Discard, c)
			return err
		},
		"closes": (*net.TCPConn).Close,
		"resets": func(c *net.TCPConn) error { return errors.Join(c.SetLinger(0), c.Close()) },
	} {
		t.Run(name, func(t *testing.T) {
			fx := start(t, Options{})
			address := fx.service("db", named("pg"))
			a, stop := tcpReplica(t, "a")
			fx.endpoints("db", at("a", a))
			for range 10 {
				conn, r := raw(t, address, "hello\n")
				line(t, r)
				if err := leave(conn); err != nil {
					t.Fatal(err)
				}
			}
			eventually(t, "all are gone", func() bool { return fx.state().InFlight == 0 })
			stop()
			fx.proxy.Exited("a", "was killed by SIGKILL")
			if events := fx.events("RequestsLost"); len(events) > 0 {
				t.Errorf("Events %q", events)
			}
		})
	}
}

// TestReplicaThatResetsASender has clients that send as fast as they can, so that it may be on
// writing that the proxy learns of the replica's end.
func TestReplicaThatResetsASender(t *testing.T) {
	for port, request := range map[string]string{"pg": "hello\n", "http": upgradeRequest} {
		t.Run(port, func(t *testing.T) {
			fx := start(t, Options{})
			address := fx.service("db", named(port))
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			fx.endpoints("db", at("a", l.Addr().String()))
			const n = 10
			var replicas []*net.TCPConn
			var clients sync.WaitGroup
			for range n {
				conn, _ := raw(t, address, request)
				replica := accept(t, l)
				clients.Go(func() {
					for buffer, err := make([]byte, 16<<10), error(nil); err == nil; {
						_, err = conn.Write(buffer)
					}
				})
				if _, err := io.ReadFull(replica, make([]byte, 256<<10)); err != nil {
					t.Fatal(err)
				}
				replicas = append(replicas, replica)
			}
			fx.proxy.Exited("a", "was killed by SIGKILL")
			for _, replica := range replicas {
				reset(replica)
			}
			clients.Wait()
			eventually(t, "the Event", func() bool { return len(fx.events("RequestsLost")) == 1 })
			if e := fx.events("RequestsLost")[0]; e != "a: 10 open connections were cut when a was killed by SIGKILL" {
				t.Error(e)
			}
		})
	}
}

// TestCutIsNotedAtOnce has a replica that ends connections of clients that do not follow: what a
// client does later is not the time of the cut.
func TestCutIsNotedAtOnce(t *testing.T) {
	for port, request := range map[string]string{"pg": "hello\n", "http": upgradeRequest} {
		t.Run(port, func(t *testing.T) {
			fx := start(t, Options{})
			address := fx.service("db", named(port))
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			fx.endpoints("db", at("a", l.Addr().String()))
			conn, _ := raw(t, address, request)
			replica := accept(t, l)
			if err := replica.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			inst := fx.proxy.pods.find("a").instance.Load()
			cut := func() int {
				inst.mu.Lock()
				defer inst.mu.Unlock()
				return inst.cutConnections.total
			}
			eventually(t, "the cut is noted", func() bool { return cut() == 1 })
			if n := fx.state().InFlight; n != 1 {
				t.Errorf("%d connections, want 1", n)
			}
			if err := conn.Close(); err != nil {
				t.Fatal(err)
			}
			eventually(t, "it is gone", func() bool { return fx.state().InFlight == 0 })
			if n := cut(); n != 1 {
				t.Errorf("noted %d times", n)
			}
		})
	}
}

const switchingProtocols = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"

// accept accepts a connection, which is closed at the end of the test, and answers its first line,
// or the head of an upgrade.
func accept(t *testing.T, l net.Listener) *net.TCPConn {
	t.Helper()
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	for r := bufio.NewReader(conn); ; {
		if first := line(t, r); first == "hello\n" || first == "\r\n" {
			break
		}
	}
	if _, err := io.WriteString(conn, switchingProtocols); err != nil {
		t.Fatal(err)
	}
	return conn.(*net.TCPConn)
}
