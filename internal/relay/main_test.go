package relay

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait of a test, on a machine that may be very busy.
const patience = 20 * time.Second

// instant is how long a test looks whether something happens that must not.
const instant = 50 * time.Millisecond

// echo is a destination that answers with what it gets.
func echo(t testing.TB) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close()
				_, _ = io.Copy(c, c)
			})
		}
	})
	t.Cleanup(func() { l.Close(); all.Wait() })
	return l.Addr().(*net.TCPAddr).AddrPort()
}

func newRelay(t testing.TB, o Options) *Relay {
	t.Helper()
	r, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func set(t *testing.T, r *Relay, m Mode) {
	t.Helper()
	if err := r.SetMode(m); err != nil {
		t.Fatal(err)
	}
}

func connect(t testing.TB, to netip.AddrPort) *net.TCPConn {
	t.Helper()
	c, err := net.DialTimeout("tcp", to.String(), patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	return c.(*net.TCPConn)
}

func say(t *testing.T, c net.Conn, word string) {
	t.Helper()
	if _, err := io.WriteString(c, word); err != nil {
		t.Fatal(err)
	}
}

func hear(t *testing.T, c net.Conn, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(c, got); err != nil || string(got) != want {
		t.Fatalf("heard %q, %v; want %q", got[:n], err, want)
	}
}

// silent fails if something comes now.
func silent(t *testing.T, c net.Conn) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(instant))
	if n, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("read %d bytes, %v; want nothing", n, err)
	}
	_ = c.SetDeadline(time.Now().Add(patience))
}

func wasReset(t *testing.T, c net.Conn) {
	t.Helper()
	if _, err := io.Copy(io.Discard, c); !errors.Is(err, syscall.ECONNRESET) {
		t.Fatalf("it ends with %v, want %v", err, syscall.ECONNRESET)
	}
}

// resets connects, and is reset at once.
func resets(t *testing.T, to netip.AddrPort) {
	t.Helper()
	c, err := net.DialTimeout("tcp", to.String(), patience)
	if errors.Is(err, syscall.ECONNRESET) {
		return // before the dialler has looked
	}
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	wasReset(t, c)
}

// BenchmarkRoundTrip is what a relay adds to a question and its answer.
func BenchmarkRoundTrip(b *testing.B) {
	target := echo(b)
	relayed := newRelay(b, Options{Target: target})
	for name, to := range map[string]netip.AddrPort{"direct": target, "relay": relayed.Address()} {
		b.Run(name, func(b *testing.B) {
			c := connect(b, to)
			buf := make([]byte, 64)
			for b.Loop() {
				_ = c.SetDeadline(time.Now().Add(patience))
				if _, err := c.Write(buf); err != nil {
					b.Fatal(err)
				}
				if _, err := io.ReadFull(c, buf); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
