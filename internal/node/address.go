package node

import (
	"net/netip"

	corev1 "k8s.io/api/core/v1"
)

// withAddress is a Pod with the address that it has while it runs here, as its programs and probes
// see it. release gives the address back.
func (n *Node) withAddress(pod *corev1.Pod) (addressed *corev1.Pod, release func()) {
	if n.opts.PodAddress == nil {
		return pod, func() {}
	}
	address, release := n.opts.PodAddress(pod.Namespace, pod.Name)
	own := *pod // nobody writes to what it points at
	own.Status.PodIP, own.Status.PodIPs = address.String(), []corev1.PodIP{{IP: address.String()}}
	return &own, release
}

// podAddress is the address of a Pod, not valid if the Pod has none of its own.
func podAddress(pod *corev1.Pod) netip.Addr {
	address, err := netip.ParseAddr(pod.Status.PodIP)
	if err != nil {
		return netip.Addr{}
	}
	return address
}
