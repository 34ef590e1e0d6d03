package terminal

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/node"
	"github.com/probity-run/probity/internal/printable"
	"github.com/probity-run/probity/internal/store"
)

// snapshot is what the live table shows.
type snapshot struct {
	pods     []*corev1.Pod
	reports  map[string]*node.ProbeReport // by the Pod's name
	services []*corev1.Service
	slices   []*discoveryv1.EndpointSlice
	events   []*corev1.Event // the one that occurred last comes last
	lines    []string        // output of containers and notes, oldest first
	now      time.Time
}

// Terminal colours.
const (
	plain  = "\x1b[0m"
	bold   = "\x1b[1m"
	dim    = "\x1b[2m"
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
)

// cell is a piece of text, on one line, and its colour.
type cell struct {
	text, color string
}

// render draws the snapshot into a window: the tables first, Events in what is left of the height,
// and, if there are any, other lines in the lower half of that. Lines are cut to the width.
func (p snapshot) render(width, height int) string {
	lines := append(p.table(width), p.serviceTable(width)...)
	if len(lines) > height {
		lines = lines[:height]
	}
	room := height - len(lines)
	if len(p.lines) > 0 {
		below := section("OUTPUT", p.lines, room/2, width)
		lines = append(lines, section("EVENTS", p.eventLines(width), room-len(below), width)...)
		return strings.Join(append(lines, below...), "\n")
	}
	return strings.Join(append(lines, section("EVENTS", p.eventLines(width), room, width)...), "\n")
}

// section is an empty line, a headline and the newest lines, in so many lines; nothing if there is
// no room.
func section(title string, lines []string, room, width int) []string {
	if room < 3 || len(lines) == 0 {
		return nil
	}
	shown := []string{"", bold + printable.Fit(title, width) + plain}
	for _, line := range lastOf(lines, room-2) {
		if !strings.HasPrefix(line, "\x1b") {
			line = printable.Fit(line, width)
		}
		shown = append(shown, line)
	}
	return shown
}

func (p snapshot) eventLines(width int) []string {
	lines := make([]string, 0, len(p.events))
	for _, e := range p.events {
		lines = append(lines, eventRows(e, width)...)
	}
	return lines
}

// table is a header, and a line per container with one per probe below it.
func (p snapshot) table(width int) []string {
	rows := [][]cell{header("POD", "READY", "STARTED", "RESTARTS", "STATE", "AGE", "PID")}
	probes := map[int][]string{}
	for _, pod := range p.pods {
		for _, s := range containerStatuses(pod) {
			rows = append(rows, p.row(pod, s))
			if s.State.Running != nil { // else they are about an instance that is gone
				probes[len(rows)-1] = p.probeLines(pod, s.Name, width)
			}
		}
	}
	widths := columnWidths(rows)
	var lines []string
	for i, row := range rows {
		lines = append(lines, joinCells(row, widths, width))
		lines = append(lines, probes[i]...)
	}
	return lines
}

func header(names ...string) []cell {
	cells := make([]cell, len(names))
	for i, name := range names {
		cells[i] = cell{name, bold}
	}
	return cells
}

func (p snapshot) row(pod *corev1.Pod, s corev1.ContainerStatus) []cell {
	name := pod.Name
	if len(pod.Spec.Containers)+len(pod.Spec.InitContainers) > 1 {
		name += "/" + s.Name
	}
	state, color := containerState(pod, s)
	return []cell{
		{name, ""},
		readiness(s),
		startedness(s),
		{fmt.Sprint(s.RestartCount), ""},
		{state, color},
		{age(p.now, s), ""},
		{printable.Line(pod.Annotations[node.AnnotationPID+s.Name]), dim},
	}
}

// readiness is empty for a plain init container, which is never ready for anything; the API calls
// it ready once it succeeded.
func readiness(s corev1.ContainerStatus) cell {
	if plainInit(s) {
		return cell{}
	}
	return yesNo(s.Ready)
}

func startedness(s corev1.ContainerStatus) cell {
	if plainInit(s) {
		return cell{}
	}
	return yesNo(*s.Started)
}

// plainInit reports whether this is an init container that is no sidecar: only those have no
// started in their status.
func plainInit(s corev1.ContainerStatus) bool { return s.Started == nil }

func yesNo(b bool) cell {
	if b {
		return cell{"yes", green}
	}
	return cell{"no", yellow}
}

