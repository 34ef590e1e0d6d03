package proxy

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"

	corev1 "k8s.io/api/core/v1"
)

const (
	// loopback is where Services listen: nothing outside of this machine reaches them.
	loopback = "127.0.0.1"
	// unprivilegedOffset is added to a port that only root may have: 80 becomes 8080, 443 becomes
	// 8443.
	unprivilegedOffset = 8000
	// nearbyPorts is how many ports after the declared one are tried, before any free port is
	// taken.
	nearbyPorts = 100
)

// listen takes the declared port if it can be had, else the next free one, else any. refused says
// in words why it is not the declared one; it is empty if it is. owner names who has a port or is
// to have it, or returns "".
func listen(declared int, owner func(port int) string) (listener *net.TCPListener, refused string, err error) {
	if by := owner(declared); by != "" {
		refused = fmt.Sprintf("port %d belongs to %s", declared, by)
	} else if listener, err = listenOn(declared); err == nil {
		return listener, "", nil
	} else {
		refused = refusalText(declared, err)
	}
	next := declared + 1
	if errors.Is(err, syscall.EACCES) {
		next = declared + unprivilegedOffset
	}
	for port := next; port < min(next+nearbyPorts, 1<<16); port++ {
		if owner(port) != "" {
			continue
		}
		if listener, err = listenOn(port); err == nil {
			return listener, refused, nil
		}
	}
	if listener, err = listenOn(0); err != nil {
		return nil, refused, fmt.Errorf("cannot listen on any port of %s: %w", loopback, err)
	}
	return listener, refused, nil
}

func listenOn(port int) (*net.TCPListener, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort(loopback, strconv.Itoa(port)))
	if err != nil {
		return nil, err
	}
	return listener.(*net.TCPListener), nil
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

// portOwner returns a function that names who, other than the Service of the key, has a port or is
// to have it: another Service that listens on it or declares it, or what the options reserve.
func (p *Proxy) portOwner(key portKey) func(port int) string {
	return func(number int) string {
		if p.opts.Reserved != nil && p.opts.Reserved(number) {
			return "a Pod that has it fixed"
		}
		for other, sp := range p.ports {
			if other != key && sp.listener.Addr().(*net.TCPAddr).Port == number {
				return "Service " + other.service.String()
			}
		}
		if number == int(key.number) {
			return "" // declared by both: the one that comes first gets it
		}
		for _, service := range p.cache.services {
			for _, declared := range service.Spec.Ports {
				if int(declared.Port) == number {
					return "Service " + service.Namespace + "/" + service.Name
				}
			}
		}
		return ""
	}
}

// openPort begins to listen for a Service port. nil means that it could not; an Event says why.
func (p *Proxy) openPort(key portKey, service *corev1.Service) *servicePort {
	about := serviceReference(service)
	listener, refused, err := listen(int(key.number), p.portOwner(key))
	if err != nil {
		p.record(about, corev1.EventTypeWarning, "ListenFailed", err.Error())
		return nil
	}
	if refused != "" {
		p.record(about, corev1.EventTypeWarning, "PortTaken", fmt.Sprintf("%s; port %d of this Service is at %s instead", refused, key.number, listener.Addr()))
	} else {
		p.record(about, corev1.EventTypeNormal, "Listening", fmt.Sprintf("port %d is at %s", key.number, listener.Addr()))
	}
	return newServicePort(p, key, about, listener)
}
