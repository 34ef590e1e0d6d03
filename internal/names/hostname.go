package names

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// Hostname is how a Pod calls itself.
type Hostname struct {
	// Name is the short name.
	Name string
	// Domain is what follows it in the full name; empty if there is none.
	Domain string
	// Kernel is what hostname(1) and the variable HOSTNAME say.
	Kernel string
}

const (
	// maxName is the longest short name; a longer one is cut.
	maxName = 63
	// maxKernelName is what the kernel takes.
	maxKernelName = 64
)

// HostnameOf is the host name of a Pod by the kubelet's rules: hostnameOverride, else hostname,
// else the Pod's name, cut at 63 bytes; subdomain makes the domain; with setHostnameAsFQDN the
// kernel gets the full name, and an error says so if that is too long. A Pod on the host's network
// is called as the machine, whose name is node.
func HostnameOf(pod *corev1.Pod, node string) (Hostname, error) {
	spec := &pod.Spec
	switch {
	case spec.HostnameOverride != nil:
		name := cut(*spec.HostnameOverride)
		return Hostname{Name: name, Kernel: name}, nil
	case spec.HostNetwork:
		return Hostname{Name: node, Kernel: node}, nil
	}
	h := Hostname{Name: pod.Name}
	if spec.Hostname != "" {
		h.Name = spec.Hostname
	}
	h.Name = cut(h.Name)
	h.Kernel = h.Name
	if spec.Subdomain != "" {
		h.Domain = spec.Subdomain + "." + pod.Namespace + ".svc." + ClusterDomain
	}
	if h.Domain == "" || spec.SetHostnameAsFQDN == nil || !*spec.SetHostnameAsFQDN {
		return h, nil
	}
	h.Kernel = h.Name + "." + h.Domain
	if len(h.Kernel) > maxKernelName {
		return Hostname{}, fmt.Errorf("failed to construct FQDN from pod hostname and cluster domain, FQDN %s is too long (%d characters is the max, %d characters requested)",
			h.Kernel, maxKernelName, len(h.Kernel))
	}
	return h, nil
}

func cut(name string) string {
	if len(name) <= maxName {
		return name
	}
	return strings.TrimRight(name[:maxName], "-.")
}

// WantsFile reports whether a hosts file of its own would tell a Pod something: because there are
// Services that it would find, or because it says itself how it or others are called.
func WantsFile(spec *corev1.PodSpec, services bool) bool {
	return asksForName(spec) || services && usesClusterDNS(spec)
}

func asksForName(spec *corev1.PodSpec) bool {
	return spec.Hostname != "" || spec.Subdomain != "" || spec.HostnameOverride != nil || len(spec.HostAliases) > 0 ||
		spec.SetHostnameAsFQDN != nil && *spec.SetHostnameAsFQDN
}
