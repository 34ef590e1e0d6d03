package controller

import (
	"fmt"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/printable"
)

// privatePorts are the ports of a Pod as the node noted them: where the program listens, by
// declared port. The containers of a Pod share one network. The error names pairs that cannot be
// read; the others are returned all the same.
func privatePorts(pod *corev1.Pod) (ports map[int32]int32, err error) {
	ports = map[int32]int32{}
	for name, value := range pod.Annotations {
		if !strings.HasPrefix(name, manifest.AnnotationPrivatePorts) {
			continue
		}
		for pair := range strings.SplitSeq(value, ",") {
			declared, private, pairErr := parsePair(pair)
			if pairErr != nil {
				err = fmt.Errorf("cannot read annotation %s: %w", name, pairErr)
				continue
			}
			ports[declared] = private
		}
	}
	return ports, err
}

// parsePair reads "8080:41013".
func parsePair(pair string) (declared, private int32, err error) {
	left, right, ok := strings.Cut(pair, ":")
	d, errLeft := strconv.ParseUint(left, 10, 16)
	p, errRight := strconv.ParseUint(right, 10, 16)
	if !ok || errLeft != nil || errRight != nil || d == 0 || p == 0 {
		return 0, 0, fmt.Errorf("%s is no pair of ports such as 8080:41013", printable.Quote(pair))
	}
	return int32(d), int32(p), nil
}

// foundFixedPort reports whether the node noted that a Pod's program listens on a port that it
// declares, be it that it asked for that or that it ignores PORT.
func (c *Controller) foundFixedPort(pod *corev1.Pod) bool {
	for declared, private := range c.portsOf(pod) {
		if declared == private {
			return true
		}
	}
	return false
}

// portsOf is privatePorts with its error logged: the annotation is the node's, and people who write
// it in a template get it overwritten.
func (c *Controller) portsOf(pod *corev1.Pod) map[int32]int32 {
	ports, err := privatePorts(pod)
	if err != nil {
		c.opts.Logger.Warn("Cannot read a Pod's private ports; those that it declares count", "namespace", pod.Namespace, "name", pod.Name, "error", err)
	}
	return ports
}
