// Package facts gathers what a diagnosis knows of a container, from the Pod's object and its past,
// for whatever shows it to people.
package facts

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/diagnosis"
	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/node"
)

// Container is what is known of a container beside its status, but for where it listens.
func Container(pod *corev1.Pod, c *corev1.Container, past history.Reader) diagnosis.Container {
	out := node.Annotated(pod, c)
	last, alike := LastEnd(past.Instances(pod.UID), c.Name)
	out.Ran, out.Killed, out.LastWords, out.Crashes = last.Ended.Sub(last.Started), last.Cause != "", LastWords(last), alike
	if last.Probe == "" {
		return out
	}
	out.KilledBy = lifecycle.ProbeType(last.Probe)
	for p := range past.Newest(pod.UID) {
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
