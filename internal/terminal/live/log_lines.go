package live

import (
	"strings"
	"time"
	"unsafe"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/diagnosis"
	"github.com/probity-run/probity/internal/facts"
	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/terminal/screen"
)

// kept is how many lines of the beginning, or of the end, are kept.
func kept(lines []screen.LogLine, ofEnd bool) int {
	n, bytes := 0, 0
	for n < min(len(lines), maxLines) {
		l := lines[n]
		if ofEnd {
			l = lines[len(lines)-1-n]
		}
		if bytes += memory(l); bytes > maxBytes {
			break
		}
		n++
	}
	return n
}

// memory is about how many bytes a line takes.
func memory(l screen.LogLine) int {
	bytes := int(unsafe.Sizeof(l))
	for _, s := range l.Text {
		bytes += int(unsafe.Sizeof(s)) + len(s.Text)
	}
	return bytes
}

func memoryOf(lines []screen.LogLine) int {
	bytes := 0
	for _, l := range lines {
		bytes += memory(l)
	}
	return bytes
}

// label is what stands before the lines of a container: of which Pod it is where there are several,
// and its name where its Pod has several.
func label(pod *corev1.Pod, from, container string) string {
	if len(lifecycle.Containers(&pod.Spec)) == 1 {
		return from
	}
	return strings.TrimSpace(from + " " + clean(container))
}

// line is a line that a program printed.
func (s *logSource) line(at time.Time, text []byte) screen.LogLine {
	return screen.LogLine{At: at, From: s.label, Text: logSpans(text), Source: s.number}
}

// line is an attempt as a line of a log.
func (a *attemptLine) line() screen.LogLine {
	l := screen.LogLine{At: a.at, Kind: screen.ProbePassed, From: a.from, Text: []screen.Span{{Text: clean(a.text), Role: screen.Muted}}}
	if a.failed {
		l.Kind, l.Text[0].Role = screen.ProbeFailed, screen.Bad
	}
	return l
}

// endRule is the rule after the last line of an instance.
func endRule(instances []history.Instance, id logID) screen.LogLine {
	at, text := time.Now(), "instance "+itoa(id.instance+1)+" of "+clean(id.name)+" ended"
	for _, in := range instances {
		if in.Container == id.name && in.Number == id.instance && !in.Ended.IsZero() {
			at = in.Ended
			text += " " + at.Local().Format("15:04:05") + ": " + facts.EndText(in)
		}
	}
	return screen.LogLine{At: at, Kind: screen.InstanceEnds, Text: []screen.Span{{Text: clean(text)}}}
}

// short is the random end of a Pod's name.
func short(name string) string { return clean(name[strings.LastIndexByte(name, '-')+1:]) }

func titleOf(pod *corev1.Pod, previous bool, pods int) string {
	if pods > 1 {
		return itoa(pods) + " Pods"
	}
	if len(pod.Status.ContainerStatuses) == 0 {
		return ""
	}
	if n := len(lifecycle.Containers(&pod.Spec)); n > 1 {
		return itoa(n) + " containers"
	}
	s := &pod.Status.ContainerStatuses[0]
	n := int(s.RestartCount) + 1
	switch {
	case previous:
		return "instance " + itoa(max(n-1, 1)) + ", before"
	case s.State.Running != nil:
		return "instance " + itoa(n) + ", running"
	}
	return "instance " + itoa(n) + ", ended"
}

func previousOf(pod *corev1.Pod) string {
	for _, s := range pod.Status.ContainerStatuses {
		if end := s.LastTerminationState.Terminated; end != nil {
			return diagnosis.EndText(end)
		}
	}
	return ""
}
