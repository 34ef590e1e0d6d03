package dependency

import (
	"net/netip"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/manifest"
)

// destination is where a connection leads.
type destination struct {
	network string // tcp or udp
	address netip.AddrPort
}

// destinationOf gives the address that the kernel means by an unspecified one.
func destinationOf(network string, address netip.AddrPort) destination {
	switch address.Addr() {
	case netip.IPv4Unspecified():
		address = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), address.Port())
	case netip.IPv6Unspecified():
		address = netip.AddrPortFrom(netip.IPv6Loopback(), address.Port())
	}
	return destination{network, address}
}

// naming is what the name of a destination is decided by.
type naming struct {
	declared map[netip.AddrPort]string // by variables
	services []*corev1.Service
}

// name is the name of a destination and what it stands for: two destinations of one sort are one
// dependency.
func (n naming) name(d destination) (name, sort string) {
	if name := n.declared[d.address]; name != "" {
		return name, "variable " + name
	}
	if s := serviceAt(n.services, d.address); s != nil {
		sort := "service " + s.Namespace + "/" + s.Name
		if s.Namespace == metav1.NamespaceDefault {
			return s.Name, sort
		}
		return s.Name + "." + s.Namespace, sort
	}
	place := d.address.Addr().String()
	if d.address.Addr().IsLoopback() {
		place = "loopback" // a name such as localhost stands for several addresses
	}
	sort = place + " " + strconv.Itoa(int(d.address.Port()))
	if guess := usualPort(d.address.Port()); guess != "" {
		if guess == dns {
			sort = dns
		}
		return guess, sort
	}
	return d.address.String(), sort
}

// serviceAt is the Service that answers at an address, nil if none does.
func serviceAt(services []*corev1.Service, address netip.AddrPort) *corev1.Service {
	for _, s := range services {
		for _, p := range s.Spec.Ports {
			served, err := netip.ParseAddrPort(s.Annotations[manifest.AnnotationAddress+strconv.Itoa(int(p.Port))])
			if err == nil && served == address {
				return s
			}
			ip, err := netip.ParseAddr(s.Spec.ClusterIP)
			if err == nil && netip.AddrPortFrom(ip, uint16(p.Port)) == address {
				return s
			}
		}
	}
	return nil
}

// dns is the name of every name server.
const dns = "dns"

// dnsPort is where they are asked.
const dnsPort = 53

// usualPort is what mostly listens on a port; "" where it may be anything.
func usualPort(port uint16) string {
	switch port {
	case dnsPort:
		return dns
	case 1433:
		return "sqlserver"
	case 2181:
		return "zookeeper"
	case 2379:
		return "etcd"
	case 3306:
		return "mysql"
	case 4222:
		return "nats"
	case 5432:
		return "postgresql"
	case 5671, 5672:
		return "amqp"
	case 6379:
		return "redis"
	case 8086:
		return "influxdb"
	case 9042:
		return "cassandra"
	case 9092:
		return "kafka"
	case 9200:
		return "elasticsearch"
	case 11211:
		return "memcached"
	case 27017:
		return "mongodb"
	}
	return ""
}

// ownPort reports whether an address is one that the Pod's containers declare to listen at.
func ownPort(pod *corev1.Pod, address netip.AddrPort) bool {
	if !address.Addr().IsLoopback() {
		return false
	}
	if ip, err := netip.ParseAddr(pod.Status.PodIP); err == nil && ip == address.Addr() {
		return true
	}
	// Only the first addresses of localhost: others are those of Pods and Services.
	if a := address.Addr(); a != netip.IPv6Loopback() && a != netip.AddrFrom4([4]byte{127, 0, 0, 1}) {
		return false
	}
	for _, c := range pod.Spec.Containers {
		for _, p := range c.Ports {
			if uint16(p.ContainerPort) == address.Port() {
				return true
			}
		}
	}
	return false
}
