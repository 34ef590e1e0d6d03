package diagnosis

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/lifecycle"
)

// startError is the reason of the end of what could not be started.
const startError = "StartError"

// startError is the container that could not be started; nil if each could.
func (f *Facts) startError() *corev1.ContainerStatus {
	for s := range lifecycle.Statuses(f.Pod) {
		if w := s.State.Waiting; w != nil {
			switch w.Reason {
			case "", "PodInitializing", "ContainerCreating", crashLoop, "RestartingAllContainers":
				continue
			}
			return s
		}
	}
	return nil
}

// waitReason is what the status of a Pod or a container says that nothing runs yet.
func (f *Facts) waitReason() string {
	for s := range lifecycle.Statuses(f.Pod) {
		if end := s.State.Terminated; end != nil && end.ExitCode != 0 {
			return f.how(s.Name, end)
		}
		if w := s.State.Waiting; w != nil && w.Message != "" {
			return f.of(s.Name) + w.Message
		}
	}
	return f.Pod.Status.Message
}

// cannotStart diagnoses a Pod whose container cannot be started.
func (f *Facts) cannotStart(d *Diagnosis, s *corev1.ContainerStatus) {
	w := s.State.Waiting
	d.State, d.Check = NotReady, "no start"
	message := cmp.Or(w.Message, w.Reason)
	d.Reason, d.Why = f.of(s.Name)+notStarted(message), s.Name+" cannot be started: "+message
	d.So = "It is tried again; nothing of the container runs."
	d.Next = f.startAdvice(s.Name, w.Reason, w.Message)
}

// notStarted says why a program was not started, which the message may do itself.
func notStarted(message string) string {
	if strings.HasPrefix(message, "cannot ") {
		return shortened(message)
	}
	return "cannot be started: " + shortened(message)
}

// startAdvice is what to do about a program that cannot be started.
func (f *Facts) startAdvice(container, reason, message string) string {
	path := f.pathOf(container)
	switch {
	case reason == "CreateContainerConfigError":
		object, ok := strings.CutSuffix(message, " not found")
		if kind, name, quoted := strings.Cut(object, ` "`); ok && quoted {
			return fmt.Sprintf("add %s %s to the manifests, or correct the name by which %s asks for it.", kind, strings.TrimSuffix(name, `"`), container)
		}
	case strings.Contains(message, "no such file"), strings.Contains(message, "not found"), strings.Contains(message, "permission denied"):
		return f.correctCommand(container, path)
	case strings.Contains(message, "port"):
		return "end the process that has the port, or let the program read PORT."
	}
	return ""
}

func (f *Facts) correctCommand(container, path string) string {
	return fmt.Sprintf("correct command%s, or name the program with --command %s='./program'.", f.at(path+".command"), container)
}

// EndText is how an instance ended: "exit 7", "SIGKILL", "cannot be started: no such file".
func EndText(end *corev1.ContainerStateTerminated) string {
	text := fmt.Sprintf("exit %d", end.ExitCode)
	switch {
	case end.Reason == startError:
		return notStarted(end.Message)
	case end.Signal != 0:
		text = SignalName(unix.Signal(end.Signal))
	}
	if end.Reason != "" && end.Reason != "Error" && end.Reason != "Completed" {
		text += " (" + oneLine(end.Reason) + ")"
	}
	return text
}

// SignalName is how a signal is called: SIGKILL, or "signal 37" where this system has no name for
// it, as for the real-time signals.
func SignalName(sig unix.Signal) string {
	return cmp.Or(unix.SignalName(sig), fmt.Sprintf("signal %d", sig))
}

// NeverRan reports whether an end is that of what could not be started.
func NeverRan(end *corev1.ContainerStateTerminated) bool { return end.Reason == startError }

// how is how the instance of a container ended, and after what time; first why, if a probe killed
// it.
func (f *Facts) how(container string, end *corev1.ContainerStateTerminated) string {
	if NeverRan(end) {
		return f.of(container) + EndText(end)
	}
	text, dot := EndText(end)+" after "+f.ranText(container, end), f.Style.dot()
	if p := f.killer(container); p != nil {
		text = strings.ToLower(string(p.Type)) + ": " + f.failureOf(p).Reason(f.Style) + dot + f.asked(p, false) + dot + text
	}
	return f.of(container) + text
}

