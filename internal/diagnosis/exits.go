package diagnosis

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// startError is the container that could not be started; nil if each could.
func (f *Facts) startError() *corev1.ContainerStatus {
	for _, s := range f.statuses() {
		if w := s.State.Waiting; w != nil {
			switch w.Reason {
			case "", "PodInitializing", "ContainerCreating", crashLoop, "RestartingAllContainers":
				continue
			}
			return &s
		}
	}
	return nil
}

// waitReason is what the status of a Pod or a container says that nothing runs yet.
func (f *Facts) waitReason() string {
	for _, s := range f.statuses() {
		if end := s.State.Terminated; end != nil && end.ExitCode != 0 {
			return s.Name + " ended with " + exitText(end)
		}
		if w := s.State.Waiting; w != nil && w.Message != "" {
			return w.Message
		}
	}
	return f.Pod.Status.Message
}

// cannotStart diagnoses a Pod whose container cannot be started.
func (f *Facts) cannotStart(d *Diagnosis, s *corev1.ContainerStatus) {
	w := s.State.Waiting
	d.State, d.Check = NotReady, "no start"
	d.Reason = w.Message
	if d.Reason == "" {
		d.Reason = w.Reason
	}
	d.Why = fmt.Sprintf("%s cannot be started: %s", s.Name, d.Reason)
	d.So = "It is tried again; nothing of the container runs."
	d.Next = f.startAdvice(s.Name, d.Reason)
}

// startAdvice is what to do about a program that cannot be started.
func (f *Facts) startAdvice(container, message string) string {
	_, path := f.containerOf(container)
	switch {
	case strings.Contains(message, "no such file"), strings.Contains(message, "not found"), strings.Contains(message, "permission denied"):
		return "correct command" + f.at(path+".command") + ", or name the program with --command " + container + "='./program'."
	case strings.Contains(message, "port"):
		return "end the process that has the port, or let the program read PORT."
	}
	return ""
}

// exitText is how an instance ended.
func exitText(end *corev1.ContainerStateTerminated) string {
	if end.Signal != 0 {
		return fmt.Sprintf("signal %d", end.Signal)
	}
	if end.Reason == "OOMKilled" {
		return fmt.Sprintf("exit %d (OOMKilled)", end.ExitCode)
	}
	return fmt.Sprintf("exit %d", end.ExitCode)
}

func (f *Facts) ranText(container string, end *corev1.ContainerStateTerminated) string {
	ran := f.Containers[container].Ran
	if ran == 0 {
		ran = end.FinishedAt.Sub(end.StartedAt.Time)
	}
	return span(ran.Round(100 * time.Millisecond))
}

var backOffTime = regexp.MustCompile(`back-off (\S+) restarting`)

// backOff diagnoses a Pod in the crash-loop back-off.
func (f *Facts) backOff(d *Diagnosis) {
	s := f.waitingFor(crashLoop)
	end, c := s.LastTerminationState.Terminated, f.Containers[s.Name]
	when := "starts again soon"
	after := ""
	if m := backOffTime.FindStringSubmatch(s.State.Waiting.Message); m != nil && end != nil {
		if delay, err := time.ParseDuration(m[1]); err == nil {
			left := end.FinishedAt.Add(delay).Sub(f.Now)
			d.Check = Clock(left)
			when = "starts again in " + d.Check
			after = "; after the next crash it waits " + span(min(2*delay, maxBackOff)) + "."
		}
	}
	if end == nil {
		d.Reason, d.Why, d.So = when, s.State.Waiting.Message, capital(when)+"."
		return
	}
	how := exitText(end) + " after " + f.ranText(s.Name, end)
	words := ""
	if strings.TrimSpace(c.LastWords) != "" {
		words = " · " + quoted(c.LastWords)
	}
	d.Reason, d.Cause = how+" · "+when+words, exitText(end)+c.LastWords
	d.Why = how
	if n := max(c.Crashes, int(s.RestartCount)); n > 1 {
		d.Why += ", " + times(n) + " in a row"
	}
	d.Why += ". " + lastWords(c.LastWords)
	d.So = capital(when) + after
	if after == "" {
		d.So += "."
	}
	d.Next = f.nextForExit(s.Name, end, true)
}

// maxBackOff is the kubelet's cap (R146); a smaller one may be set.
const maxBackOff = 5 * time.Minute

func lastWords(text string) string {
	if strings.TrimSpace(text) == "" {
		return "It printed nothing."
	}
	return "Last words: " + quoted(text)
}

func capital(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

// failure diagnoses a Pod that Failed for good.
func (f *Facts) failure(d *Diagnosis) {
	for _, s := range f.statuses() {
		end := s.State.Terminated
		if end == nil || end.ExitCode == 0 {
			continue
		}
		c := f.Containers[s.Name]
		d.Check = fmt.Sprintf("exit %d", end.ExitCode)
		d.Reason = exitText(end) + " after " + f.ranText(s.Name, end)
		d.Why = d.Reason + ". " + lastWords(c.LastWords)
		if strings.TrimSpace(c.LastWords) != "" {
			d.Reason += " · " + quoted(c.LastWords)
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
