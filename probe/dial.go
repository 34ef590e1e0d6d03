package probe

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"strconv"

	"github.com/probity-run/probity/probe/internal/dial"
)

// DialFunc opens a connection, like [net.Dialer.DialContext]. Handlers take one so that an owner
// can look at the connection (does the peer belong to the service?), enter a network namespace, or
// test without sockets.
type DialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// orDefault returns f, or the kubelet's way of dialling if f is nil.
func (f DialFunc) orDefault() DialFunc {
	if f != nil {
		return f
	}
	return dial.Context
}

// checkPort refuses a port that no service can listen on (R47).
func checkPort(port int) error {
	if port < 1 || port > 65535 {
		return fmt.Errorf("invalid port number: %d, must be between 1 and 65535", port)
	}
	return nil
}

// address joins host and port for dialling and for texts; IPv6 hosts are bracketed.
func address(host string, port int) string {
	return net.JoinHostPort(cmp.Or(host, DefaultHost), strconv.Itoa(port))
}
