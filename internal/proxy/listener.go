package proxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/workload"
)

// loopback is where Services listen that have no address of their own, and all others, too, if they
// can: nothing outside of this machine reaches it.
func loopback() netip.Addr { return netip.AddrFrom4([4]byte{127, 0, 0, 1}) }

const (
	// unprivilegedOffset is added to a port that only root may have: 80 becomes 8080, 443 becomes
	// 8443.
	unprivilegedOffset = 8000
	// nearbyPorts is how many ports after the declared one are tried, before any free port is
	// taken.
	nearbyPorts = 100
)

// addressOf is the address of a Service: its clusterIP, if that is one of this machine, else the
// one that everybody shares.
func addressOf(service *corev1.Service) netip.Addr {
	if own, err := netip.ParseAddr(service.Spec.ClusterIP); err == nil && own.Is4() && own.IsLoopback() {
		return own
	}
	return loopback()
}

// portListener is a listener that may be given up before its Service port is.
type portListener struct {
	*net.TCPListener
	givenUp atomic.Bool
}

// giveUp frees the address. Connections that were accepted go on.
func (l *portListener) giveUp() error {
	l.givenUp.Store(true)
	return l.Close()
}

func (l *portListener) address() netip.AddrPort { return l.Addr().(*net.TCPAddr).AddrPort() }

func listenOn(address netip.Addr, port int) (*portListener, error) {
	// Keep-alive packets find out whether a host is still there, and clients are on this one. Each
	// connection would cost four system calls for them.
	config := net.ListenConfig{KeepAlive: -1}
	config.SetMultipathTCP(false) // there is one path
	listener, err := config.Listen(context.Background(), "tcp4", netip.AddrPortFrom(address, uint16(port)).String())
	if err != nil {
		return nil, err
	}
	return &portListener{TCPListener: listener.(*net.TCPListener)}, nil
}

// listenNear listens at the first free port from next on that is nobody's, else at any.
func listenNear(address netip.Addr, next int, owner func(port int) string) (*portListener, error) {
	for port := next; port < min(next+nearbyPorts, 1<<16); port++ {
		if owner(port) != "" {
			continue
		}
		if listener, err := listenOn(address, port); err == nil {
			return listener, nil
		}
	}
	listener, err := listenOn(address, 0)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on any port of %s: %w", address, err)
	}
	return listener, nil
}

// bindResult is what an attempt to listen means for the decision.
func bindResult(err error) workload.BindResult {
	switch {
	case err == nil:
		return workload.BindUntried
	case errors.Is(err, syscall.EACCES):
		return workload.BindDenied
	}
	return workload.BindInUse
}

// refusalText says in words why a port cannot be listened on.
func refusalText(port int, err error) string {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Sprintf("port %d is in use by another program", port)
	case errors.Is(err, syscall.EACCES):
		return fmt.Sprintf("port %d is for root only", port)
	}
	return fmt.Sprintf("cannot listen on port %d: %v", port, err)
}

// claimText says in words who has a port or is to have it.
func claimText(c workload.PortClaim) string {
	owner := c.Origin.Kind + " " + c.Origin.Name.Name
	switch {
	case c.Fixed && c.Use != workload.PortUnused:
		return owner + ", which has it fixed"
	case c.Use == workload.PortUnseen:
		return owner + ", until it has shown that it listens where PORT says"
	case c.Use == workload.PortUnused:
		return owner + " declares it, but has not listened there, nor where PORT says"
	}
	return owner + ", which listens there whatever PORT says"
}

// portOwner returns a function that names who, other than the Service of the key, has a port of an
// address or is to have it: a Pod, or another Service that listens there or declares the port.
func (p *Proxy) portOwner(key portKey, address netip.Addr) func(port int) string {
	return func(number int) string {
		if c := p.claims[int32(number)]; c.Use != workload.PortFree {
			return claimText(c)
		}
		for other, sp := range p.ports {
			if other != key && sp.listensOn(netip.AddrPortFrom(address, uint16(number))) {
				return "Service " + other.service.String()
			}
		}
		if number == int(key.number) {
			return "" // declared by both: the one that comes first gets it
		}
		for _, service := range p.cache.services {
			for _, declared := range service.Spec.Ports {
				if int(declared.Port) == number && (addressOf(service) == address || address == loopback()) {
					return "Service " + service.Namespace + "/" + service.Name
				}
			}
		}
		return ""
	}
}
