package process

import (
	"net"
	"net/netip"
	"testing"
)

// TestAbandoned asks about the client's socket of a connection in all its states.
func TestAbandoned(t *testing.T) {
	for _, host := range []string{"127.0.0.1", "::1"} {
		t.Run(host, func(t *testing.T) {
			l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
			if err != nil {
				t.Skip(err) // no such address on this system
			}
			defer l.Close()
			client, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			server, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer server.Close()
			local, remote := addrPort(client.LocalAddr()), addrPort(client.RemoteAddr())
			expect := func(when string, want bool) {
				t.Helper()
				if got, err := Abandoned(local, remote); err != nil || got != want {
					t.Errorf("%s: %v, %v, want %v", when, got, err, want)
				}
			}
			expect("connected", false)
			if err := client.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			if _, err := server.Read(make([]byte, 1)); err == nil {
				t.Fatal("no end")
			}
			expect("half closed", false)
			if err := client.Close(); err != nil {
				t.Fatal(err)
			}
			expect("closed", true)
			_ = server.(*net.TCPConn).SetLinger(0)
			_ = server.Close()
			expect("reset by its peer", true)
			remote = netip.AddrPortFrom(remote.Addr(), 1)
			expect("never connected", true)
		})
	}
}

func addrPort(a net.Addr) netip.AddrPort { return a.(*net.TCPAddr).AddrPort() }
