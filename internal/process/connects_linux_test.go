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
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
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

// seen is what was asked but for the cache of names, which the C library of a program asks if that
// has a need, and so does a shell that python3 may be.
func (r *recorder) seen() []Connect {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(r.asked), func(c Connect) bool { return strings.HasPrefix(c.Path, "/var/run/nscd/") })
}

// These programs connect to each of their arguments, at the same time if the word is parallel, and
// print in a line each what they are told there, or why they are not.
const (
	pythonConnects = `
import os, socket, sys
for address in sys.argv[2:]:
	host, port = address.split(":")
	s = socket.socket()
	if sys.argv[1] != "None": s.settimeout(float(sys.argv[1]))
	try:
		s.connect((host, int(port)))
		if os.get_blocking(s.fileno()) != (sys.argv[1] == "None"): print("another mode")
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

// TestConnectsInNamespace: connects are led elsewhere in a namespace, too, both by the process that
// makes it and by one that joins it.
func TestConnectsInNamespace(t *testing.T) {
	s := newNamespaceShepherd(t)
	if err := s.TryConnects(); err != nil {
		t.Skip("this machine lets nobody watch connects: ", err)
	}
	there := greeter(t, "tcp", "127.0.0.1:0", "there")
	n := hostsNamespace(t, "pod", "127.77.0.1 store")
	for _, who := range []string{"makes", "joins"} {
		got := output(t, s, Spec{
			Argv: []string{"/proc/self/exe", "127.0.0.1:9"}, Env: append(os.Environ(), roleVariable+"=connect"), Namespace: n,
			Connects: func(Connect) Route { return Route{To: there} },
		})
		if got != "there\n" {
			t.Errorf("who %s it says %q", who, got)
		}
	}
}

// TestProcessOf: a thread belongs to its process, which older kernels want to be told.
func TestProcessOf(t *testing.T) {
	var process int
	var err error
	var thread sync.WaitGroup
	thread.Go(func() {
		runtime.LockOSThread() // not the first one, which is that of the process
		process, err = processOf(unix.Gettid())
	})
	thread.Wait()
	if err != nil || process != os.Getpid() {
		t.Errorf("process %d, %v; want %d", process, err, os.Getpid())
	}
}

// TestParseSocketName reads what programs hand to connect(2).
func TestParseSocketName(t *testing.T) {
	tests := map[string]struct {
		name    string
		family  int
		address string
		path    string
		ok      bool
	}{
		"IPv4":           {"\x02\x00\x15\x38\x7f\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00", unix.AF_INET, "127.0.0.1:5432", "", true},
		"IPv6":           {"\x0a\x00\x00\x35\x00\x00\x00\x00" + strings.Repeat("\x00", 15) + "\x01\x00\x00\x00\x00", unix.AF_INET6, "[::1]:53", "", true},
		"mapped":         {"\x0a\x00\x00\x35\x00\x00\x00\x00" + strings.Repeat("\x00", 10) + "\xff\xff\x7f\x00\x00\x01\x00\x00\x00\x00", unix.AF_INET6, "127.0.0.1:53", "", true},
		"link-local":     {"\x0a\x00\x00\x35\x00\x00\x00\x00\xfe\x80" + strings.Repeat("\x00", 13) + "\x01\x02\x00\x00\x00", unix.AF_INET6, "[fe80::1%2]:53", "", true},
		"file":           {"\x01\x00/run/s\x00xx", unix.AF_UNIX, "", "/run/s", true},
		"abstract":       {"\x01\x00\x00s", unix.AF_UNIX, "", "@s", true},
		"unnamed":        {"\x01\x00", unix.AF_UNIX, "", "", false},
		"too short":      {"\x02\x00\x15\x38\x7f\x00\x00", unix.AF_INET, "", "", false},
		"another family": {"\x02\x00\x15\x38\x7f\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00", unix.AF_INET6, "", "", false},
		"end":            {strings.Repeat("\x00", 16), unix.AF_INET, "", "", false},
		"nothing":        {"", unix.AF_INET, "", "", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			address, path, ok := parseSocketName([]byte(test.name), test.family)
			if ok != test.ok || path != test.path || address.IsValid() != (test.address != "") || test.address != "" && address.String() != test.address {
				t.Errorf("%v, %q, %v; want %s, %q, %v", address, path, ok, test.address, test.path, test.ok)
			}
		})
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
