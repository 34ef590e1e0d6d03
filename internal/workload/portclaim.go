package workload

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/manifest"
)

// PortUse is what the Pods of a run do with a port number, from the weakest to the strongest.
type PortUse int

const (
	// PortFree: no Pod declares it, or the programs of those that do listen where PORT says.
	PortFree PortUse = iota
	// PortUnused: a program may take it, but has not in the time for which it was left to it. A
	// Service may have it, until the program is started again (see [PortTurn]).
	PortUnused
	// PortOneAddress: a program listens on it, at one address. Others can have it at other ones.
	PortOneAddress
	// PortUnseen: a program may take it, has not shown yet where it listens, and it is its turn.
	PortUnseen
	// PortEverywhere: a program listens on it at every address, so nobody else can have it at any.
	PortEverywhere
)

// Origin is the object that asks for a Pod: what a manifest has, such as a Deployment.
type Origin struct {
	Kind string
	Name types.NamespacedName
}

// PortWish is a port that the Pods of an origin declare.
type PortWish struct {
	Origin Origin
	// Program tells this version of the programs from others; it may be empty.
	Program string
	Port    int32
	// Fixed: the program listens on the port itself, and the manifest says so.
	Fixed bool
	// Obeys: it is known that the program listens where PORT says.
	Obeys bool
	// Narrow: it is known that the program listens on the port at one address only.
	Narrow bool
	// Waits: its Pods are about to be made, so the port is left to them.
	Waits bool
}

// PodPorts is what a Pod has shown so far.
type PodPorts struct {
	Origin  Origin
	Program string // as in [PortWish]
	Name    types.NamespacedName
	// Private are the declared ports whose program listens where PORT says.
	Private []int32
	// Bound are the declared ports that the program itself listens on, and the address of its
	// socket.
	Bound map[int32]netip.Addr
	// Unseen are the declared ports that are in neither of them, and whether it is the program's
	// turn to take them.
	Unseen map[int32]bool
}

// PortClaim is the strongest use of a port number.
type PortClaim struct {
	Use    PortUse
	Origin Origin
	Fixed  bool
	// Pod is the one that was seen to listen on the port; empty if there is none now.
	Pod types.NamespacedName
}

// PortClaims are the numbers that Services have to be careful with, from what manifests ask for and
// what Pods have shown. A number that is not in the result is [PortFree].
func PortClaims(wishes []PortWish, pods []PodPorts) map[int32]PortClaim {
	claims := map[int32]PortClaim{}
	claim := func(port int32, c PortClaim) {
		if c.Use > claims[port].Use {
			claims[port] = c
		}
	}
	fixed := map[Origin]bool{}
	for _, w := range wishes {
		fixed[w.Origin] = fixed[w.Origin] || w.Fixed
	}
	for _, pod := range pods {
		for port, to := range pod.Bound {
			use := PortOneAddress
			if to.IsUnspecified() {
				use = PortEverywhere
			}
			claim(port, PortClaim{Use: use, Origin: pod.Origin, Pod: pod.Name, Fixed: fixed[pod.Origin]})
		}
		for port, turn := range pod.Unseen {
			use := PortUnused
			if turn {
				use = PortUnseen
			}
			claim(port, PortClaim{Use: use, Origin: pod.Origin, Fixed: fixed[pod.Origin]})
		}
	}
	for _, w := range wishes {
		switch {
		case w.Obeys || hasShown(pods, w):
		case w.Narrow:
			claim(w.Port, PortClaim{Use: PortOneAddress, Origin: w.Origin, Fixed: w.Fixed})
		case !w.Waits:
			claim(w.Port, PortClaim{Use: PortUnused, Origin: w.Origin, Fixed: w.Fixed})
		default:
			claim(w.Port, PortClaim{Use: PortUnseen, Origin: w.Origin, Fixed: w.Fixed})
		}
	}
	return claims
}

// hasShown reports whether a Pod of the wish's origin has shown where it listens. What one of
// another version has shown does not count while the first one of this version is awaited.
func hasShown(pods []PodPorts, w PortWish) bool {
	return slices.ContainsFunc(pods, func(pod PodPorts) bool {
		return pod.Origin == w.Origin && (pod.Program == w.Program || !w.Waits) && (slices.Contains(pod.Private, w.Port) || pod.Bound[w.Port].IsValid())
	})
}

// BoundPorts are the declared ports that a Pod's programs themselves listen on, as the node has
// noted (probity.run/bound), and the addresses of their sockets.
func BoundPorts(pod *corev1.Pod) map[int32]netip.Addr {
	ports := map[int32]netip.Addr{}
	for pair := range strings.SplitSeq(pod.Annotations[manifest.AnnotationBound], ",") {
		number, address, _ := strings.Cut(pair, "=")
		port, err := strconv.ParseUint(number, 10, 16)
		to, err2 := netip.ParseAddr(address)
		if err == nil && err2 == nil {
			ports[int32(port)] = to
		}
	}
	return ports
}

// PrivatePorts are the declared ports of a Pod whose programs were seen to listen where PORT says,
// as the node has noted (probity.run/listening).
func PrivatePorts(pod *corev1.Pod) (ports []int32) {
	for number := range strings.SplitSeq(pod.Annotations[manifest.AnnotationListening], ",") {
		if port, err := strconv.ParseUint(number, 10, 16); err == nil {
			ports = append(ports, int32(port))
		}
	}
	return ports
}
