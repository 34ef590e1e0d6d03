package process

import (
	"net"
	"net/netip"
	"os"
	"slices"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// TestLookOutside finds both ends of a connection of this process, and a ring.
func TestLookOutside(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Log(err) // no IPv6
			continue
		}
		defer l.Close()
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		found, err := LookOutside([]int{os.Getpid()})
		if err != nil {
			t.Fatal(err)
		}
		local, remote := c.LocalAddr().(*net.TCPAddr).AddrPort(), c.RemoteAddr().(*net.TCPAddr).AddrPort()
		if !slices.ContainsFunc(found.Connections, func(o Connection) bool { return o.Local == local && o.Remote == remote }) {
			t.Errorf("%v to %v is not among %v", local, remote, found.Connections)
		}
		if slices.ContainsFunc(found.Connections, func(o Connection) bool { return o.Local == netip.MustParseAddrPort(l.Addr().String()) && o.Inode == 0 }) {
			t.Error("a socket of nobody is among them") // the other end waits in the queue
		}
	}
	var params [120]byte // struct io_uring_params
	ring, _, errno := unix.Syscall(unix.SYS_IO_URING_SETUP, 1, uintptr(unsafe.Pointer(&params)), 0)
	if errno != 0 {
		t.Skip("this machine lets nobody have an io_uring: ", errno)
	}
	defer unix.Close(int(ring))
	found, err := LookOutside([]int{os.Getpid(), 1 << 30})
	if err != nil || !slices.Equal(found.Rings, []int{os.Getpid()}) {
		t.Errorf("rings of %v, %v; want %d", found.Rings, err, os.Getpid())
	}
}

func TestParseConnections(t *testing.T) {
	const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 0100007F:1F90 0200007F:0050 01 00000000:00000000 00:00000000 00000000     0        0 2 1 0 100 0 0 10 0
`
	all, err := parseConnections([]byte(table))
	want := []Connection{{netip.MustParseAddrPort("127.0.0.1:8080"), netip.MustParseAddrPort("127.0.0.2:80"), 2}}
	if err != nil || !slices.Equal(all, want) {
		t.Errorf("connections %v, %v; want %v", all, err, want)
	}
	for _, bad := range []string{"x\n1 2\n", "x\n0: a b zz 3 4 5 6 7 8 9\n", "x\n0: a b 01 3 4 5 6 7 8 9\n", "x\n0: 0100007F:1F90 b 01 3 4 5 6 7 8 9\n", "x\n0: 0100007F:1F90 0100007F:1F90 01 4 5 6 7 8 z\n"} {
		if _, err := parseConnections([]byte(bad)); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
}
