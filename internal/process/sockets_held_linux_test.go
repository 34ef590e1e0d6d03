package process

import (
	"net"
	"os"
	"testing"
)

func TestHeld(t *testing.T) {
	var s Sockets
	defer s.Close()
	everywhere, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer everywhere.Close()
	loopback, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer loopback.Close()
	held, err := s.Held([]int{os.Getpid()})
	if err != nil {
		t.Fatal(err)
	}
	found := map[int]bool{} // loopback, by port
	for _, l := range held {
		found[l.Port] = l.Addr.IsLoopback()
	}
	for listener, want := range map[net.Listener]bool{everywhere: false, loopback: true} {
		port := listener.Addr().(*net.TCPAddr).Port
		if only, ok := found[port]; !ok || only != want {
			t.Errorf("port %d: held %v, loopback %v, want true, %v", port, ok, only, want)
		}
	}
	if others, err := s.Held([]int{1 << 30}); len(others) > 0 || err != nil {
		t.Errorf("a process that does not exist holds %v, %v", others, err)
	}
}
