package relay

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"time"
)

// echoDatagrams is a destination that answers with what it gets.
func echoDatagrams(t *testing.T) netip.AddrPort {
	t.Helper()
	socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := socket.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			_, _ = socket.WriteToUDPAddrPort(buf[:n], from)
		}
	})
	t.Cleanup(func() { socket.Close(); all.Wait() })
	return socket.LocalAddr().(*net.UDPAddr).AddrPort()
}

// TestDatagrams goes through the modes.
func TestDatagrams(t *testing.T) {
	d, err := NewDatagrams(Options{Target: echoDatagrams(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	mode := func(m Mode) {
		t.Helper()
		if err := d.SetMode(m); err != nil {
			t.Fatal(err)
		}
	}
	c, err := net.Dial("udp", d.Address().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	say(t, c, "a")
	hear(t, c, "a")

	mode(Mode{Kind: Hang})
	say(t, c, "b")
	silent(t, c)
	mode(Mode{})
	hear(t, c, "b")

	for range 2 {
		mode(Mode{Kind: Down})
		say(t, c, "c")
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Fatalf("while it is down: %v", err)
		}
		if l, err := net.ListenPacket("udp", d.Address().String()); err == nil {
			l.Close()
			t.Fatal("somebody else can have the port")
		}
		mode(Mode{})
		say(t, c, "d")
		hear(t, c, "d")
	}

	mode(Mode{Kind: Dead})
	say(t, c, "e")
	silent(t, c)
	mode(Mode{})
	say(t, c, "f")
	hear(t, c, "f") // the other one is lost

	const delay = 60 * time.Millisecond
	mode(Mode{Kind: Slow, Delay: delay})
	began := time.Now()
	say(t, c, "g")
	hear(t, c, "g")
	if took := time.Since(began); took < delay {
		t.Errorf("slow: %v, want %v at least", took, delay)
	}

	mode(Mode{Kind: Slow, Delay: time.Hour})
	say(t, c, "h")
	for deadline := time.Now().Add(patience); d.lateOnes() == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("no answer is late")
		}
	}
	mode(Mode{Kind: Hang, For: time.Millisecond})
	say(t, c, "i")
	hear(t, c, "i")
	if stats := d.Stats(); stats.Connections != 1 || stats.Open != 1 {
		t.Errorf("stats %+v", stats)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if err := d.SetMode(Mode{}); err == nil {
		t.Error("a closed relay takes a mode")
	}
}

func (d *Datagrams) lateOnes() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.late)
}
