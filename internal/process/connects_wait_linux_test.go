package process

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// fullListener neither accepts nor refuses.
func fullListener(t *testing.T) netip.AddrPort {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	if err := errors.Join(syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}), syscall.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	address := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(name.(*syscall.SockaddrInet4).Port))
	filler, err := net.Dial("tcp", address.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { filler.Close() })
	return address
}

// TestConnectsDead: a program that is led to a dead host waits as it would there: its own timeout
// fires, a signal interrupts it, and it can be killed.
func TestConnectsDead(t *testing.T) {
	s := newWatchShepherd(t)
	dead := fullListener(t)
	route := func(c Connect) Route {
		if c.Network == "tcp" {
			return Route{To: dead}
		}
		return Route{}
	}
	got := output(t, s, Spec{Argv: []string{"/proc/self/exe", "127.0.0.1:9"}, Env: append(os.Environ(), roleVariable+"=connect-briefly"), Connects: route})
	if !strings.HasSuffix(got, "i/o timeout\n") {
		t.Errorf("the Go program says %q", got)
	}
	got = output(t, s, Spec{Argv: []string{"python3", "-I", "-S", "-c", pythonDead}, Env: os.Environ(), Connects: route})
	if want := "timed out\nin progress\ninterrupted\nends\n"; got != want {
		t.Errorf("the Python program says %q, want %q", got, want)
	}
}

// pythonDead waits for a connection in several ways, and dies while it waits.
const pythonDead = `
import os, signal, socket, struct, threading, time
there = ("127.0.0.1", 9)

s = socket.socket()
s.settimeout(0.1)
try: s.connect(there)
except TimeoutError: print("timed out", flush=True)

s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 0, 100000))
try: s.connect(there)
except BlockingIOError: print("in progress", flush=True)

class Enough(Exception): pass
def enough(*_): raise Enough
signal.signal(signal.SIGALRM, enough)
signal.setitimer(signal.ITIMER_REAL, 0.1)
try: socket.socket().connect(there)
except Enough: print("interrupted", flush=True)

threading.Thread(target=lambda: socket.socket().connect(there), daemon=True).start()
time.sleep(0.05)
print("ends", flush=True)
os.kill(os.getpid(), signal.SIGKILL)
`

// TestConnectsInterrupted: a connect that a signal interrupts is made again by the kernel, and the
// program does not notice: neither while it is asked where the connection leads, nor later.
func TestConnectsInterrupted(t *testing.T) {
	s := newWatchShepherd(t)
	there := greeter(t, "tcp", "127.0.0.1:0", "there")
	const script = `
import signal, socket
signal.signal(signal.SIGUSR1, lambda *_: None)
signal.siginterrupt(signal.SIGUSR1, False)
words = set()
for port in [9, 10] * 25:
	s = socket.socket()
	try:
		s.connect(("127.0.0.1", port))
		words.add(s.makefile().readline().strip())
	except OSError as e:
		words.add(e.strerror)
	s.close()
print(*sorted(words))
`
	pid := make(chan int, 1)
	var asked atomic.Int64
	route := func(c Connect) Route {
		if c.Network != "tcp" {
			return Route{}
		}
		asked.Add(1)
		it := <-pid
		pid <- it
		if err := syscall.Kill(it, syscall.SIGUSR1); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Millisecond) // mostly enough for the signal to arrive
		if c.Address.Port() == 10 {
			return Route{Refused: syscall.EHOSTUNREACH}
		}
		return Route{To: there}
	}
	out, err := os.CreateTemp(t.TempDir(), "output")
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	p := start(t, s, Spec{Argv: []string{"python3", "-I", "-S", "-c", script}, Env: os.Environ(), Connects: route, Stdout: out, Stderr: out})
	pid <- p.PID()
	waitDone(t, p)
	said, err := os.ReadFile(out.Name())
	if err != nil || string(said) != "No route to host there\n" || asked.Load() != 50 {
		t.Errorf("it says %q, %v, and was asked for %d times, want 50", said, err, asked.Load())
	}
}

// playConnectBlocked waits in connect(2), in several threads.
func playConnectBlocked() error {
	for range 3 {
		go func() {
			runtime.LockOSThread()
			fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
			if err == nil {
				err = syscall.Connect(fd, &syscall.SockaddrInet4{Port: 9, Addr: [4]byte{127, 0, 0, 1}})
			}
			fmt.Println("it did not block:", err)
		}()
	}
	select {}
}

// TestConnectsEnd: nothing is left of a program that waits in connect(2), nor of who answers it,
// however it ends.
func TestConnectsEnd(t *testing.T) {
	dead := fullListener(t)
	for name, end := range map[string]func(*Shepherd, Process) error{
		"killed":          func(_ *Shepherd, p Process) error { return p.Kill() },
		"shepherd killed": func(s *Shepherd, _ Process) error { return s.cmd.Process.Kill() },
		"shepherd closed": func(s *Shepherd, _ Process) error { return s.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			s := newWatchShepherd(t)
			asked := make(chan Connect, 10)
			p := start(t, s, Spec{Argv: []string{"/proc/self/exe"}, Env: append(os.Environ(), roleVariable+"=connect-blocked"), Connects: func(c Connect) Route {
				asked <- c
				return Route{To: dead}
			}})
			for range 3 {
				<-asked
			}
			if err := end(s, p); err != nil {
				t.Fatal(err)
			}
			waitDone(t, p)
			answered := make(chan struct{})
			go func() { s.watches.Wait(); close(answered) }()
			select {
			case <-answered:
			case <-time.After(patience):
				t.Fatal("its connects are still being answered")
			}
		})
	}
}
