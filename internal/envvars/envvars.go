// Package envvars is pure: the environment variables by which the programs of a Pod find the
// Services of its namespace, as the kubelet makes them.
package envvars

import (
	"cmp"
	"net"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// Variable is a name and its value.
type Variable struct{ Name, Value string }

// FromServices makes the variables of Services: N_SERVICE_HOST, N_SERVICE_PORT and
// N_SERVICE_PORT_<NAME>, and for each port N_PORT_<NUMBER>_<PROTOCOL> with its parts. Headless and
// ExternalName Services have none. Every name is in the result once, Services are in the order of
// their names.
//
// working is the number at which a port of a Service is served; it is the declared one unless that
// could not be had. The names of the variables have the declared number.
//
// Two Services can ask for one name: redis for REDIS_SERVICE_PORT, and redis-service, too. The
// kubelet leaves it to chance; here the form N_SERVICE_… wins.
func FromServices(services []*corev1.Service, working func(service *corev1.Service, port int32) int32) []Variable {
	services = slices.DeleteFunc(slices.Clone(services), func(s *corev1.Service) bool { return !hasAddress(s) })
	slices.SortFunc(services, func(a, b *corev1.Service) int { return cmp.Compare(a.Name, b.Name) })
	set := &set{index: map[string]int{}}
	for _, form := range []func(string, *corev1.Service, func(int32) string) []Variable{linkForm, serviceForm} {
		for _, s := range services {
			number := func(port int32) string { return strconv.Itoa(int(working(s, port))) }
			for _, v := range form(variableName(s.Name), s, number) {
				set.put(v)
			}
		}
	}
	return set.list
}

// hasAddress reports whether a Service has an address of its own and a port there.
func hasAddress(s *corev1.Service) bool {
	return s.Spec.ClusterIP != "" && s.Spec.ClusterIP != corev1.ClusterIPNone && s.Spec.Type != corev1.ServiceTypeExternalName && len(s.Spec.Ports) > 0
}

// variableName is the name of a Service or port as it stands in the names of variables.
func variableName(name string) string { return strings.ToUpper(strings.ReplaceAll(name, "-", "_")) }

// serviceForm are the variables N_SERVICE_…
func serviceForm(prefix string, s *corev1.Service, number func(int32) string) []Variable {
	all := []Variable{
		{prefix + "_SERVICE_HOST", s.Spec.ClusterIP},
		{prefix + "_SERVICE_PORT", number(s.Spec.Ports[0].Port)},
	}
	for _, p := range s.Spec.Ports {
		if p.Name != "" {
			all = append(all, Variable{prefix + "_SERVICE_PORT_" + variableName(p.Name), number(p.Port)})
		}
	}
	return all
}

// linkForm are the variables N_PORT…, the form of Docker's container links.
func linkForm(prefix string, s *corev1.Service, number func(int32) string) (all []Variable) {
	for i, p := range s.Spec.Ports {
		protocol := strings.ToLower(cmp.Or(string(p.Protocol), string(corev1.ProtocolTCP)))
		url := protocol + "://" + net.JoinHostPort(s.Spec.ClusterIP, number(p.Port))
		if i == 0 {
			all = append(all, Variable{prefix + "_PORT", url})
		}
		port := prefix + "_PORT_" + strconv.Itoa(int(p.Port)) + "_" + strings.ToUpper(protocol)
		all = append(all, Variable{port, url}, Variable{port + "_PROTO", protocol}, Variable{port + "_PORT", number(p.Port)}, Variable{port + "_ADDR", s.Spec.ClusterIP})
	}
	return all
}

// set is a list of variables without repetition: a later value replaces an earlier one.
type set struct {
	list  []Variable
	index map[string]int
}

func (s *set) put(v Variable) {
	if i, known := s.index[v.Name]; known {
		s.list[i] = v
		return
	}
	s.index[v.Name] = len(s.list)
	s.list = append(s.list, v)
}
