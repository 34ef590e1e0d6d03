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
		if by := p.reservedFor(number); by != "" {
			return by
		}
		for other, sp := range p.ports {
			if other != key && sp.listensOn(number) {
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

// reservedFor names whom the options reserve a port for, or returns "".
func (p *Proxy) reservedFor(number int) string {
	if p.opts.Reserved == nil {
		return ""
	}
	return p.opts.Reserved(number)
}

// reclaimPorts gives Services that were moved, because their port was reserved for a Pod, the port
// that they declare, once it is free. Where they were served until then stays open for those who
// know it.
func (p *Proxy) reclaimPorts() {
	for key, sp := range p.ports {
		if !sp.waitsForPort || p.portOwner(key)(int(key.number)) != "" {
			continue
		}
		listener, err := listenOn(int(key.number))
		if err != nil {
			// the Pod itself has it, or another program: the next change of a Pod tries again
			continue
		}
		before := sp.address()
		sp.moveTo(listener)
		p.running.Go(func() { sp.serve(listener) })
		p.record(sp.service, corev1.EventTypeNormal, "Listening",
			fmt.Sprintf("port %d is at %s now, as the Pod listens where PORT says; %s stays open", key.number, sp.address(), before))
		if service := p.cache.services[key.service]; service != nil {
			p.annotateAddresses(service)
		}
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
	sp := newServicePort(p, key, about, listener)
	if refused != "" {
		sp.waitsForPort = p.reservedFor(int(key.number)) != ""
		p.record(about, corev1.EventTypeWarning, "PortTaken", fmt.Sprintf("%s; port %d of this Service is at %s instead", refused, key.number, listener.Addr()))
	} else {
		p.record(about, corev1.EventTypeNormal, "Listening", fmt.Sprintf("port %d is at %s", key.number, listener.Addr()))
	}
	return sp
}
