package node

import (
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/process"
)

// podPort is a port at which others reach a Pod: as the manifest names it, and where it is here.
type podPort struct{ declared, actual int }

// String says both numbers if they differ: "8080 (here 41001)".
func (p podPort) String() string {
	if p.declared == p.actual {
		return strconv.Itoa(p.actual)
	}
	return fmt.Sprintf("%d (here %d)", p.declared, p.actual)
}

// asked is the port of a target.
func (t target) asked() podPort {
	if t.declared != 0 {
		return podPort{int(t.declared), t.port}
	}
	return podPort{t.port, t.port}
}

// reachable lists the ports at which others want to reach a container: those it declares and those
// its probes ask, in order.
func (p *portMap) reachable(c *corev1.Container) []podPort {
	var ports []podPort
	add := func(declared int32) {
		port := podPort{int(declared), p.of(declared)}
		if !slices.Contains(ports, port) {
			ports = append(ports, port)
		}
	}
	for _, port := range c.Ports {
		if port.Protocol == "" || port.Protocol == corev1.ProtocolTCP {
			add(port.ContainerPort)
		}
	}
	for _, spec := range []*corev1.Probe{c.StartupProbe, c.ReadinessProbe, c.LivenessProbe} {
		if spec == nil {
			continue
		}
		host, port, ok := address(spec)
		if !ok || host != "" {
			continue
		}
		number := port.IntVal
		if number == 0 {
			var err error
			if number, err = namedPort(c, port.StrVal); err != nil {
				continue // the probe says so
			}
		}
		add(number)
	}
	return ports
}

// loopbackOnly explains why a port that is open here would be closed on a cluster; "" if it would
// be open, or is not open here. own is the Pod's address, which others reach.
func loopbackOnly(c *corev1.Container, port podPort, own netip.Addr, listeners []process.Listener) string {
	var only []string
	for _, l := range listeners {
		if l.Port != port.actual && l.Port != port.declared {
			continue
		}
		if !l.Addr.IsLoopback() || l.Addr == own {
			return ""
		}
		if text := l.Addr.String(); !slices.Contains(only, text) {
			only = append(only, text)
		}
	}
	if len(only) == 0 {
		return ""
	}
	return fmt.Sprintf("Port %s is open on %s only: on a cluster neither a probe nor a Service reaches it there; let %s listen on 0.0.0.0, or on all addresses",
		port, strings.Join(only, " and "), c.Name)
}

// stopSignalIgnored explains that a main process without a handler for its stop signal does not end
// by it on a cluster; "" if there is no such process.
func stopSignalIgnored(pod *corev1.PodSpec, c *corev1.Container, main string, others []string) string {
	grace := int64(corev1.DefaultTerminationGracePeriodSeconds)
	if pod.TerminationGracePeriodSeconds != nil {
		grace = *pod.TerminationGracePeriodSeconds
	}
	if main == "" || grace == 0 {
		return ""
	}
	signal := stopSignal(c)
	if isShell(main) && len(others) > 0 {
		return fmt.Sprintf("%s would be killed after %d s on a cluster: only the shell %s gets %s there, ignores it as process 1, and does not pass it on to %s; "+
			"put exec before the last command", c.Name, grace, main, signal, strings.Join(others, ", "))
	}
	return fmt.Sprintf("%s would be killed after %d s on a cluster: %s has no handler for %s, which process 1 of a container then ignores; "+
		"handle the signal, or start the program by an init such as tini", c.Name, grace, main, signal)
}

// isShell reports whether a command is one that runs others.
func isShell(command string) bool {
	return slices.Contains([]string{"sh", "bash", "dash", "ash", "ksh", "zsh", "busybox"}, path.Base(command))
}

// firstOfNamespace reports whether a container's main process has the number 1 on a cluster.
func firstOfNamespace(pod *corev1.PodSpec) bool {
	return !pod.HostPID && (pod.ShareProcessNamespace == nil || !*pod.ShareProcessNamespace)
}

// stopSignal is what a container is sent at its end.
func stopSignal(c *corev1.Container) corev1.Signal {
	if c.Lifecycle != nil && c.Lifecycle.StopSignal != nil {
		return *c.Lifecycle.StopSignal
	}
	return corev1.SIGTERM
}

// portMismatch explains that a probe asks a port where nothing listens, while the Pod listens on
// others; "" if that is not so.
func portMismatch(c *corev1.Container, t lifecycle.ProbeType, to target, listeners []process.Listener, ports *portMap) string {
	asked := to.asked()
	var open []int
	for _, l := range listeners {
		if l.Port == asked.actual || l.Port == asked.declared {
			return ""
		}
		open = append(open, l.Port)
	}
	if len(open) == 0 {
		return ""
	}
	slices.Sort(open)
	var names []string
	for _, port := range slices.Compact(open) {
		names = append(names, ports.named(port).String())
	}
	return fmt.Sprintf("The %s probe asks port %s, where nothing of the Pod listens; it listens on %s: let the probe, the containerPort and the program of %s name one port",
		strings.ToLower(string(t)), asked, strings.Join(names, ", "), c.Name)
}

// named is a port of this machine with the number by which the manifest names it.
func (p *portMap) named(port int) podPort {
	for declared, private := range p.private {
		if private == port {
			return podPort{int(declared), port}
		}
	}
	return podPort{port, port}
}
