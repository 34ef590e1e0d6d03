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

// question is what somebody else has; it says once what became of it.
type question chan string

func (q question) Send() { q <- "sent" }
func (q question) Drop() { q <- "dropped" }

// TestKeep: what the modes mean to questions of sockets that are not connected.
func TestKeep(t *testing.T) {
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
	keep := func() question {
		q := make(question, 2)
		d.Keep(q)
		return q
	}
	becomes := func(q question, want string) {
		t.Helper()
		select {
		case got := <-q:
			if got != want {
				t.Errorf("in mode %v it is %s, want %s", d.Mode().Kind, got, want)
			}
		case <-time.After(patience):
			t.Fatalf("in mode %v nothing becomes of it", d.Mode().Kind)
		}
	}
	waits := func(q question) {
		t.Helper()
		if len(q) > 0 {
			t.Fatalf("in mode %v it does not wait: it is %s", d.Mode().Kind, <-q)
		}
	}
	if !d.Passes() {
		t.Error("nothing is broken, and nothing passes")
	}
	becomes(keep(), "sent")
	for _, kind := range []Kind{Dead, Down, Reset} {
		mode(Mode{Kind: kind})
		becomes(keep(), "dropped")
	}
	if d.Passes() {
		t.Error("it is broken, and passes")
	}
	mode(Mode{Kind: Hang})
	hung := keep()
	waits(hung)
	mode(Mode{Kind: Slow, Delay: time.Millisecond})
	becomes(hung, "sent") // after the delay
	mode(Mode{Kind: Slow, Delay: time.Hour})
	slow := keep()
	waits(slow)
	mode(Mode{Kind: Hang})
	first := keep()
	for range maxHeld - 1 {
		keep()
	}
	becomes(keep(), "dropped") // too many wait
	mode(Mode{})
	becomes(first, "sent")
	waits(slow) // it has its time
	mode(Mode{Kind: Hang})
	last := keep()
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	becomes(last, "dropped")
	becomes(slow, "dropped")
	becomes(keep(), "sent")
}
