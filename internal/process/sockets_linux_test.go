package process

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/sys/unix"
)

const procNetSample = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0
   1: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 20 4 30 10 -1
   2: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0 100 0 0 10 0
   3: 00000000000000000000000001000000:0051 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4714 1 0 100 0 0 10 0
`

func TestParseProcNet(t *testing.T) {
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		t.Skip("the sample is of a little-endian machine")
	}
	got, err := parseProcNet([]byte(procNetSample))
	if err != nil {
		t.Fatal(err)
	}
	want := []Listener{
		{Addr: netip.MustParseAddr("127.0.0.1"), Port: 8080, Inode: 4711},
		{Addr: netip.MustParseAddr("::"), Port: 80, Inode: 4713},
		{Addr: netip.MustParseAddr("::1"), Port: 81, Inode: 4714},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
		t.Errorf("listeners (-want +got):\n%s", diff)
	}
	for _, bad := range []string{"h\nshort line", "h\n0: 01:1 0 0A 4 5 6 7 8 9 10", "h\n0: 0100007F:1F90 0 xx 4 5 6 7 8 9 10"} {
		if got, err := parseProcNet([]byte(bad)); err == nil {
			t.Errorf("parseProcNet(%q) = %v, want an error", bad, got)
		}
	}
}

// listen opens a listener of the test itself.
func listen(t *testing.T, network, addr string) (port int) {
	t.Helper()
	l, err := net.Listen(network, addr)
	if err != nil && network == "tcp6" {
		t.Skip("a machine without IPv6: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().(*net.TCPAddr).Port
}

// TestListenersBothWays asks netlink and /proc about the same sockets.
func TestListenersBothWays(t *testing.T) {
	tests := []struct {
		name, network, addr, want string
		family                    uint8
		only6                     bool
	}{
		{"IPv4 loopback", "tcp4", "127.0.0.1:0", "127.0.0.1", unix.AF_INET, false},
		{"IPv4 any", "tcp4", "0.0.0.0:0", "0.0.0.0", unix.AF_INET, false},
		{"IPv6 loopback", "tcp6", "[::1]:0", "::1", unix.AF_INET6, true},
		{"IPv6 any", "tcp6", "[::]:0", "::", unix.AF_INET6, true},
		{"both any", "tcp", ":0", "::", unix.AF_INET6, false},
	}
	var sockets Sockets
	defer sockets.Close()
	sources := map[string]func(uint8, int) ([]Listener, error){
		"netlink": func(_ uint8, port int) ([]Listener, error) { return sockets.listeners(port) },
		"proc":    procListeners,
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			port := listen(t, tt.network, tt.addr)
			for source, ask := range sources {
				got, err := ask(tt.family, port)
				if err != nil || len(got) != 1 || got[0].Inode == 0 {
					t.Errorf("%s: listeners on %d = %+v, %v, want one", source, port, got, err)
					continue
				}
				want := Listener{Addr: netip.MustParseAddr(tt.want), Port: port, Inode: got[0].Inode, OnlyIPv6: tt.only6}
				if source == "proc" {
					want.OnlyIPv6 = false // not to be seen there
				}
				if got[0] != want {
					t.Errorf("%s: listener = %+v, want %+v", source, got[0], want)
				}
			}
			all, err := Listeners(0)
			if err != nil || !slices.ContainsFunc(all, func(l Listener) bool { return l.Port == port }) {
				t.Errorf("Listeners of every port = %+v, %v, want port %d among them", all, err, port)
			}
		})
	}
}

// TestFreshness: an answer about all ports serves later questions for as long as it is fresh, and
// no longer.
func TestFreshness(t *testing.T) {
	for _, tt := range []struct {
		freshness time.Duration
		want      int
	}{{time.Hour, 0}, {time.Nanosecond, 1}, {0, 1}} {
		sockets := Sockets{Freshness: tt.freshness}
		defer sockets.Close()
		before := listen(t, "tcp4", "127.0.0.1:0")
		if got, err := sockets.Listeners(before); err != nil || len(got) != 1 || got[0].Port != before {
			t.Fatalf("Listeners(%d) = %+v, %v, want one", before, got, err)
		}
		after := listen(t, "tcp4", "127.0.0.1:0")
		if got, err := sockets.Listeners(after); err != nil || len(got) != tt.want {
			t.Errorf("freshness %v: Listeners of a new socket = %+v, %v, want %d", tt.freshness, got, err, tt.want)
		}
		if got, err := sockets.Listeners(before); err != nil || len(got) != 1 {
			t.Errorf("freshness %v: Listeners of the old socket = %+v, %v, want one", tt.freshness, got, err)
		}
	}
}

func TestReached(t *testing.T) {
	on := func(addr string, inode uint64, only6 bool) Listener {
		return Listener{Addr: netip.MustParseAddr(addr), Port: 1, Inode: inode, OnlyIPv6: only6}
	}
	tests := []struct {
		name string
		all  []Listener
		to   string
		want []uint64
	}{
		{"nobody", nil, "127.0.0.1", nil},
		{"exact before any", []Listener{on("0.0.0.0", 1, false), on("127.0.0.1", 2, false)}, "127.0.0.1", []uint64{2}},
		{"IPv4 any before IPv6 any", []Listener{on("::", 1, false), on("0.0.0.0", 2, false)}, "127.0.0.1", []uint64{2}},
		{"IPv6 any takes IPv4", []Listener{on("::", 1, false)}, "127.0.0.1", []uint64{1}},
		{"unless it refuses", []Listener{on("::", 1, true)}, "127.0.0.1", nil},
		{"IPv6", []Listener{on("::", 1, true), on("0.0.0.0", 2, false)}, "::1", []uint64{1}},
		{"IPv4 any is not IPv6", []Listener{on("0.0.0.0", 2, false)}, "::1", nil},
		{"shared port", []Listener{on("127.0.0.1", 1, false), on("127.0.0.1", 2, false)}, "127.0.0.1", []uint64{1, 2}},
		{"other address", []Listener{on("192.0.2.1", 1, false)}, "127.0.0.1", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []uint64
			for _, l := range reached(tt.all, netip.MustParseAddr(tt.to)) {
				got = append(got, l.Inode)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("inodes (-want +got):\n%s", diff)
			}
		})
	}
}

// startListener starts a program that listens on addr, possibly as a daemon, and returns its port.
func startListener(t *testing.T, s Starter, script, addr string) (Process, int) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := start(t, s, Spec{
		Argv: []string{"sh", "-c", script, "sh", self, addr}, Env: append(os.Environ(), roleVariable+"=listen"),
		Stdout: w, Stderr: os.Stderr,
	})
	w.Close()
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil && err != io.EOF {
		t.Fatal(err)
	}
	at, err := netip.ParseAddrPort(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	return p, int(at.Port())
}

func TestIdentity(t *testing.T) {
	s := newShepherd(t)
	stranger := listen(t, "tcp4", "127.0.0.1:0")
	tests := []struct{ name, script, addr, dial string }{
		{"main process", `exec "$1" "$2"`, "127.0.0.1:0", "127.0.0.1"},
		{"child", `"$1" "$2"; exit`, "0.0.0.0:0", "127.0.0.1"},
		{"daemon", `(setsid "$1" "$2" &); exec sleep 1000`, "[::]:0", "127.0.0.1"},
		{"only IPv6", `exec "$1" "$2"`, "[::1]:0", "::1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.dial == "::1" {
				listen(t, "tcp6", tt.addr) // is there IPv6?
			}
			p, port := startListener(t, s, tt.script, tt.addr)
			tree := func() ([]int, error) { return Tree(p) }
			var id Identity
			for range 2 { // the second answer comes from memory
				got, err := id.Owns(tree, port)
				own, treeErr := tree()
				if err != nil || treeErr != nil || got.Owner != Own || got.Addr.String() != tt.dial || !slices.Contains(own, got.PID) {
					t.Errorf("own port: %+v, %v, %v, want own at %s by one of %v", got, err, treeErr, tt.dial, own)
				}
				got, err = id.Owns(tree, stranger)
				if err != nil || got.Owner != Stranger || got.PID != os.Getpid() || got.Command == "" {
					t.Errorf("port of the test: %+v, %v, want a stranger, process %d by name", got, err, os.Getpid())
				}
			}
			if err := p.Kill(); err != nil {
				t.Fatal(err)
			}
			waitDone(t, p)
			if got, err := id.Owns(tree, port); err != nil || got.Owner != Nobody {
				t.Errorf("after the end: %+v, %v, want nobody", got, err)
			}
		})
	}
}

// TestIdentityAsksOnce is the promise that asking before every probe is cheap, with several ports
// too.
func TestIdentityAsksOnce(t *testing.T) {
	ports := []int{listen(t, "tcp4", "127.0.0.1:0"), listen(t, "tcp4", "127.0.0.1:0")}
	asked := 0
	tree := func() ([]int, error) { asked++; return []int{os.Getpid()}, nil }
	var id Identity
	for range 5 {
		for _, port := range ports {
			if got, err := id.Owns(tree, port); err != nil || got.Owner != Own {
				t.Fatalf("Owns = %+v, %v, want own", got, err)
			}
		}
	}
	if asked != len(ports) {
		t.Errorf("the tree was read %d times, want %d", asked, len(ports))
	}
}

// TestIdentityTreeGrows has a process that becomes a member after it was seen as a stranger: the
// second container of a pod.
func TestIdentityTreeGrows(t *testing.T) {
	port := listen(t, "tcp4", "127.0.0.1:0")
	var id Identity
	for _, tt := range []struct {
		tree []int
		want Owner
	}{{nil, Stranger}, {nil, Stranger}, {[]int{os.Getpid()}, Own}} {
		if got, err := id.Owns(func() ([]int, error) { return tt.tree, nil }, port); err != nil || got.Owner != tt.want {
			t.Errorf("tree %v: %+v, %v, want %v", tt.tree, got, err, tt.want)
		}
	}
}

// TestIdentitySharedPort has a stranger on the same port by SO_REUSEPORT, so that the kernel may
// choose either.
func TestIdentitySharedPort(t *testing.T) {
	id := Identity{holders: map[uint64]holder{1: {owner: Own, pid: 10}, 2: {owner: Stranger, pid: 20}, 3: {owner: Unknown}}}
	tests := []struct {
		name   string
		inodes []uint64
		want   Owner
	}{
		{"own", []uint64{1}, Own},
		{"own and stranger", []uint64{1, 2}, Stranger},
		{"stranger and own", []uint64{2, 1}, Stranger},
		{"own and unknown", []uint64{1, 3}, Unknown},
		{"all", []uint64{3, 2, 1}, Stranger},
	}
	for _, tt := range tests {
		var all []Listener
		for _, inode := range tt.inodes {
			all = append(all, Listener{Inode: inode})
		}
		if got := id.summarizeLocked(all); got.Owner != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got.Owner, tt.want)
		}
	}
}

// diagSample is an answer about one listener on [::1]:8080 with attributes.
func diagSample() []byte {
	attributes := []byte{5, 0, 8, 0, 1, 0, 0, 0, 5, 0, diagV6Only, 0, 1, 0, 0, 0}
	b := make([]byte, netlinkHeader+diagAnswerSize, 200)
	binary.NativeEndian.PutUint32(b, uint32(len(b)+len(attributes)))
	binary.NativeEndian.PutUint16(b[4:], diagGetSock)
	body := b[netlinkHeader:]
	body[0] = unix.AF_INET6
	binary.BigEndian.PutUint16(body[4:], 8080)
	body[23] = 1
	binary.NativeEndian.PutUint32(body[68:], 4711)
	b = append(b, attributes...)
	done := make([]byte, netlinkHeader)
	binary.NativeEndian.PutUint32(done, netlinkHeader)
	binary.NativeEndian.PutUint16(done[4:], unix.NLMSG_DONE)
	return append(b, done...)
}

func TestParseDiag(t *testing.T) {
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		t.Skip("the sample is of a little-endian machine")
	}
	got, done, err := appendDiag(nil, diagSample())
	want := []Listener{{Addr: netip.IPv6Loopback(), Port: 8080, Inode: 4711, OnlyIPv6: true}}
	if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Addr{})); diff != "" || !done || err != nil {
		t.Errorf("done = %v, error = %v, listeners (-want +got):\n%s", done, err, diff)
	}
	for cut := 1; cut < netlinkHeader+diagAnswerSize; cut += 7 {
		if got, _, err := appendDiag(nil, diagSample()[:cut]); err == nil {
			t.Errorf("parseDiag of %d bytes = %v, want an error", cut, got)
		}
	}
}

func FuzzParseDiag(f *testing.F) {
	f.Add(diagSample())
	f.Fuzz(func(t *testing.T, data []byte) {
		checkListeners(t, func() ([]Listener, error) { all, _, err := appendDiag(nil, data); return all, err })
	})
}

func BenchmarkOwns(b *testing.B) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	id := Identity{Sockets: new(Sockets)}
	defer id.Sockets.Close()
	tree := func() ([]int, error) { return descendants(os.Getpid()) }
	for b.Loop() {
		if _, err := id.Owns(tree, l.Addr().(*net.TCPAddr).Port); err != nil {
			b.Fatal(err)
		}
	}
}

// TestOwnsWithoutDescriptors: a shortage of descriptors is an error, never a stranger.
func TestOwnsWithoutDescriptors(t *testing.T) {
	port := listen(t, "tcp4", "127.0.0.1:0")
	id := Identity{Sockets: new(Sockets)}
	defer id.Sockets.Close()
	if _, err := id.Sockets.Listeners(port); err != nil { // its own descriptor is open from now on
		t.Fatal(err)
	}
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 0, Max: before.Max}); err != nil {
		t.Fatal(err)
	}
	got, err := id.Owns(func() ([]int, error) { return descendants(os.Getpid()) }, port)
	if restored := unix.Setrlimit(unix.RLIMIT_NOFILE, &before); restored != nil {
		t.Fatal(restored)
	}
	if !errors.Is(err, unix.EMFILE) {
		t.Errorf("Owns without descriptors = %+v, %v, want %v", got, err, unix.EMFILE)
	}
	if got, err := id.Owns(func() ([]int, error) { return descendants(os.Getpid()) }, port); err != nil || got.Owner != Own {
		t.Errorf("Owns with descriptors again = %+v, %v, want own", got, err)
	}
}
