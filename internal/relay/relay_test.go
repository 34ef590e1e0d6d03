package relay

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"time"
)

func TestPass(t *testing.T) {
	r := newRelay(t, Options{Target: echo(t)})
	c := connect(t, r.Address())
	data := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	var sender sync.WaitGroup
	sender.Go(func() {
		_, _ = c.Write(data)
		_ = c.CloseWrite()
	})
	got, err := io.ReadAll(c)
	sender.Wait()
	if err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d bytes came back of %d, %v", len(got), len(data), err)
	}
	if stats := r.Stats(); stats.Connections != 1 {
		t.Errorf("stats %+v", stats)
	}
}

// TestHang: what is said is kept, the end of a connection too, for old and new connections.
func TestHang(t *testing.T) {
	for _, kind := range []Kind{Hang, Dead} {
		t.Run(kind.String(), func(t *testing.T) {
			r := newRelay(t, Options{Target: echo(t)})
			c := connect(t, r.Address())
			say(t, c, "a")
			hear(t, c, "a")
			set(t, r, Mode{Kind: kind})
			say(t, c, "b")
			silent(t, c)
			_ = c.CloseWrite()
			silent(t, c)
			set(t, r, Mode{})
			hear(t, c, "b")
			if n, err := c.Read(make([]byte, 1)); err != io.EOF {
				t.Errorf("read %d bytes, %v; want the end", n, err)
			}
		})
	}
	t.Run("new", func(t *testing.T) {
		r := newRelay(t, Options{Target: echo(t), Mode: Mode{Kind: Hang}})
		c := connect(t, r.Address())
		say(t, c, "a")
		silent(t, c)
		set(t, r, Mode{Kind: Hang}) // once more changes nothing
		silent(t, c)
		set(t, r, Mode{})
		hear(t, c, "a")
	})
}

// TestScope: a mode is for new connections, or for those that are open, alone.
func TestScope(t *testing.T) {
	r := newRelay(t, Options{Target: echo(t)})
	old := connect(t, r.Address())
	say(t, old, "a")
	hear(t, old, "a")
	set(t, r, Mode{Kind: Hang, Scope: OnlyNew})
	fresh := connect(t, r.Address())
	say(t, fresh, "b")
	silent(t, fresh)
	say(t, old, "c")
	hear(t, old, "c")
	set(t, r, Mode{Kind: Hang, Scope: OnlyOpen})
	say(t, old, "d")
	silent(t, old)
	fresher := connect(t, r.Address())
	say(t, fresher, "e")
	hear(t, fresher, "e")
	set(t, r, Mode{})
	hear(t, fresh, "b")
	hear(t, old, "d")
}

// TestDown: open connections are reset, new ones are refused, and the port stays ours.
func TestDown(t *testing.T) {
	r := newRelay(t, Options{Target: echo(t)})
	for range 3 {
		c := connect(t, r.Address())
		say(t, c, "a")
		hear(t, c, "a")
		set(t, r, Mode{Kind: Down})
		wasReset(t, c)
		if c, err := net.Dial("tcp", r.Address().String()); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Fatalf("dial: %v, %v; want refused", c, err)
		}
		if l, err := net.Listen("tcp", r.Address().String()); err == nil {
			l.Close()
			t.Fatal("somebody else can have the port")
		}
		set(t, r, Mode{})
	}
	// down for those that are open alone
	c := connect(t, r.Address())
	say(t, c, "a")
	hear(t, c, "a")
	set(t, r, Mode{Kind: Down, Scope: OnlyOpen})
	wasReset(t, c)
	c = connect(t, r.Address())
	say(t, c, "a")
	hear(t, c, "a")
}

// TestDownAfterLingering: connections that the relay has closed first hold its port for a while,
// and it is opened again all the same.
func TestDownAfterLingering(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.Close()
		}
	}()
	r := newRelay(t, Options{Target: l.Addr().(*net.TCPAddr).AddrPort()})
	c := connect(t, r.Address())
	if n, err := c.Read(make([]byte, 1)); err != io.EOF {
		t.Fatalf("read %d bytes, %v; want the end", n, err)
	}
	_ = c.Close()
	set(t, r, Mode{Kind: Down})
	set(t, r, Mode{})
	c = connect(t, r.Address())
	if n, err := c.Read(make([]byte, 1)); err != io.EOF {
		t.Fatalf("read %d bytes, %v; want the end", n, err)
	}
}

// TestReset: so many bytes pass, then the connection ends.
func TestReset(t *testing.T) {
	r := newRelay(t, Options{Target: echo(t)})
	old := connect(t, r.Address())
	say(t, old, "a")
	hear(t, old, "a")
	set(t, r, Mode{Kind: Reset, After: 7})
	say(t, old, "12345") // of the seven, two are left for the answer
	hear(t, old, "12")
	wasReset(t, old)
	set(t, r, Mode{Kind: Reset, After: 2})
	exact := connect(t, r.Address())
	say(t, exact, "a")
	hear(t, exact, "a")
	wasReset(t, exact)
	set(t, r, Mode{Kind: Reset})
	resets(t, r.Address())
	set(t, r, Mode{Kind: Reset, Scope: OnlyOpen})
	fresh := connect(t, r.Address())
	say(t, fresh, "a")
	hear(t, fresh, "a")
}

