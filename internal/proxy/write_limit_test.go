package proxy

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"
)

// TestWriteLimit: a deadline serves the writes of a while, and is set anew when that is over or
// when somebody else has set one.
func TestWriteLimit(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dialed, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c := &clientConn{TCPConn: dialed.(*net.TCPConn), limit: writeLimit{timeout: time.Hour, began: time.Now().Add(-2 * time.Hour)}}
	defer c.TCPConn.Close()
	write := func(step string, fails, anew bool) {
		t.Helper()
		before := c.limit.set.Load()
		_, err := c.Write([]byte("x"))
		if errors.Is(err, os.ErrDeadlineExceeded) != fails || (c.limit.set.Load() != before) != anew {
			t.Errorf("%s: %v, and a deadline is set anew: %v; want a timeout %v, anew %v", step, err, c.limit.set.Load() != before, fails, anew)
		}
	}
	write("the first one", false, true)
	write("the next one", false, false)
	c.limit.set.Add(int64(-2 * time.Hour / slack))
	write("after a while", false, true)
	if err := c.TCPConn.SetWriteDeadline(time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	write("the time is up", true, false)
	if err := c.SetDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	write("net/http has taken the deadline away", false, true)
	if err := c.SetWriteDeadline(time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	write("and set one that is over", false, true)
}