// containerState is what kubectl's STATUS column says, for one container.
func containerState(pod *corev1.Pod, s corev1.ContainerStatus) (text, color string) {
	switch {
	case s.State.Running != nil && (pod.DeletionTimestamp != nil || pod.Annotations[node.AnnotationStopping+s.Name] != ""):
		return "Terminating", yellow
	case s.State.Running != nil:
		return "Running", green
	case s.State.Waiting != nil:
		return s.State.Waiting.Reason, yellow
	case s.State.Terminated != nil && s.State.Terminated.ExitCode == 0:
		return s.State.Terminated.Reason, ""
	case s.State.Terminated != nil:
		return fmt.Sprintf("%s (%d)", s.State.Terminated.Reason, s.State.Terminated.ExitCode), red
	}
	return "Unknown", yellow
}

func age(now time.Time, s corev1.ContainerStatus) string {
	if s.State.Running == nil {
		return ""
	}
	return shortDuration(now.Sub(s.State.Running.StartedAt.Time))
}

// shortDuration prints 42s, 5m10s, 3h04m.
func shortDuration(d time.Duration) string {
	d = max(d.Truncate(time.Second), 0)
	switch {
	case d < time.Minute:
		return d.String()
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	default:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	}
}

// probeLines says for each probe of a container what its last attempt found and how far its counter
// is.
func (p snapshot) probeLines(pod *corev1.Pod, container string, width int) []string {
	report := p.reports[pod.Name]
	if report == nil {
		return nil
	}
	var lines []string
	for _, t := range lifecycle.ProbeTypes() {
		i := slices.IndexFunc(report.Probes, func(r node.ProbeRecord) bool { return r.Container == container && r.Type == t })
		if i < 0 {
			continue
		}
		r := report.Probes[i]
		mark, color := probeMark(r)
		text := fmt.Sprintf("  %s %-9s %-7s %8s  %-4s  %s", mark, strings.ToLower(string(t)), r.Outcome,
			r.Latency.Round(10*time.Microsecond), counter(r), oneLine(r.Output))
		lines = append(lines, color+printable.Fit(text, width)+plain)
	}
	return lines
}

// counter is how many results in a row there are, of how many it takes; a probe that is over for
// this instance says so (R37, R38).
func counter(r node.ProbeRecord) string {
	if r.Hold {
		return "done"
	}
	return fmt.Sprintf("%d/%d", min(r.Run, r.Threshold), r.Threshold)
}

func probeMark(r node.ProbeRecord) (mark, color string) {
	switch r.Outcome {
	case "success":
		return "✓", dim
	case "warning":
		return "!", yellow
	case "error":
		return "?", yellow
	default:
		return "✗", red
	}
}

// eventRows is an Event. Of a Warning nothing is cut off, as its end often says what to do.
func eventRows(e *corev1.Event, width int) []string {
	if e.Type != corev1.EventTypeWarning {
		return []string{printable.Fit(eventText(e), width)}
	}
	lines := wrap(eventText(e), width)
	for i := range lines {
		lines[i] = yellow + lines[i] + plain
	}
	return lines
}

// eventText is the last occurrence of an Event on one line, with the number of all of them.
func eventText(e *corev1.Event) string {
	about := e.InvolvedObject.Name
	if _, rest, ok := strings.Cut(e.InvolvedObject.FieldPath, "{"); ok {
		about += "/" + strings.TrimSuffix(rest, "}")
	}
	times := ""
	if e.Count > 1 {
		times = fmt.Sprintf("x%d  ", e.Count)
	}
	return fmt.Sprintf("%s  %-7s  %-12s %s  %s%s", store.LastSeen(e).Format("15:04:05.000"), e.Type, e.Reason, printable.Line(about), times, oneLine(e.Message))
}

// oneLine is text from a service on one line.
func oneLine(text string) string {
	return printable.Line(strings.ReplaceAll(printable.Text(strings.TrimRight(text, "\r\n")), "\n", " "))
}

func containerStatuses(pod *corev1.Pod) []corev1.ContainerStatus {
	return slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses)
}

func columnWidths(rows [][]cell) []int {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, c := range row {
			widths[i] = max(widths[i], printable.Width(c.text))
		}
	}
	return widths
}

// joinCells lays a row out in columns and cuts it to the window.
func joinCells(row []cell, widths []int, width int) string {
	var line strings.Builder
	left := width
	for i, c := range row {
		text := printable.Fit(printable.Pad(c.text, widths[i]+2), left)
		left -= printable.Width(text)
		if c.color == "" {
			line.WriteString(text)
			continue
		}
		line.WriteString(c.color + text + plain)
	}
	return line.String()
}
