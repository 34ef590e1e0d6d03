package guard

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestFlood: many idle connections of somebody without the token cost no more than the limit of
// connections does, and shut out nobody who has it. Both ends are in this process, so the memory is
// that of both.
func TestFlood(t *testing.T) {
	const (
		secure     = 600 // with HTTP/2; more than may be open
		plain      = 1500
		most       = 512
		mostMemory = 40 << 20
	)
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil || files.Cur < 2*(secure+plain) {
		t.Skipf("it needs more than %d descriptors: %v", files.Cur, err)
	}
	a := serve(t, Limits{ProofTimeout: time.Hour}, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "let in") })
	before := inUse()
	var idle []net.Conn
	for range secure {
		conn := a.dial(t, "h2")
		if _, err := io.WriteString(conn, preface); err != nil {
			t.Fatal(err)
		}
		idle = append(idle, conn)
	}
	checkLetIn(t, a)
	if n := inUse() - before; n > mostMemory {
		t.Errorf("%d of %d connections with HTTP/2 take %d bytes, want at most %d", most, secure, n, mostMemory)
	} else {
		t.Logf("%d of %d connections with HTTP/2 take %.1f MB", most, secure, float64(n)/(1<<20))
	}
	for range plain {
		conn, err := net.Dial("tcp", a.address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close() // nothing was written
		idle = append(idle, conn)
	}
	checkLetIn(t, a) // who came before it has been accepted by now
	if n := a.sockets.most.Load(); n > most+1 {
		t.Errorf("%d connections were open, want %d and the one that waits for its place", n, most)
	}
	for i, conn := range idle[:len(idle)-most] {
		if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("connection %d of %d is still open", i+1, len(idle))
		}
	}
}

// checkLetIn: a client with the token gets its answer.
func checkLetIn(t *testing.T, a *api) {
	t.Helper()
	client := a.client(t)
	defer client.CloseIdleConnections()
	if status, says := a.post(t, client, strings.NewReader("{}"), 2); status != 200 || says != "let in" {
		t.Errorf("status %d, %s", status, says)
	}
}

// inUse is the memory that is in use now.
func inUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}
