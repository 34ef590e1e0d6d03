package process

import (
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"testing"
)

// BenchmarkConnect is what a connection costs a program, watched and not.
func BenchmarkConnect(b *testing.B) {
	s, err := NewShepherd(ShepherdOptions{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	var accepting sync.WaitGroup
	defer accepting.Wait()
	defer l.Close()
	accepting.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	})
	to := netip.MustParseAddrPort(l.Addr().String())
	for name, connects := range map[string]func(Connect) Route{"direct": nil, "watched": func(Connect) Route { return Route{To: to} }} {
		b.Run(name, func(b *testing.B) {
			p, err := s.Start(Spec{
				Argv: []string{"/proc/self/exe", to.String(), strconv.Itoa(b.N)}, Env: append(os.Environ(), roleVariable+"=connect-often"),
				Stdout: os.Stdout, Stderr: os.Stderr, Connects: connects,
			})
			if err != nil {
				b.Fatal(err)
			}
			b.ResetTimer()
			<-p.Done()
			if p.Exit().Code != 0 {
				b.Errorf("%+v", p.Exit())
			}
		})
	}
}

// playConnectOften connects n times.
func playConnectOften(address, n string) error {
	times, err := strconv.Atoi(n)
	for i := 0; i < times && err == nil; i++ {
		var c net.Conn
		if c, err = net.Dial("tcp", address); err == nil {
			_ = c.(*net.TCPConn).SetLinger(0) // no port is to wait
			err = c.Close()
		}
	}
	if err == nil {
		os.Exit(0)
	}
	return err
}
