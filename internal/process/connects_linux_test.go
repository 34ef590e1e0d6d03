package process

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// newWatchShepherd is a shepherd that can watch connects.
func newWatchShepherd(t *testing.T) *Shepherd {
	t.Helper()
	s := newShepherd(t)
	if err := s.TryConnects(); err != nil {
		t.Skip("this machine lets nobody watch connects: ", err)
	}
	return s
}

// greeter accepts connections, says a word to each, and waits for its end.
func greeter(t *testing.T, network, address, word string) netip.AddrPort {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Skip(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close()
				_, _ = io.WriteString(c, word+"\n")
				_, _ = io.Copy(io.Discard, c)
			})
		}
	})
	t.Cleanup(func() { l.Close(); all.Wait() })
	return netip.MustParseAddrPort(l.Addr().String())
}

// playConnect connects to each address and prints what it is told there, or why it is not.
func playConnect(addresses []string) error {
	var all sync.WaitGroup
	said := make([]string, len(addresses))
	for i, address := range addresses {
		all.Go(func() { said[i] = converse(address) })
	}
	all.Wait()
	for _, line := range said {
		fmt.Println(line)
	}
	os.Exit(0)
	return nil
}

func converse(address string) string {
	limit := patience
	if os.Getenv(roleVariable) == "connect-briefly" {
		limit = 200 * time.Millisecond
	}
	network := "tcp"
	if strings.HasPrefix(address, "/") {
		network = "unix"
	}
	c, err := net.DialTimeout(network, address, limit)
	if err != nil {
		if errno, ok := errors.AsType[syscall.Errno](err); ok {
			return errno.Error()
		}
		return err.Error()
	}
	defer c.Close()
	line, err := bufio.NewReader(c).ReadString('\n')
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(line)
}

// recorder is a route that remembers what it was asked.
type recorder struct {
	mu    sync.Mutex
	asked []Connect
	leads func(Connect) Route
}

func (r *recorder) route(c Connect) Route {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = append(r.asked, c)
	return r.leads(c)
}

func (r *recorder) seen() []Connect {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.asked
}

// These programs connect to each of their arguments, at the same time if the word is parallel, and
// print in a line each what they are told there, or why they are not.
const (
	pythonConnects = `
import socket, sys
for address in sys.argv[2:]:
	host, port = address.split(":")
	s = socket.socket()
	if sys.argv[1] != "None": s.settimeout(float(sys.argv[1]))
	try:
		s.connect((host, int(port)))
		print(s.makefile().readline().strip())
	except OSError as e:
		print(e.strerror)
`
	asyncioConnects = `
import asyncio, sys
async def one(address):
	r, w = await asyncio.open_connection(*address.split(":"))
	line = await r.readline()
	w.close()
	return line.decode().strip()
async def main():
	for r in await asyncio.gather(*map(one, sys.argv[1:]), return_exceptions=True):
		print(r.strerror.split("(")[-1].split("]")[-1] if isinstance(r, OSError) and r.strerror else r)
asyncio.run(main())
`
	nodeConnects = `
const one = address => new Promise(done => {
	const [host, port] = address.split(":")
	const c = require("net").connect(port, host)
	c.on("data", d => { done(d.toString().trim()); c.end() })
	c.on("error", e => done(e.code))
})
Promise.all(process.argv.slice(1).map(one)).then(all => console.log(all.join("\n")))
`
)

// TestConnects: programs of several kinds are led somewhere else, or refused, or let be, and do not
// notice.
func TestConnects(t *testing.T) {
	s := newWatchShepherd(t)
	here, there := greeter(t, "tcp", "127.0.0.1:0", "here"), greeter(t, "tcp", "127.0.0.1:0", "there")
	led, refused := netip.MustParseAddrPort("127.0.0.1:9"), netip.MustParseAddrPort("127.0.0.2:9")
	routes := map[netip.AddrPort]Route{led: {To: there}, refused: {Refused: syscall.EHOSTUNREACH}}
	var addresses []string
	want := map[Connect]int{}
	for _, to := range []netip.AddrPort{here, led, refused, here, led, led, led, led} {
		addresses = append(addresses, to.String())
		want[Connect{Network: "tcp", Address: to}]++
	}
	tests := map[string][]string{
		"Go":              {"/proc/self/exe"},
		"Python":          {"python3", "-I", "-S", "-c", pythonConnects, "None"},
		"Python, timeout": {"python3", "-I", "-S", "-c", pythonConnects, "20"},
		"asyncio":         {"python3", "-I", "-S", "-c", asyncioConnects},
		"Node":            {"node", "-e", nodeConnects},
	}
	for name, argv := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := exec.LookPath(argv[0]); err != nil {
				t.Skip(err)
			}
			asked := &recorder{leads: func(c Connect) Route { return routes[c.Address] }}
			got := output(t, s, Spec{Argv: append(argv, addresses...), Env: append(os.Environ(), roleVariable+"=connect"), Connects: asked.route})
			lines := strings.Fields(strings.NewReplacer("no route to host", "refused", "No route to host", "refused", "EHOSTUNREACH", "refused").Replace(got))
			if diff := cmp.Diff([]string{"here", "there", "refused", "here", "there", "there", "there", "there"}, lines); diff != "" {
				t.Errorf("what it is told (-want +got):\n%s\n%s", diff, got)
			}
			times := map[Connect]int{}
			for _, c := range asked.seen() {
				times[c]++
			}
			if diff := cmp.Diff(want, times, cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" {
				t.Errorf("asked (-want +got):\n%s", diff)
			}
		})
	}
}

