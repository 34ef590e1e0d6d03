package node

import (
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/diagnosis"
	"github.com/probity-run/probity/internal/manifest"
)

// Annotated is what the annotations of a Pod tell of a container, as the node writes them: process,
// ports, whether it is being stopped, and when SIGKILL follows.
func Annotated(pod *corev1.Pod, c *corev1.Container) diagnosis.Container {
	out := diagnosis.Container{Ports: portsOf(pod, c), Stopping: pod.Annotations[AnnotationStopping+c.Name] != ""}
	out.PID, _ = strconv.Atoi(pod.Annotations[AnnotationPID+c.Name])                       // 0 if there is none
	out.KillAt, _ = time.Parse(time.RFC3339Nano, pod.Annotations[AnnotationKillAt+c.Name]) // zero if it is not known
	return out
}

// portsOf are the ports of a container, as they are declared and where they are here.
func portsOf(pod *corev1.Pod, c *corev1.Container) []diagnosis.Port {
	private := map[int]int{}
	for pair := range strings.SplitSeq(pod.Annotations[manifest.AnnotationPrivatePorts+c.Name], ",") {
		declared, actual, _ := strings.Cut(pair, ":")
		from, err := strconv.Atoi(declared)
		to, err2 := strconv.Atoi(actual)
		if err == nil && err2 == nil {
			private[from] = to
		}
	}
	var ports []diagnosis.Port
	for _, p := range c.Ports {
		port := diagnosis.Port{Name: p.Name, Declared: int(p.ContainerPort), Actual: int(p.ContainerPort)}
		if actual, ok := private[port.Declared]; ok {
			port.Actual = actual
		}
		ports = append(ports, port)
	}
	return ports
}