// TestSlow: answers are late, all of them by the same, and nothing is once the mode is over.
func TestSlow(t *testing.T) {
	const delay = 100 * time.Millisecond
	r := newRelay(t, Options{Target: echo(t), Mode: Mode{Kind: Slow, Delay: delay}})
	c := connect(t, r.Address())
	began := time.Now()
	var sender sync.WaitGroup
	data := bytes.Repeat([]byte{7}, 1<<20) // 32 chunks at least
	sender.Go(func() { _, _ = c.Write(data) })
	hear(t, c, string(data))
	sender.Wait()
	if took := time.Since(began); took < delay {
		t.Errorf("it took %v, want more than %v", took, delay)
	}
	set(t, r, Mode{Kind: Slow, Delay: time.Hour})
	say(t, c, "b")
	silent(t, c)
	set(t, r, Mode{})
	hear(t, c, "b")
	_ = c.CloseWrite()
	if n, err := c.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("read %d bytes, %v; want the end", n, err)
	}
}

// TestDead: a new connection is neither accepted nor refused, and is made when the host is back.
func TestDead(t *testing.T) {
	r := newRelay(t, Options{Target: echo(t)})
	for range 2 {
		set(t, r, Mode{Kind: Dead})
		var dialer net.Dialer
		dialer.Timeout = instant
		if c, err := dialer.Dial("tcp", r.Address().String()); err == nil || !err.(net.Error).Timeout() {
			t.Fatalf("dial: %v, %v; want a timeout", c, err)
		}
		made := make(chan error, 1)
		var patient sync.WaitGroup
		patient.Go(func() {
			c, err := net.DialTimeout("tcp", r.Address().String(), patience)
			if err == nil {
				c.Close()
			}
			made <- err
		})
		select {
		case err := <-made:
			t.Fatalf("connected to a dead host, %v", err)
		case <-time.After(instant):
		}
		set(t, r, Mode{})
		if err := <-made; err != nil {
			t.Error(err)
		}
		patient.Wait()
	}
	set(t, r, Mode{Kind: Dead})
	set(t, r, Mode{Kind: Down})
	if c, err := net.Dial("tcp", r.Address().String()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Fatalf("dial: %v, %v; want refused", c, err)
	}
	set(t, r, Mode{Kind: Dead})
	set(t, r, Mode{})
	c := connect(t, r.Address())
	say(t, c, "a")
	hear(t, c, "a")
}

// TestFor: a mode ends by itself, and not another one with it.
func TestFor(t *testing.T) {
	r := newRelay(t, Options{Target: echo(t)})
	set(t, r, Mode{Kind: Hang, For: time.Millisecond})
	c := connect(t, r.Address())
	say(t, c, "a")
	hear(t, c, "a")
	set(t, r, Mode{Kind: Hang, For: time.Millisecond})
	set(t, r, Mode{Kind: Down})
	if r.until != nil || r.Mode().Kind != Down {
		t.Errorf("mode %+v still ends", r.Mode())
	}
}

// TestReach: a program gets to know that the destination refuses.
func TestReach(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := newRelay(t, Options{Target: l.Addr().(*net.TCPAddr).AddrPort()})
	if errno := r.Reach(); errno != 0 {
		t.Errorf("reach: %v", errno)
	}
	// what was reached is what the next connection gets
	target, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	c := connect(t, r.Address())
	say(t, c, "a")
	hear(t, target, "a")
	l.Close()
	if errno := r.Reach(); errno != syscall.ECONNREFUSED {
		t.Errorf("reach: %v, want refused", errno)
	}
	set(t, r, Mode{Kind: Hang})
	if errno := r.Reach(); errno != 0 {
		t.Errorf("reach while it hangs: %v", errno)
	}
	set(t, r, Mode{})
	resets(t, r.Address()) // nobody has asked before
}

func TestLimits(t *testing.T) {
	r := newRelay(t, Options{Target: echo(t), MaxConnections: 1})
	first := connect(t, r.Address())
	say(t, first, "a")
	hear(t, first, "a")
	resets(t, r.Address())
	if got, want := r.Stats(), (Stats{Connections: 2, Open: 1, TooMany: 1}); got != want {
		t.Errorf("stats %+v, want %+v", got, want)
	}
	if _, err := New(Options{Target: netip.MustParseAddrPort("192.0.2.1:80")}); err == nil {
		t.Error("a relay leads to another machine")
	}
	for _, m := range []Mode{{Kind: 9}, {Kind: Slow}, {Delay: 1}, {Kind: Hang, After: 1}, {Kind: Reset, After: -1}, {For: -1}, {Scope: 3}} {
		if err := r.SetMode(m); err == nil {
			t.Errorf("mode %+v is taken", m)
		}
	}
}

// TestClose: nothing is left in any mode, whatever is open or waits.
func TestClose(t *testing.T) {
	for kind := range Kind(len(kindNames)) {
		t.Run(kind.String(), func(t *testing.T) {
			r := newRelay(t, Options{Target: echo(t)})
			c := connect(t, r.Address())
			say(t, c, "a")
			hear(t, c, "a")
			mode := Mode{Kind: kind, Scope: OnlyNew}
			if kind == Slow {
				mode.Delay = time.Hour
			}
			set(t, r, mode)
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
			wasReset(t, c)
			if err := r.SetMode(Mode{}); err == nil {
				t.Error("a closed relay takes a mode")
			}
			if err := r.Close(); err != nil {
				t.Errorf("once more: %v", err)
			}
		})
	}
}
