// Package facts gathers what a diagnosis knows of a container, from the Pod's object and its past,
// for whatever shows it to people.
package facts

import (
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/diagnosis"
	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/node"
)

// Container is what is known of a container beside its status, but for where it listens.
func Container(pod *corev1.Pod, c *corev1.Container, past history.Reader) diagnosis.Container {
	out := diagnosis.Container{Ports: Ports(pod, c), Stopping: pod.Annotations[node.AnnotationStopping+c.Name] != ""}
	out.PID, _ = strconv.Atoi(pod.Annotations[node.AnnotationPID+c.Name])                       // 0 if there is none
	out.KillAt, _ = time.Parse(time.RFC3339Nano, pod.Annotations[node.AnnotationKillAt+c.Name]) // zero if it is not known
	last, alike := LastEnd(past.Instances(pod.UID), c.Name)
	out.Ran, out.Killed, out.LastWords, out.Crashes = last.Ended.Sub(last.Started), last.Cause != "", LastWords(last), alike
	if last.Probe == "" {
		return out
	}
	out.KilledBy = lifecycle.ProbeType(last.Probe)
	for _, p := range past.Probes(pod.UID) {
		if p.Key == (history.Key{Container: c.Name, Type: last.Probe}) && p.Latest.Instance == last.Number {
			out.KilledFor = p.Latest.Message
		}
	}
	return out
}

// LastEnd is the instance of a container that ended last, and how many have ended in a row in the
// same way; 0 if none did.
func LastEnd(instances []history.Instance, container string) (last history.Instance, alike int) {
	for _, in := range slices.Backward(instances) {
		switch {
		case in.Container != container || in.Ended.IsZero():
			continue
		case alike == 0:
			last = in
		case in.ExitCode != last.ExitCode || (in.Cause != "") != (last.Cause != ""):
			return last, alike
		}
		alike++
	}
	return last, alike
}

// LastWords is the last line that an instance printed before its end; "" if there is none.
func LastWords(in history.Instance) string {
	if len(in.LastLines) == 0 {
		return ""
	}
	return in.LastLines[len(in.LastLines)-1]
}

// EndText is how an instance ended: "exit 7", "liveness failed, SIGKILL".
func EndText(in history.Instance) string {
	text := diagnosis.EndText(&corev1.ContainerStateTerminated{ExitCode: int32(in.ExitCode), Signal: int32(in.Signal)})
	if in.Probe != "" {
		text = strings.ToLower(in.Probe) + " failed, " + text
	}
	return text
}

// Ports are the ports of a container, as they are declared and where they are here.
func Ports(pod *corev1.Pod, c *corev1.Container) []diagnosis.Port {
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
