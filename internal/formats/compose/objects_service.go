package compose

import (
	"slices"

	"go.yaml.in/yaml/v3"
)

// targets are the ports of a container, each once.
func targets(s *Service) []Port {
	var all []Port
	for _, p := range slices.Concat(s.Ports, s.Expose) {
		if !slices.ContainsFunc(all, func(old Port) bool { return old.Target == p.Target && old.Protocol == p.Protocol }) {
			all = append(all, p)
		}
	}
	return all
}

// containerPorts writes the ports of a container.
func (w *writer) containerPorts(c *yaml.Node, s *Service) {
	var ports []*yaml.Node
	for _, p := range targets(s) {
		one := w.field(p.At, "containerPort", w.number(p.At, p.Target))
		if p.Protocol != "tcp" {
			w.put(one, "protocol", w.text(p.At, protocolOf(p)))
		}
		ports = append(ports, one)
	}
	if ports != nil {
		w.put(c, "ports", w.list(s.At, ports...))
	}
}

// service is the Service of that name, nil if there are no ports. Others reach a container at its
// own ports, as in a network of Docker, and at those that are published, as from the machine.
func (w *writer) service(s *Service, name string) *yaml.Node {
	type port struct {
		protocol string
		number   int
	}
	taken := map[port]int{} // the targets
	var ports []*yaml.Node
	add := func(p Port, number int) {
		if number == 0 {
			return
		}
		if target, again := taken[port{p.Protocol, number}]; again {
			if target != p.Target {
				w.noteDifferent(p.At, Path{s.Name, "ports"}, "Docker would lead port %d of the machine to %d of the container, Kubernetes will lead it to %d: others reach that one by its own number; publish another number than %d",
					number, p.Target, target, number)
			}
			return
		}
		taken[port{p.Protocol, number}] = p.Target
		one := w.field(p.At, "name", w.text(p.At, portName(p, number)))
		w.put(one, "port", w.number(p.At, number))
		if number != p.Target {
			w.put(one, "targetPort", w.number(p.At, p.Target))
		}
		if p.Protocol != "tcp" {
			w.put(one, "protocol", w.text(p.At, protocolOf(p)))
		}
		ports = append(ports, one)
	}
	for _, p := range targets(s) {
		add(p, p.Target)
	}
	for _, p := range s.Ports {
		add(p, p.Published)
	}
	if ports == nil {
		return nil
	}
	object := w.field(s.At, "apiVersion", w.text(s.At, "v1"))
	w.put(object, "kind", w.text(s.At, "Service"))
	w.put(object, "metadata", w.field(s.At, "name", w.text(s.At, name)))
	spec := w.field(s.At, "selector", w.field(s.At, "app", w.text(s.At, name)))
	w.put(spec, "ports", w.list(s.At, ports...))
	w.put(object, "spec", spec)
	return object
}
