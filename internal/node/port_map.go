package node

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/program"
)

// loopback is the address of a Pod that has none of its own.
const loopback = "127.0.0.1"

// portMap maps a Pod's container ports, as they are declared, to its private ports, which its
// programs find in PORT and are to listen on (docs/how-to.md#let-the-program-find-its-port).
type portMap struct {
	private map[int32]int // by containerPort
	// declared ports whose program was seen on the private one
	confirmed map[int32]bool
	// declared ports whose program was seen there itself, by the address of the socket
	bound map[int32]netip.Addr
	// declared ports of TCP, the only ones that can be seen
	tcp   map[int32]bool
	ip    string // of the Pod
	taken []int  // from the pool, to be released
}

// newPortMap takes one private port per declared one, unless the declared ones are fixed.
func newPortMap(pod *corev1.Pod, pool portPool) (*portMap, error) {
	ports := &portMap{private: map[int32]int{}, confirmed: map[int32]bool{}, bound: map[int32]netip.Addr{}, tcp: map[int32]bool{}, ip: program.PodIP(pod)}
	fixed := manifest.FixedPorts(&pod.ObjectMeta, &pod.Spec)
	for _, c := range lifecycle.Containers(&pod.Spec) {
		for _, p := range c.Ports {
			if p.Protocol == corev1.ProtocolTCP || p.Protocol == "" {
				ports.tcp[p.ContainerPort] = true
			}
			if _, known := ports.private[p.ContainerPort]; known {
				continue
			}
			ports.private[p.ContainerPort] = int(p.ContainerPort)
			if fixed {
				continue
			}
			port, err := pool.Take()
			if err != nil {
				ports.release(pool)
				return nil, fmt.Errorf("cannot find a private port for containerPort %d of container %s: %w", p.ContainerPort, c.Name, err)
			}
			ports.private[p.ContainerPort] = port
			ports.taken = append(ports.taken, port)
		}
	}
	return ports, nil
}

// release gives the private ports back.
func (p *portMap) release(pool portPool) {
	for _, port := range p.taken {
		pool.Release(port)
	}
}

// of is the private port of a declared one; a port that is not declared is itself.
func (p *portMap) of(containerPort int32) int {
	if port, ok := p.private[containerPort]; ok {
		return port
	}
	return int(containerPort)
}

// adopt makes a declared port the Pod's port, as its program listens there and not on the private
// one, which is returned. ok is false if it was that already.
func (p *portMap) adopt(declared int32) (private int, ok bool) {
	private = p.of(declared)
	if private == int(declared) {
		return 0, false
	}
	p.private[declared] = int(declared)
	delete(p.confirmed, declared)
	return private, true
}

// renew makes another private port that of a declared one.
func (p *portMap) renew(declared int32, port int) {
	p.private[declared] = port
	p.taken = append(p.taken, port)
	delete(p.confirmed, declared)
}

// confirm notes that the program of a declared port listens on the private one, so that the
// declared number is free for a Service. It reports whether that is news.
func (p *portMap) confirm(declared int32, port int) bool {
	if declared == 0 || int(declared) == port || p.confirmed[declared] {
		return false
	}
	p.confirmed[declared] = true
	return true
}

// listening is the value of [manifest.AnnotationListening]: the confirmed ports.
func (p *portMap) listening() string {
	var ports []string
	for _, declared := range slices.Sorted(maps.Keys(p.confirmed)) {
		ports = append(ports, strconv.Itoa(int(declared)))
	}
	return strings.Join(ports, ",")
}

// bind notes that the program of a declared port listens on that itself, by a socket that is bound
// to an address. It reports whether that is news.
func (p *portMap) bind(declared int32, to netip.Addr) bool {
	if p.bound[declared] == to || !to.IsValid() {
		return false
	}
	p.bound[declared] = to
	return true
}

// boundTo is the value of [manifest.AnnotationBound].
func (p *portMap) boundTo() string {
	var ports []string
	for _, declared := range slices.Sorted(maps.Keys(p.bound)) {
		ports = append(ports, fmt.Sprintf("%d=%s", declared, p.bound[declared]))
	}
	return strings.Join(ports, ",")
}

// unseen are the ports whose program was seen nowhere yet, declared and private.
func (p *portMap) unseen() map[int32]int {
	ports := maps.Clone(p.private)
	maps.DeleteFunc(ports, func(declared int32, _ int) bool {
		return !p.tcp[declared] || p.confirmed[declared] || p.bound[declared].IsValid()
	})
	return ports
}

// variables are a container's variables about ports: PORT is its port named http, else its first;
// PORT_<NAME> its named ones; PORT_<CONTAINERPORT> all of the Pod's, as its containers share one
// network.
func (p *portMap) variables(c *corev1.Container) map[string]string {
	vars := map[string]string{}
	for declared, private := range p.private {
		vars["PORT_"+strconv.Itoa(int(declared))] = strconv.Itoa(private)
	}
	for i, port := range c.Ports {
		private := strconv.Itoa(p.of(port.ContainerPort))
		if port.Name != "" {
			vars["PORT_"+variableName(port.Name)] = private
		}
		if i == 0 || port.Name == "http" {
			vars["PORT"] = private
		}
	}
	return vars
}

// annotation lists one container's ports as the annotation does: "8080:41013,9090:41014".
func (p *portMap) annotation(c *corev1.Container) string {
	var pairs []string
	for _, port := range c.Ports {
		pairs = append(pairs, fmt.Sprintf("%d:%d", port.ContainerPort, p.of(port.ContainerPort)))
	}
	return strings.Join(pairs, ",")
}
