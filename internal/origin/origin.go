// Package origin decides which Host and Origin headers a server takes that listens on loopback. It
// is pure.
//
// A page of another site can send requests to such a server: by its address, and then its Origin is
// a foreign one, or by a name of its own that it lets mean 127.0.0.1, and then the Host header is.
package origin

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// Server is a server by the names by which clients reach it: 127.0.0.1, [::1], localhost.
type Server struct {
	// Scheme is http or https.
	Scheme string
	// Port is the one that clients connect to.
	Port uint16
	// Address is where it listens besides loopback. The zero value is nowhere.
	Address netip.Addr
}

// Has reports whether a Host header names the server.
func (s Server) Has(host string) bool {
	name, port, err := net.SplitHostPort(host)
	if err != nil { // it has no port, so it means that of the scheme
		name, port = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"), "443"
		if s.Scheme == "http" {
			port = "80"
		}
	}
	if port != strconv.Itoa(int(s.Port)) {
		return false
	}
	if strings.EqualFold(name, "localhost") {
		return true
	}
	address, err := netip.ParseAddr(name)
	return err == nil && (address == netip.AddrFrom4([4]byte{127, 0, 0, 1}) || address == netip.IPv6Loopback() || address == s.Address)
}

// IsOrigin reports whether an Origin header is that of a page of the server.
func (s Server) IsOrigin(origin string) bool {
	host, ok := strings.CutPrefix(origin, s.Scheme+"://")
	return ok && s.Has(host)
}

// String lists the names for people.
func (s Server) String() string {
	names := fmt.Sprintf("127.0.0.1:%d, [::1]:%[1]d, localhost:%[1]d", s.Port)
	if s.Address.IsValid() {
		names += ", " + netip.AddrPortFrom(s.Address, s.Port).String()
	}
	return names
}
