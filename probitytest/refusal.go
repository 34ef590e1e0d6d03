package probitytest

import (
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/probity-run/probity/internal/lifecycle"
)

// refusal is a port that refuses connections for as long as it is held: a socket that has an
// address and does not listen, so nobody else can.
type refusal struct {
	socket  int
	address string
}

func newRefusal() (*refusal, error) {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		return nil, fmt.Errorf("cannot make a port that refuses: %w", err)
	}
	unix.CloseOnExec(socket)
	r := &refusal{socket: socket}
	if err := unix.Bind(socket, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		_ = r.close() // it was not used
		return nil, fmt.Errorf("cannot make a port that refuses: %w", err)
	}
	at, err := unix.Getsockname(socket)
	if err != nil {
		_ = r.close() // it was not used
		return nil, fmt.Errorf("cannot make a port that refuses: %w", err)
	}
	inet := at.(*unix.SockaddrInet4) // as it was bound
	r.address = netip.AddrPortFrom(netip.AddrFrom4(inet.Addr), uint16(inet.Port)).String()
	return r, nil
}

func (r *refusal) instead(string, lifecycle.ProbeType) string { return r.address }

func (r *refusal) close() error { return unix.Close(r.socket) }

// unreadiness diverts the readiness probe only.
type unreadiness struct{ diversion }

func (u unreadiness) instead(to string, probe lifecycle.ProbeType) string {
	if probe != lifecycle.Readiness {
		return to
	}
	return u.diversion.instead(to, probe)
}
