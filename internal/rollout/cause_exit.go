package rollout

import (
	"fmt"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/workload"
)

// How often a container has to end until that is no chance: by itself, and by a probe.
const (
	crashes = 3
	kills   = 2
)

// exits is a container whose instances end; nil if none did, or the one that runs does better.
func (s *scene) exits(p *corev1.Pod, st *corev1.ContainerStatus, spec *corev1.Container, init bool) *candidate {
	n, end := s.ended(p, st), st.State.Terminated
	if end == nil {
		end = st.LastTerminationState.Terminated
	}
	if n == 0 || end == nil || end.ExitCode == 0 && (init || p.Spec.RestartPolicy != corev1.RestartPolicyAlways && st.State.Terminated != nil) {
		return nil
	}
	ran := end.FinishedAt.Sub(end.StartedAt.Time)
	r := st.State.Running
	if r != nil && s.Now.Sub(r.StartedAt.Time) > 2*ran+10*time.Second {
		return nil
	}
	_, ready := workload.ReadySince(p)
	ready = ready || r != nil && st.Ready
	if t, kill := s.killer(p, st, spec, end); t == lifecycle.Liveness || t != "" && !ready {
		c := s.killed(p, st, spec, t, kill, n)
		if ready { // until it is asked again
			c.ripe, c.due = false, time.Time{}
		}
		return c
	}
	if ready {
		return nil
	}
	c := of(p, Crash, Doomed)
	c.Container, c.Count, c.Since = clean(st.Name), n, end.FinishedAt.Time
	c.Evidence = []Evidence{{From: "status", Reason: clean(end.Reason), Message: clean(end.Message), RestartCount: int(st.RestartCount)}}
	c.Text = fmt.Sprintf("container %s %s%s, %s", c.Container, endText(end), afterText(end, ran), times(n))
	c.Short = fmt.Sprintf("%s %s%s, %s", c.Container, endText(end), afterText(end, ran), times(n))
	c.Next = exitAdvice(p, spec, end)
	switch {
	case init:
		c.Kind = Init
		c.Text = fmt.Sprintf("init container %s %s, %s", c.Container, endText(end), times(n))
		if len(p.Spec.Containers) > 0 {
			c.Text += fmt.Sprintf("; %s was never started", clean(p.Spec.Containers[0].Name))
		}
		c.Short = strings.SplitN(c.Text, "; ", 2)[0]
	case s.EventsForbidden && isFromOutside(end) && (spec.LivenessProbe != nil || spec.StartupProbe != nil):
		c.Text = fmt.Sprintf("container %s is stopped from outside, %s; Events are forbidden, so which probe is not known", c.Container, times(n))
		c.Short, c.Next = c.Text, "may you read Events? kubectl auth can-i list events"
	}
	c.alike = endText(end)
	c.Logs = s.logs(p, st, true)
	s.judgeExits(c, p)
	return c
}

// judgeExits decides what it means that a container ends.
func (s *scene) judgeExits(c *candidate, p *corev1.Pod) {
	switch s.Workload.(type) {
	case *batchv1.Job: // it counts itself
		c.Degree = Suspect
		return
	case *corev1.Pod:
		if p.Status.Phase == corev1.PodFailed {
			c.Degree, c.ripe = Certain, true
			return
		}
	}
	forbidden := s.EventsForbidden
	s.EventsForbidden = false // restarts are counted by the status
	s.doom(c, crashes, 0)
	s.EventsForbidden = forbidden
}

// endText is how an instance ended: "exits with 3", "is killed: OOMKilled".
func endText(end *corev1.ContainerStateTerminated) string {
	switch {
	case end.Reason == "OOMKilled":
		return "is killed because its memory is full (OOMKilled)"
	case end.ExitCode > 128 && unix.SignalName(syscall.Signal(end.ExitCode-128)) != "":
		return fmt.Sprintf("exits with %d (%s)", end.ExitCode, unix.SignalName(syscall.Signal(end.ExitCode-128)))
	}
	return fmt.Sprintf("exits with %d", end.ExitCode)
}

// afterText is when after its start an instance ended, as far as seconds tell.
func afterText(end *corev1.ContainerStateTerminated, ran time.Duration) string {
	switch {
	case end.StartedAt.IsZero() || ran < 0:
		return ""
	case ran < time.Second:
		return ", less than 1 s after its start"
	}
	return ", " + span(ran) + " after its start"
}

