package proxy

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/test/ports"
)

// tcpReplica echoes each line with its name in front. At the end of its input it writes how many
// bytes it got.
func tcpReplica(t *testing.T, name string) (address string, stop func()) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	conns := make(chan net.Conn, 100)
	go func() {
		defer close(conns)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conns <- conn
			go func() {
				defer conn.Close()
				n := 0
				for r := bufio.NewReader(conn); ; {
					line, err := r.ReadString('\n')
					if n += len(line); err == io.EOF {
						fmt.Fprintf(conn, "%d bytes\n", n)
						return
					} else if err != nil {
						return
					}
					fmt.Fprintf(conn, "%s %s", name, line)
				}
			}()
		}
	}()
	stop = func() {
		_ = l.Close()
		for conn := range conns {
			_ = conn.Close()
		}
	}
	t.Cleanup(stop)
	return l.Addr().String(), stop
}

func line(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	text, err := r.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestTCP(t *testing.T) {
	fx := start(t, Options{})
	address := fx.service("db", named("pg"))
	a, _ := tcpReplica(t, "a")
	b, _ := tcpReplica(t, "b")
	dead := fmt.Sprintf("127.0.0.1:%d", ports.Free(t))
	fx.endpoints("db", at("a", a), at("b", b), at("dead", dead))
	count := map[string]int{}
	var conns []*net.TCPConn
	var readers []*bufio.Reader
	for range 10 {
		conn, r := raw(t, address, "hello\n")
		count[line(t, r)]++
		conns, readers = append(conns, conn), append(readers, r)
	}
	if count["a hello\n"] != 5 || count["b hello\n"] != 5 {
		t.Errorf("least connections: %v", count)
	}
	if s := fx.state(); s.Protocol != "tcp" || s.InFlight != 10 || s.Endpoints[2].Ejections != 1 {
		t.Errorf("state %+v", s)
	}
	fx.endpoints("db", ready(at("a", a), false), ready(at("b", b), false)) // R201
	for i, conn := range conns {
		if _, err := conn.Write([]byte("more\n")); err != nil {
			t.Fatal(err)
		}
		line(t, readers[i])
		if err := conn.CloseWrite(); err != nil { // half-close: the answer still comes
			t.Fatal(err)
		}
		if got := line(t, readers[i]); got != "11 bytes\n" {
			t.Errorf("%q after half-close", got)
		}
		if _, err := readers[i].ReadByte(); err != io.EOF {
			t.Errorf("%v, want EOF", err)
		}
	}
	eventually(t, "all are gone", func() bool { return fx.state().InFlight == 0 })
}

func TestTCPWithoutReplicas(t *testing.T) {
	fx := start(t, Options{})
	address := fx.service("db", named("pg"))
	conn, err := net.Dial("tcp", address) // the reset may come as early as that
	if err == nil {
		defer conn.Close()
		_, err = conn.Read(make([]byte, 1))
	}
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("%v, want a reset", err)
	}
}

func TestTCPHold(t *testing.T) {
	fx := start(t, Options{})
	address := fx.service("db", named("pg"), annotated(manifest.AnnotationHold, "10s"))
	_, r := raw(t, address, "hello\n")
	eventually(t, "it waits", func() bool { return fx.state().Waiting == 1 })
	a, _ := tcpReplica(t, "a")
	fx.endpoints("db", at("a", a))
	if got := line(t, r); got != "a hello\n" {
		t.Errorf("%q", got)
	}
}

func TestTCPReplicaThatDoesNotAccept(t *testing.T) {
	fx := start(t, Options{})
	address := fx.service("db", named("pg"))
	b, _ := tcpReplica(t, "b")
	fx.endpoints("db", at("a", fullQueue(t)), at("b", b))
	fx.proxy.ports[onlyKey(fx)].roundRobin.Store(1) // so that a is asked first
	began := time.Now()
	_, r := raw(t, address, "hello\n")
	if got := line(t, r); got != "b hello\n" || time.Since(began) < dialTimeout {
		t.Errorf("%q after %v", got, time.Since(began))
	}
}

