package ports

import (
	"fmt"
	"net"
	"testing"
)

// TestReserve: who holds a number, at whatever address, keeps it.
func TestReserve(t *testing.T) {
	port := Free(t)
	if release, err := reserve(port); err == nil {
		release()
		t.Errorf("port %d was given away twice", port)
	}

	taken := Free(t) // nobody else gets it
	for _, address := range []string{"127.0.0.1", "127.0.0.2", ""} {
		l, err := net.Listen("tcp", fmt.Sprintf("%s:%d", address, taken))
		if err != nil {
			t.Logf("not on this machine: %v", err)
			continue
		}
		if l, err := net.Listen("tcp", fmt.Sprintf(":%d", taken)); err == nil {
			l.Close()
			t.Errorf("the machine lets a second one listen beside %q", address)
		}
		l.Close()
	}
	for range 100 {
		if Free(t) == taken {
			t.Fatalf("port %d was given away twice", taken)
		}
	}
}