func exitAdvice(p *corev1.Pod, spec *corev1.Container, end *corev1.ContainerStateTerminated) string {
	switch {
	case end.Reason == "OOMKilled":
		if limit, ok := spec.Resources.Limits[corev1.ResourceMemory]; ok {
			return clean(fmt.Sprintf("it may have %s (resources.limits.memory): give it more, or let it need less", limit.String()))
		}
		return "the memory of its node is full: give it requests.memory, or let it need less"
	case end.ExitCode == 0 && p.Spec.RestartPolicy == corev1.RestartPolicyAlways:
		return "the program ends without an error, and it has to run on; what is to end is a Job"
	case end.ExitCode == 126 || end.ExitCode == 127:
		return "the command is not there, or may not be executed: is it in the image?"
	}
	return "the program ends by itself; no probe is involved"
}

// isFromOutside reports whether an instance may have ended because it was told to: of a program
// that ends cleanly on SIGTERM the status says no more than "Completed".
func isFromOutside(end *corev1.ContainerStateTerminated) bool {
	return end.Reason != "OOMKilled" && (end.ExitCode == 0 || end.ExitCode == 137 || end.ExitCode == 143)
}

// killer is the probe because of which an instance ended, by the Events of its being killed; "" if
// it ended by itself.
func (s *scene) killer(p *corev1.Pod, st *corev1.ContainerStatus, spec *corev1.Container, end *corev1.ContainerStateTerminated) (t lifecycle.ProbeType, kill tally) {
	for _, kind := range []lifecycle.ProbeType{lifecycle.Startup, lifecycle.Liveness} {
		words := "failed " + strings.ToLower(string(kind)) + " probe"
		found := s.tally(p.UID, "Killing", func(e *corev1.Event, m string) bool { return about(e, st.Name) && strings.Contains(m, words) })
		if found.count > 0 && (kill.count == 0 || found.last.After(kill.last)) {
			t, kill = kind, found
		}
	}
	grace := int64(30)
	if g := p.Spec.TerminationGracePeriodSeconds; g != nil {
		grace = *g
	}
	if _, probe := lifecycle.ProbeOf(&p.Spec, spec.Name, t); probe != nil && probe.TerminationGracePeriodSeconds != nil {
		grace = *probe.TerminationGracePeriodSeconds
	}
	late := end.FinishedAt.Sub(kill.last)
	inTime := late >= -2*time.Second && late <= time.Duration(min(max(grace, 0), 1<<20)+5)*time.Second
	if kill.count == 0 || !inTime && !isFromOutside(end) {
		return "", tally{}
	}
	return t, kill
}

// logs are the last lines of the instance that ended last, or of the one that runs; what is not
// there yet is asked for. If they have none, they are those of the newest instance before that has.
func (s *scene) logs(p *corev1.Pod, st *corev1.ContainerStatus, ended bool) (all []Log) {
	instance := Instance{p.UID, st.Name, st.RestartCount}
	request := LogRequest{Instance: instance, Namespace: p.Namespace, Name: p.Name, Running: !ended}
	label := "running"
	if ended {
		label = "previous"
		if st.State.Running != nil {
			request.Number, request.Previous = st.RestartCount-1, true
		}
	}
	lines, known := s.Logs[request.Instance]
	if known {
		s.shown = append(s.shown, request)
	} else {
		s.requests = append(s.requests, request)
	}
	if len(lines) == 0 {
		label, lines = "previous", s.earlierLog(request.Instance)
	}
	if lines = lastLines(lines); len(lines) == 0 {
		return nil
	}
	return []Log{{Container: clean(st.Name), Instance: label, Lines: lines}}
}

// earlierLog are the last lines of the newest instance of a container that came before another one
// and printed something.
func (s *scene) earlierLog(before Instance) (lines []string) {
	newest := int32(-1)
	for i, l := range s.Logs {
		if i.Pod == before.Pod && i.Container == before.Container && i.Number < before.Number && i.Number > newest && len(l) > 0 {
			newest, lines = i.Number, l
		}
	}
	return lines
}

// maxLines is how many lines of a log are shown.
const maxLines = 10

func lastLines(lines []string) (last []string) {
	for _, line := range lines[max(len(lines)-maxLines, 0):] {
		last = append(last, strings.TrimRight(clean(line), " "))
	}
	return last
}

// IsLog reports whether what a server gave as a log is one. For some time after a restart it says
// with success that it cannot find the log of the instance before: then it is to be asked again.
func IsLog(text string) bool {
	return !strings.HasPrefix(text, "unable to retrieve container logs for ")
}
