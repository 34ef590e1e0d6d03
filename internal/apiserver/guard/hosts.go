package guard

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// hosts are the names by which clients reach the API.
type hosts struct {
	port    uint16
	address netip.Addr // besides loopback, or the zero value
}

// has reports whether a Host header is one of them.
func (h hosts) has(host string) bool {
	name, port, err := net.SplitHostPort(host)
	if err != nil { // it has no port, so it means that of https
		name, port = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"), "443"
	}
	if port != strconv.Itoa(int(h.port)) {
		return false
	}
	if strings.EqualFold(name, "localhost") {
		return true
	}
	address, err := netip.ParseAddr(name)
	return err == nil && (address == netip.AddrFrom4([4]byte{127, 0, 0, 1}) || address == netip.IPv6Loopback() || address == h.address)
}

// isOrigin reports whether an Origin header is of a page of this server.
func (h hosts) isOrigin(origin string) bool {
	host, ok := strings.CutPrefix(origin, "https://")
	return ok && h.has(host)
}

// String lists the names for people.
func (h hosts) String() string {
	names := fmt.Sprintf("127.0.0.1:%d, [::1]:%[1]d, localhost:%[1]d", h.port)
	if h.address.IsValid() {
		names += ", " + netip.AddrPortFrom(h.address, h.port).String()
	}
	return names
}
