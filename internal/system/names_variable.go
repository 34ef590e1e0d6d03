package system

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/names"
	"github.com/probity-run/probity/internal/printable"
	"github.com/probity-run/probity/internal/program"
)

// Variable implements [node.Names].
func (n *hostNames) Variable(pod *corev1.Pod, container string, v program.Variable) string {
	refused := false
	if n.mode == NamesAuto && n.wantsFile(pod) {
		refused = n.try() != nil
	}
	if n.mode != NamesEnv && !refused || pod.Annotations[manifest.AnnotationNames] == manifest.NamesOff {
		return v.Value
	}
	replaced, changed := names.Replace(v.Value, n.workingAddresses(pod.Namespace))
	if !changed || n.mode == NamesEnv {
		return replaced
	}
	to := printable.Quote(replaced)
	switch {
	case v.Secret:
		to = "an address in the place of that"
	case len(replaced) <= maxShownValue:
		to = `"` + printable.Line(replaced) + `"`
	}
	n.say(fmt.Sprintf("probity: %s of container %s names a Service, which is not found by name here: it would have to be %s", v.Name, container, to))
	return v.Value
}

// maxShownValue is how long a value may be that is shown as a whole, to be copied.
const maxShownValue = 300

// say gives a notice that was not given before.
func (n *hostNames) say(line string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.said[line] {
		n.said[line] = true
		n.notice(line)
	}
}

// workingAddresses finds the addresses that work for names of Services, as a Pod in a namespace
// means them.
func (n *hostNames) workingAddresses(namespace string) names.Lookup {
	services := n.services()
	return func(host string, port int) (string, int, bool) {
		s, ok := names.Find(services, namespace, host)
		if !ok {
			return "", 0, false
		}
		return workingAddress(s, port)
	}
}

// workingAddress is where a port of a Service answers: where the proxy listens for it, or else the
// Service's own address. Port 0 means whatever port the program adds.
func workingAddress(s *corev1.Service, port int) (address string, number int, ok bool) {
	if port == 0 {
		for _, p := range s.Spec.Ports {
			if address, number, ok := workingAddress(s, int(p.Port)); !ok || number != int(p.Port) {
				return address, number, ok // where the program's own number does not work
			}
		}
		a, err := netip.ParseAddr(s.Spec.ClusterIP)
		return s.Spec.ClusterIP, 0, err == nil && a.IsValid()
	}
	if !slices.ContainsFunc(s.Spec.Ports, func(p corev1.ServicePort) bool { return int(p.Port) == port }) {
		return "", 0, false
	}
	if served, err := netip.ParseAddrPort(s.Annotations[manifest.AnnotationAddress+strconv.Itoa(port)]); err == nil {
		return served.Addr().String(), int(served.Port()), true
	}
	_, unnamed := s.Annotations[manifest.AnnotationUnnamed]
	a, err := netip.ParseAddr(s.Spec.ClusterIP)
	return s.Spec.ClusterIP, port, err == nil && a.IsValid() && !unnamed
}
