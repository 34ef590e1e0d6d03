package process

import (
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// pythonSends sends a word without a connection, by the call of its first argument, and prints what
// the call returns, then the answer or that there is none.
const pythonSends = `
import ctypes, socket, struct, sys
call, address = sys.argv[1], sys.argv[2].rsplit(":", 1)
host, port = address[0].strip("[]"), int(address[1])
s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(float(sys.argv[3]))
def sendmmsg():
	libc = ctypes.CDLL(None, use_errno=True)
	name = ctypes.create_string_buffer(struct.pack("=H", socket.AF_INET) + struct.pack("!H", port) + socket.inet_aton(host) + bytes(8))
	word = ctypes.create_string_buffer(b"sendmmsg", 8)
	piece = (ctypes.c_uint64 * 2)(ctypes.addressof(word), 8)
	messages = (ctypes.c_uint64 * 16)()
	for i in (0, 8):
		messages[i], messages[i+1] = ctypes.addressof(name), 16
		messages[i+2], messages[i+3] = ctypes.addressof(piece), 1
	n = libc.sendmmsg(s.fileno(), messages, 2, 0)
	return n, messages[7] & 0xffffffff
if call == "sendto": print(s.sendto(b"sendto", (host, port)))
elif call == "sendmsg": print(s.sendmsg([b"send", b"msg"], [], 0, (host, port)))
elif call == "sendmmsg": print(*sendmmsg())
elif call == "connected":
	s.connect((host, port))
	print(s.sendmsg([b"conn", b"ected"]))
try:
	data, peer = s.recvfrom(100)
	print(data.decode(), peer[1] == port)
except socket.timeout:
	print("nothing")
`

// keeperFunc is a function that keeps datagrams.
type keeperFunc func(*Datagram)

func (k keeperFunc) Keep(d *Datagram) { k(d) }

// echoDatagrams answers each datagram with itself.
func echoDatagrams(t *testing.T, address string) netip.AddrPort {
	t.Helper()
	socket, err := net.ListenPacket("udp", address)
	if err != nil {
		t.Skip(err)
	}
	var answering sync.WaitGroup
	answering.Go(func() {
		data := make([]byte, 100)
		for {
			n, from, err := socket.ReadFrom(data)
			if err != nil {
				return
			}
			_, _ = socket.WriteTo(data[:n], from)
		}
	})
	t.Cleanup(func() { socket.Close(); answering.Wait() })
	return netip.MustParseAddrPort(socket.LocalAddr().String())
}

// TestSends: what is sent without a connection is asked about. It goes on, is sent by somebody else
// or lost, and its program does not notice.
func TestSends(t *testing.T) {
	s := newWatchShepherd(t)
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip(err)
	}
	pass := func(Connect) Route { return Route{} }
	keep := func(how func(*Datagram)) func(Connect) Route {
		return func(Connect) Route { return Route{Keep: keeperFunc(how)} }
	}
	long, short := "20", "0.2"
	for name, test := range map[string]struct {
		call, address, limit string
		leads                func(Connect) Route
		says                 string
		asked                int
	}{
		"sendto passes":   {"sendto", "127.0.0.1:0", long, pass, "6 sendto True", 1},
		"sendto kept":     {"sendto", "127.0.0.1:0", long, keep(func(d *Datagram) { d.Send(); d.Drop(); d.Send() }), "6 sendto True", 1},
		"sendto lost":     {"sendto", "127.0.0.1:0", short, keep(func(d *Datagram) { d.Drop(); d.Send() }), "6 nothing", 1},
		"sendto by IPv6":  {"sendto", "[::1]:0", long, keep((*Datagram).Send), "6 sendto True", 1},
		"sendmsg passes":  {"sendmsg", "127.0.0.1:0", long, pass, "7 sendmsg True", 1},
		"sendmsg kept":    {"sendmsg", "127.0.0.1:0", long, keep((*Datagram).Send), "7 sendmsg True", 1},
		"sendmmsg passes": {"sendmmsg", "127.0.0.1:0", long, pass, "2 8 sendmmsg True", 1},
		"sendmmsg kept":   {"sendmmsg", "127.0.0.1:0", long, keep((*Datagram).Send), "1 8 sendmmsg True", 1},
		"without a name":  {"connected", "127.0.0.1:0", long, keep((*Datagram).Drop), "9 connected True", 0},
	} {
		t.Run(name, func(t *testing.T) {
			at := echoDatagrams(t, test.address)
			asked := &recorder{leads: func(c Connect) Route {
				if !c.Unconnected {
					return Route{}
				}
				return test.leads(c)
			}}
			got := output(t, s, Spec{Argv: []string{python, "-I", "-S", "-c", pythonSends, test.call, at.String(), test.limit}, Env: os.Environ(), Connects: asked.route})
			if says := strings.Join(strings.Fields(got), " "); says != test.says {
				t.Errorf("it says %q, want %q", says, test.says)
			}
			times := 0
			for _, c := range asked.seen() {
				if c == (Connect{Network: "udp", Address: at, Unconnected: true}) {
					times++
				}
			}
			if times != test.asked {
				t.Errorf("asked %d times, want %d: %v", times, test.asked, asked.seen())
			}
		})
	}
}

// TestSendsFastOpen: a program that sends while it connects is told to connect first, which is
// seen.
func TestSendsFastOpen(t *testing.T) {
	s := newWatchShepherd(t)
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip(err)
	}
	there := greeter(t, "tcp", "127.0.0.1:0", "there")
	const program = `
import socket, sys
s = socket.socket()
try: s.sendto(b"x", socket.MSG_FASTOPEN, ("127.0.0.1", 9))
except OSError as e: print(e.errno)
s.connect(("127.0.0.1", 9))
print(s.makefile().readline().strip())
`
	asked := &recorder{leads: func(Connect) Route { return Route{To: there} }}
	got := output(t, s, Spec{Argv: []string{python, "-I", "-S", "-c", program}, Env: os.Environ(), Connects: asked.route})
	if words := strings.Fields(got); len(words) != 2 || words[0] != "95" || words[1] != "there" {
		t.Errorf("it says %q", got)
	}
	if seen := asked.seen(); len(seen) != 1 || seen[0].Unconnected {
		t.Errorf("asked %v", seen)
	}
}
