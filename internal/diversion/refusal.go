package diversion

import (
	"context"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/lifecycle"
)

// refusal is a port that refuses connections for as long as it is held: a socket that has an
// address and does not listen, so nobody else can.
type refusal struct {
	socket  int
	address netip.AddrPort
}

func newRefusal() (*refusal, error) {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		return nil, fmt.Errorf("cannot make a port that refuses: %w", err)
	}
	unix.CloseOnExec(socket)
	r := &refusal{socket: socket}
	if err := unix.Bind(socket, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		r.close()
		return nil, fmt.Errorf("cannot make a port that refuses: %w", err)
	}
	at, err := unix.Getsockname(socket)
	if err != nil {
		r.close()
		return nil, fmt.Errorf("cannot make a port that refuses: %w", err)
	}
	inet := at.(*unix.SockaddrInet4) // as it was bound
	r.address = netip.AddrPortFrom(netip.AddrFrom4(inet.Addr), uint16(inet.Port))
	return r, nil
}

func (r *refusal) request(string) string { return r.address.String() }

func (r *refusal) probe(lifecycle.ProbeType, *corev1.Probe, netip.AddrPort) netip.AddrPort {
	return r.address
}

func (r *refusal) retire(ctx context.Context) {
	wait(ctx, linger)
	r.close()
}

func (r *refusal) close() {
	_ = unix.Close(r.socket) // nothing was written to it
}
