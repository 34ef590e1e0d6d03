package node

import (
	"fmt"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/manifest"
)

// loopback is the address of every Pod.
const loopback = "127.0.0.1"

// podPorts maps a Pod's declared container ports to the ports that its programs are told to listen
// on (docs/how-to.md#let-the-program-find-its-port).
type podPorts struct {
	private map[int32]int // by containerPort
	fixed   bool          // the declared ports are used as they are
	taken   []int         // to give back
}

// newPodPorts asks take for one free port per declared one, unless they are fixed.
func newPodPorts(pod *corev1.Pod, take func() (int, error)) (*podPorts, error) {
	ports := &podPorts{private: map[int32]int{}, fixed: manifest.FixedPorts(&pod.ObjectMeta, &pod.Spec)}
	for _, c := range lifecycle.Containers(&pod.Spec) {
		for _, p := range c.Ports {
			if _, known := ports.private[p.ContainerPort]; known {
				continue
			}
			ports.private[p.ContainerPort] = int(p.ContainerPort)
			if ports.fixed {
				continue
			}
			port, err := take()
			if err != nil {
				return nil, fmt.Errorf("cannot find a private port for containerPort %d of container %s: %w", p.ContainerPort, c.Name, err)
			}
			ports.private[p.ContainerPort] = port
			ports.taken = append(ports.taken, port)
		}
	}
	return ports, nil
}

// of is where a declared port is found; a port that is not declared is itself.
func (p *podPorts) of(containerPort int32) int {
	if port, ok := p.private[containerPort]; ok {
		return port
	}
	return int(containerPort)
}

// variables are what a container is told: PORT is its port named http, else its first; PORT_<NAME>
// its named ones; PORT_<CONTAINERPORT> all of the Pod's, as its containers share one network.
func (p *podPorts) variables(c *corev1.Container) map[string]string {
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

// annotation is the annotation's form of one container's ports: "8080:41013,9090:41014".
func (p *podPorts) annotation(c *corev1.Container) string {
	var pairs []string
	for _, port := range c.Ports {
		pairs = append(pairs, fmt.Sprintf("%d:%d", port.ContainerPort, p.of(port.ContainerPort)))
	}
	return strings.Join(pairs, ",")
}
