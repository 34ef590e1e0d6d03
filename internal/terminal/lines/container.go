package lines

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/diagnosis"
	"github.com/probity-run/probity/internal/facts"
	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/printable"
)

// onContainer tells of the ends and starts that a status shows, in this order.
func (r *Reporter) onContainer(p *pod, status corev1.ContainerStatus, now time.Time) {
	c := p.container(status.Name)
	if end := endOf(status); end != nil && end.ContainerID != "" && end.ContainerID != c.ended {
		c.ended, c.ran = end.ContainerID, lived(end, c, now)
		r.onExit(p, status, end, now)
	}
	if status.State.Running != nil && status.ContainerID != c.started {
		c.started, c.began, c.backOff = status.ContainerID, now, ""
		c.restarts = int(status.RestartCount)
		clear(c.rows)
		p.began, p.readyOnce, p.waits = now, false, 0
		if !p.leaving() {
			r.say(now, Started, p.ref(), p.prefix(status.Name)+startText(p.object, status.Name))
		}
	}
}

// onBackOff tells how long a container waits for its next start.
func (r *Reporter) onBackOff(p *pod, status corev1.ContainerStatus, now time.Time) {
	c := p.container(status.Name)
	if waiting := status.State.Waiting; waiting != nil && waiting.Reason == "CrashLoopBackOff" && waiting.Message != c.backOff && !p.leaving() {
		c.backOff = waiting.Message
		if wait, ok := diagnosis.BackOffDelay(waiting.Message); ok {
			r.say(now, BackOff, p.ref(), fmt.Sprintf("%sstarts again in %s (%s start)", p.prefix(status.Name), seconds(wait), ordinal(int(status.RestartCount)+2)))
		}
	}
}

// endOf is the newest end of a container that its status knows.
func endOf(status corev1.ContainerStatus) *corev1.ContainerStateTerminated {
	if status.State.Terminated != nil {
		return status.State.Terminated
	}
	return status.LastTerminationState.Terminated
}

// onExit tells how an instance ended, unless its Pod says that itself: it is being deleted and did
// as it was told, or its only container has done its work.
func (r *Reporter) onExit(p *pod, status corev1.ContainerStatus, end *corev1.ContainerStateTerminated, now time.Time) {
	asTold := end.ExitCode == 0 || end.ExitCode == 128+int32(unix.SIGTERM)
	switch {
	case p.gone, p.deleting && asTold:
		return
	case end.ExitCode == 0 && isInit(p.object, status.Name) && !restartable(p.object, status.Name):
		r.say(now, Complete, p.ref(), fmt.Sprintf("%sexit 0 after %s", p.prefix(status.Name), diagnosis.Duration(p.container(status.Name).ran)))
		return
	case p.object.Status.Phase == corev1.PodSucceeded && len(p.object.Spec.Containers) == 1:
		return
	}
	text := p.prefix(status.Name) + r.endText(p, status, end)
	if p.object.Status.Phase == corev1.PodFailed {
		text += "; it is not started again"
	}
	r.say(now, Exited, p.ref(), text)
}

// endText says how an instance ended: exit 7 after 0.2 s: "FATAL cannot reach postgres".
func (r *Reporter) endText(p *pod, status corev1.ContainerStatus, end *corev1.ContainerStateTerminated) string {
	if diagnosis.NeverRan(end) {
		return diagnosis.EndText(end)
	}
	text := diagnosis.EndText(end) + " after " + diagnosis.Duration(p.container(status.Name).ran)
	if end.ExitCode != 0 {
		text += r.lastWords(p, status)
	}
	return text
}

// lastWords quotes what the instance printed last.
func (r *Reporter) lastWords(p *pod, status corev1.ContainerStatus) string {
	if r.opts.LastOutput == nil {
		return ""
	}
	words, err := r.lastOutput(p, status)
	switch {
	case err != nil:
		return "; " + printable.Line(err.Error())
	case strings.TrimSpace(words) == "":
		return "; it printed nothing"
	}
	return ": " + quoted(words)
}

// lastOutput is the last line of the instance that ended last.
func (r *Reporter) lastOutput(p *pod, status corev1.ContainerStatus) (string, error) {
	if r.opts.LastOutput == nil {
		return "", nil
	}
	restarts := int(status.RestartCount)
	if status.State.Running != nil { // it is about the instance before
		restarts--
	}
	return r.opts.LastOutput(p.object, status.Name, restarts)
}

// lived is how long an instance ran. Its status knows whole seconds only, the Reporter when it saw
// the changes.
func lived(end *corev1.ContainerStateTerminated, c *container, now time.Time) time.Duration {
	if end.ContainerID == c.started && !c.began.IsZero() {
		return now.Sub(c.began)
	}
	return end.FinishedAt.Sub(end.StartedAt.Time)
}

// startText is the process and the addresses of a container that runs.
func startText(pod *corev1.Pod, name string) string {
	var parts []string
	for _, c := range lifecycle.Containers(&pod.Spec) {
		if c.Name != name {
			continue
		}
		known := facts.Container(pod, c, history.Reader{})
		if known.PID != 0 {
			parts = append(parts, fmt.Sprintf("pid %d", known.PID))
		}
		for _, port := range known.Ports {
			if port.Actual != port.Declared {
				parts = append(parts, fmt.Sprintf("%s at %s:%d", strings.TrimSpace(printable.Line(port.Name)+" "+fmt.Sprint(port.Declared)), pod.Status.PodIP, port.Actual))
			}
		}
	}
	if len(parts) == 0 {
		return "it runs"
	}
	return strings.Join(parts, ", ")
}

func isInit(pod *corev1.Pod, name string) bool {
	return slices.ContainsFunc(pod.Spec.InitContainers, func(c corev1.Container) bool { return c.Name == name })
}

// restartable reports whether an init container is a sidecar.
func restartable(pod *corev1.Pod, name string) bool {
	return slices.ContainsFunc(pod.Spec.InitContainers, func(c corev1.Container) bool { return c.Name == name && c.RestartPolicy != nil })
}

// ordinal is 1st, 2nd, 3rd, 4th, 11th.
func ordinal(n int) string {
	suffix := "th"
	if n%100 < 11 || n%100 > 13 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return fmt.Sprintf("%d%s", n, suffix)
}
