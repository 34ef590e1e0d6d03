package node

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/probity-run/probity/probe"
)

// target is where a probe over the network goes.
type target struct {
	host     string
	port     int
	declared int32 // the containerPort behind it, 0 if there is none
	// the manifest names a host: not this Pod's socket, so neither mapped to a private port nor
	// checked for its owner
	foreign bool
	// shown is the address, host:port, that the program is to see in a request if another one is
	// connected to; "" if it is the same
	shown string
}

// resolve finds the target of a probe or hook by its host and port. The name of a port is one of
// this container's ports, else it is read as a number (R76, R82).
func (p *portMap) resolve(c *corev1.Container, host string, port intstr.IntOrString) (target, error) {
	number := port.IntVal
	if port.Type == intstr.String {
		n, err := namedPort(c, port.StrVal)
		if err != nil {
			return target{}, err
		}
		number = n
	}
	if number < 1 || number > 65535 {
		return target{}, fmt.Errorf("invalid port number: %v", number)
	}
	if host != "" {
		return target{host: host, port: int(number), foreign: true}, nil
	}
	t := target{host: cmp.Or(p.ip, loopback), port: p.of(number)}
	if _, ok := p.private[number]; ok {
		t.declared = number
	}
	return t, nil
}

// namedPort is a container's port of that name.
func namedPort(c *corev1.Container, name string) (int32, error) {
	for _, p := range c.Ports {
		if p.Name == name {
			return p.ContainerPort, nil
		}
	}
	n, err := strconv.Atoi(name)
	return int32(min(n, 1<<31-1)), err
}

// networkProber makes the prober of a probe over the network.
func networkProber(p *corev1.Probe, t target, client *probe.HTTPClient) probe.Prober {
	timeout := time.Duration(p.TimeoutSeconds) * time.Second
	switch {
	case p.HTTPGet != nil:
		get := httpGet(p.HTTPGet, t, client)
		if p.HTTPGet.Scheme != corev1.URISchemeHTTPS {
			get.Client = nil // over plain TCP the engine has a faster one
		}
		get.Timeout = timeout
		return get
	case p.TCPSocket != nil:
		return probe.TCPSocket{Host: t.host, Port: t.port, Timeout: timeout}
	default:
		grpc := probe.GRPC{Host: t.host, Port: t.port, Timeout: timeout}
		if p.GRPC.Service != nil {
			grpc.Service = *p.GRPC.Service
		}
		return grpc
	}
}

func httpGet(action *corev1.HTTPGetAction, t target, client *probe.HTTPClient) probe.HTTPGet {
	get := probe.HTTPGet{Scheme: string(action.Scheme), Host: t.host, Port: t.port, Path: action.Path, Client: client}
	for _, h := range action.HTTPHeaders {
		get.Headers = append(get.Headers, probe.Header{Name: h.Name, Value: h.Value})
	}
	isHost := func(h probe.Header) bool { return strings.EqualFold(h.Name, "Host") }
	if t.shown != "" && !slices.ContainsFunc(get.Headers, isHost) {
		get.Headers = append(get.Headers, probe.Header{Name: "Host", Value: t.shown})
	}
	return get
}

// address takes host and port from whichever network handler a probe has.
func address(p *corev1.Probe) (host string, port intstr.IntOrString, ok bool) {
	switch {
	case p.HTTPGet != nil:
		return p.HTTPGet.Host, p.HTTPGet.Port, true
	case p.TCPSocket != nil:
		return p.TCPSocket.Host, p.TCPSocket.Port, true
	case p.GRPC != nil:
		return "", intstr.FromInt32(p.GRPC.Port), true
	}
	return "", intstr.IntOrString{}, false
}