// killer is the probe because of which the last instance of a container was killed; nil if there is
// none.
func (f *Facts) killer(container string) *Probe {
	c := f.Containers[container]
	if c.KilledBy == "" {
		return nil
	}
	return &Probe{Container: container, Type: c.KilledBy, Output: c.KilledFor, Failed: true}
}

func (f *Facts) ranText(container string, end *corev1.ContainerStateTerminated) string {
	if c := f.Containers[container]; c.Ran > 0 || c.Crashes > 0 {
		return Duration(c.Ran)
	}
	return Span(end.FinishedAt.Sub(end.StartedAt.Time)) // in whole seconds
}

// BackOffDelay reads from the message of a container that waits in its back-off how long the whole
// wait is.
func BackOffDelay(message string) (time.Duration, bool) {
	rest, ok := strings.CutPrefix(message, "back-off ")
	text, _, _ := strings.Cut(rest, " ")
	delay, err := time.ParseDuration(text)
	return delay, ok && err == nil
}

// backOff diagnoses a Pod in the crash-loop back-off.
func (f *Facts) backOff(d *Diagnosis) {
	s := f.waitingFor(crashLoop)
	end, c, dot := s.LastTerminationState.Terminated, f.Containers[s.Name], f.Style.dot()
	when, after := "starts again soon", ""
	if delay, ok := BackOffDelay(s.State.Waiting.Message); ok && end != nil {
		d.Check = Clock(end.FinishedAt.Add(delay).Sub(f.Now))
		when = "starts again in " + d.Check
		after = "; after the next crash it waits " + Span(min(2*delay, maxBackOff))
	}
	d.So = capital(when) + after + "."
	if end == nil {
		d.Reason, d.Why = f.of(s.Name)+when, s.State.Waiting.Message
		return
	}
	how, words := f.how(s.Name, end), ""
	if strings.TrimSpace(c.LastWords) != "" && !NeverRan(end) && c.KilledBy == "" {
		words = dot + f.Style.quote(c.LastWords)
	}
	d.Reason, d.Cause = how+dot+when+words, f.of(s.Name)+EndText(end)+c.LastWords+string(c.KilledBy)
	d.Why = how
	if n := max(c.Crashes, int(s.RestartCount)); n > 1 {
		d.Why += ", " + times(n) + " in a row"
	}
	d.Why += "."
	if !NeverRan(end) {
		d.Why += " " + f.lastWords(c.LastWords)
	}
	d.Next = f.nextForExit(s.Name, end, true)
}

// maxBackOff is the kubelet's cap (R146); a smaller one may be set.
const maxBackOff = 5 * time.Minute

func (f *Facts) lastWords(text string) string {
	if strings.TrimSpace(text) == "" && f.Told {
		return "What it printed last is in its log."
	}
	if strings.TrimSpace(text) == "" {
		return "It printed nothing."
	}
	return "Last words: " + f.Style.quote(text)
}

func capital(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

// failure diagnoses a Pod that Failed for good.
func (f *Facts) failure(d *Diagnosis) {
	for s := range lifecycle.Statuses(f.Pod) {
		end := s.State.Terminated
		if end == nil || end.ExitCode == 0 {
			continue
		}
		c := f.Containers[s.Name]
		d.Check = fmt.Sprintf("exit %d", end.ExitCode)
		d.Reason = f.how(s.Name, end)
		d.Why = d.Reason + ". " + f.lastWords(c.LastWords)
		if strings.TrimSpace(c.LastWords) != "" {
			d.Reason += f.Style.dot() + f.Style.quote(c.LastWords)
		}
		d.So = fmt.Sprintf("It is not restarted: restartPolicy is %s.", f.Pod.Spec.RestartPolicy)
		d.Next = f.nextForExit(s.Name, end, false)
		return
	}
	d.Reason = f.Pod.Status.Message
	d.Why = capital(f.Pod.Status.Reason + " ")
	d.Why = strings.TrimSpace(d.Why + f.Pod.Status.Message)
	if d.Why == "" {
		d.Why = "The Pod failed."
	}
}