func TestTCPConnectionIsCut(t *testing.T) {
	t.Run("by its replica", func(t *testing.T) {
		fx := start(t, Options{})
		address := fx.service("db", named("pg"))
		a, stop := tcpReplica(t, "a")
		fx.endpoints("db", at("a", a))
		conn, r := raw(t, address, "hello\n")
		line(t, r)
		stop()
		fx.proxy.Exited("a", "was killed by SIGKILL")
		if _, err := r.ReadByte(); err == nil {
			t.Error("the connection goes on")
		}
		if err := conn.Close(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the Event", func() bool { return len(fx.events("RequestsLost")) == 1 })
		if e := fx.events("RequestsLost")[0]; e != "a: 1 open connection was cut when a was killed by SIGKILL" {
			t.Error(e)
		}
	})
	t.Run("by the end of the proxy", func(t *testing.T) {
		fx := start(t, Options{DrainTimeout: 50 * time.Millisecond})
		address := fx.service("db", named("pg"))
		a, _ := tcpReplica(t, "a")
		fx.endpoints("db", at("a", a))
		_, r := raw(t, address, "hello\n")
		line(t, r)
		fx.stop()
		if _, err := r.ReadByte(); err == nil {
			t.Error("the connection goes on")
		}
	})
}

// hungReplica accepts connections and does nothing with them.
func hungReplica(t *testing.T) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var conns []net.Conn
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conns = append(conns, conn)
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
		for _, conn := range conns {
			_ = conn.Close()
		}
	})
	return l.Addr().String()
}

// TestTCPClientThatLeft has clients of a replica that hangs. Those that have left are let go at
// once, those that only send no more are not.
func TestTCPClientThatLeft(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells whether the socket of a peer is held")
	}
	for name, tt := range map[string]struct {
		sends string
		leave func(*net.TCPConn) error
		stays bool
	}{
		"closes":                        {sends: "hello", leave: (*net.TCPConn).Close},
		"closes without a word":         {leave: (*net.TCPConn).Close},
		"closes behind much data":       {sends: strings.Repeat("x", 32<<20), leave: (*net.TCPConn).Close},
		"resets":                        {sends: "hello", leave: func(c *net.TCPConn) error { return errors.Join(c.SetLinger(0), c.Close()) }},
		"sends no more":                 {sends: "hello", leave: (*net.TCPConn).CloseWrite, stays: true},
		"sends no more after much data": {sends: strings.Repeat("x", 32<<20), leave: (*net.TCPConn).CloseWrite, stays: true},
		"is idle":                       {sends: "hello", leave: func(*net.TCPConn) error { return nil }, stays: true},
	} {
		t.Run(name, func(t *testing.T) {
			fx := start(t, Options{DrainTimeout: 50 * time.Millisecond})
			address := fx.service("db", named("tcp"))
			fx.endpoints("db", at("a", hungReplica(t)))
			conn, _ := raw(t, address, "")
			if err := conn.SetWriteDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
				t.Fatal(err)
			}
			_, _ = io.WriteString(conn, tt.sends) // the replica does not take much
			eventually(t, "it is connected", func() bool { return fx.state().InFlight == 1 })
			if err := tt.leave(conn); err != nil {
				t.Fatal(err)
			}
			if tt.stays {
				time.Sleep(2 * stallCheckPeriod) // nothing tells that something does not happen
				if n := fx.state().InFlight; n != 1 {
					t.Errorf("%d connections, want 1", n)
				}
				return
			}
			eventually(t, "it is let go", func() bool { return fx.state().InFlight == 0 })
			if s := fx.state(); s.Gone != 1 {
				t.Errorf("%d clients left, want 1", s.Gone)
			}
		})
	}
}

// TestTCPClientThatLeavesData sends and closes at once. The replica gets all of it.
func TestTCPClientThatLeavesData(t *testing.T) {
	fx := start(t, Options{})
	address := fx.service("db", named("tcp"))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	fx.endpoints("db", at("a", l.Addr().String()))
	conn, _ := raw(t, address, "hello")
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	replica, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer replica.Close()
	eventually(t, "it is let go", func() bool { return fx.state().Requests == 1 && fx.state().InFlight == 0 })
	if got, err := io.ReadAll(replica); string(got) != "hello" || err != nil {
		t.Errorf("the replica got %q, %v", got, err)
	}
}

// TestTCPDescriptors counts the descriptors of connections that have carried something and are
// idle: two for each.
func TestTCPDescriptors(t *testing.T) {
	count := func() int {
		open, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("this system does not list the descriptors of a process: ", err)
		}
		return len(open)
	}
	fx := start(t, Options{})
	address := fx.service("db", named("tcp"))
	replica, _ := tcpReplica(t, "a")
	fx.endpoints("db", at("a", replica))
	connect := func() {
		_, r := raw(t, address, "hello\n")
		if got := line(t, r); got != "a hello\n" {
			t.Fatalf("answer %q", got)
		}
	}
	connect()
	before := count()
	const n = 50
	for range n {
		connect()
	}
	// the client and the replica are in this process, too
	if perConnection := float64(count()-before)/n - 2; perConnection > 2.2 {
		t.Errorf("%.1f descriptors for each connection, want 2", perConnection)
	}
}
