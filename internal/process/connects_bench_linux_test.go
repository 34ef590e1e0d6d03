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

// playOften connects n times, or sends n datagrams by sendmsg(2).
func playOften(role, address, n string) error {
	times, err := strconv.Atoi(n)
	if err != nil {
		return err
	}
	often := connectOften
	if role == "send-often" {
		often = sendOften
	}
	if err := often(address, times); err != nil {
		return err
	}
	os.Exit(0)
	return nil
}

func connectOften(address string, times int) error {
	for range times {
		c, err := net.Dial("tcp", address)
		if err != nil {
			return err
		}
		_ = c.(*net.TCPConn).SetLinger(0) // no port is to wait
		if err := c.Close(); err != nil {
			return err
		}
	}
	return nil
}

func sendOften(address string, times int) error {
	c, err := net.Dial("udp", address)
	if err != nil {
		return err
	}
	for range times {
		if _, _, err := c.(*net.UDPConn).WriteMsgUDP([]byte("x"), nil, nil); err != nil {
			return err
		}
	}
	return nil
}

// BenchmarkSend is what sendmsg(2) costs a program that is watched, and one that is not, on a
// socket that is connected: nobody is asked.
func BenchmarkSend(b *testing.B) {
	s, err := NewShepherd(ShepherdOptions{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	sink, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer sink.Close()
	for name, connects := range map[string]func(Connect) Route{"direct": nil, "watched": func(Connect) Route { return Route{} }} {
		b.Run(name, func(b *testing.B) {
			p, err := s.Start(Spec{
				Argv: []string{"/proc/self/exe", sink.LocalAddr().String(), strconv.Itoa(b.N)}, Env: append(os.Environ(), roleVariable+"=send-often"),
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