// TestConnectsIPv6: a socket of IPv6 is led to one of IPv4, too.
func TestConnectsIPv6(t *testing.T) {
	s := newWatchShepherd(t)
	there := greeter(t, "tcp", "127.0.0.1:0", "there")
	here := greeter(t, "tcp", "[::1]:0", "here")
	asked := &recorder{leads: func(Connect) Route { return Route{To: there} }}
	got := output(t, s, Spec{Argv: []string{"/proc/self/exe", here.String()}, Env: append(os.Environ(), roleVariable+"=connect"), Connects: asked.route})
	if got != "there\n" {
		t.Errorf("it says %q", got)
	}
	if seen := asked.seen(); len(seen) != 1 || seen[0].Address != here {
		t.Errorf("asked %v, want %v", seen, here)
	}
}

// TestConnectsUnix: a socket of a file is asked for, too, with children of the process.
func TestConnectsUnix(t *testing.T) {
	s := newWatchShepherd(t)
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	var ends sync.WaitGroup
	ends.Go(func() {
		if c, err := l.Accept(); err == nil {
			c.Close()
		}
	})
	defer ends.Wait()
	defer l.Close()
	asked := &recorder{leads: func(Connect) Route { return Route{} }}
	got := output(t, s, Spec{Argv: []string{"sh", "-c", "(\"$0\" " + path + ")", os.Args[0]}, Env: append(os.Environ(), roleVariable+"=connect"), Connects: asked.route})
	if seen := asked.seen(); got != "EOF\n" || len(seen) != 1 || seen[0] != (Connect{Network: "unix", Path: path}) {
		t.Errorf("it says %q, asked %v", got, seen)
	}
}

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
// program does not notice, however often.
func TestConnectsInterrupted(t *testing.T) {
	s := newWatchShepherd(t)
	there := greeter(t, "tcp", "127.0.0.1:0", "there")
	const script = `
import signal, socket, threading, os, time
signal.signal(signal.SIGUSR1, lambda *_: None)
signal.siginterrupt(signal.SIGUSR1, False)
main, done = threading.get_ident(), False
def disturb():
	while not done: signal.pthread_kill(main, signal.SIGUSR1); time.sleep(0.0005)
t = threading.Thread(target=disturb); t.start()
words = set()
for i in range(100):
	s = socket.socket()
	s.connect(("127.0.0.1", 9))
	words.add(s.makefile().readline().strip()); s.close()
done = True; t.join()
print(*words)
`
	slow := func(c Connect) Route {
		if c.Network != "tcp" {
			return Route{}
		}
		time.Sleep(time.Millisecond) // so that there is something to interrupt
		return Route{To: there}
	}
	if got := output(t, s, Spec{Argv: []string{"python3", "-I", "-S", "-c", script}, Env: os.Environ(), Connects: slow}); got != "there\n" {
		t.Errorf("it says %q", got)
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

// TestConnectsOfNoProgram: a program that cannot be started says why, with a filter as without.
func TestConnectsOfNoProgram(t *testing.T) {
	s := newWatchShepherd(t)
	script := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(script, []byte("#!/no/such/interpreter\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err := s.Start(Spec{Argv: []string{script}, Connects: func(Connect) Route { return Route{} }})
	if failed, ok := errors.AsType[*StartError](err); !ok || !errors.Is(err, os.ErrNotExist) || !strings.Contains(failed.Reason, "interpreter") {
		t.Errorf("error %v", err)
	}
}
