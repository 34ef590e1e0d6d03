package render

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/simulate"
	"github.com/probity-run/probity/internal/simulate/script"
)

// line is a line of the timeline as a person reads it: an entry, or several attempts in a row that
// found the same.
type line struct {
	simulate.Entry
	times int
	every simulate.Offset
	run   int // of the last one
}

// probeKey is a probe of a container of a Pod.
type probeKey struct {
	pod, container string
	probe          lifecycle.ProbeType
}

// writeTimeline writes a timeline. What other lines say is left out: the Events of single probe
// failures and of ordinary starts.
func writeTimeline(out io.Writer, entries []simulate.Entry) {
	lines := condense(entries)
	if len(lines) > 0 {
		fmt.Fprintln(out)
	}
	width := 0
	for i := range lines {
		width = max(width, len(target(&lines[i].Entry)))
	}
	for i := range lines {
		fmt.Fprintf(out, "%11s  %-*s  %s\n", clock(lines[i].At), min(width, 40), target(&lines[i].Entry), lines[i].sentence())
	}
}

// condense puts attempts that found the same, and changed nothing, into one line.
func condense(entries []simulate.Entry) (lines []*line) {
	open := map[probeKey]*line{}
	for i := range entries {
		e := &entries[i]
		if e.Event != nil && slices.Contains([]string{"Unhealthy", "ProbeWarning", "Pulled", "Created", "Started"}, e.Event.Reason) {
			continue
		}
		next := &line{Entry: *e, times: 1}
		if e.Probe == nil {
			lines = append(lines, next)
			continue
		}
		next.times, next.every, next.run = e.Probe.Times, e.Probe.Every, e.Probe.Run
		key := probeKey{e.Pod, e.Container, e.Probe.Type}
		if before := open[key]; before != nil && before.merge(e) {
			continue
		}
		open[key] = next
		lines = append(lines, next)
	}
	return lines
}

// merge puts one more attempt into a line, if it belongs there, and reports whether it did.
func (l *line) merge(e *simulate.Entry) bool {
	a, b := l.Probe, e.Probe
	same := l.Instance == e.Instance && a.Outcome == b.Outcome && a.Output == b.Output && a.Result == b.Result
	if !same || b.Times > 1 || b.Outcome == "success" || b.Outcome == "cancelled" {
		return false
	}
	every := (e.At - l.At) / simulate.Offset(l.times)
	if l.times > 1 && every != l.every || every <= 0 {
		return false
	}
	l.times, l.every, l.run = l.times+1, every, b.Run
	return true
}

// target is which Pod and container an entry is about.
func target(e *simulate.Entry) string {
	if e.Container == "" {
		return e.Pod
	}
	if e.Instance == 0 {
		return e.Pod + "/" + e.Container
	}
	return fmt.Sprintf("%s/%s#%d", e.Pod, e.Container, e.Instance)
}

// sentence says what happened.
func (l *line) sentence() string {
	switch {
	case l.Kind == simulate.EntryState, l.Kind == simulate.EntryReady:
		return "is " + l.Text
	case l.Kind == simulate.EntryEvent:
		return "event " + l.Text
	case l.Probe == nil:
		return l.Text
	default:
		return l.attempts()
	}
}

// attempts says what probes found.
func (l *line) attempts() string {
	p := l.Probe
	text := fmt.Sprintf("%s probe %s", p.Type, map[string]string{
		"success": "succeeded", "failure": "failed", "warning": "succeeded with a warning", "error": "could not be evaluated", "cancelled": "cancelled",
	}[p.Outcome])
	if p.Took > 0 {
		text += fmt.Sprintf(" after %v", p.Took)
	}
	if p.Threshold > 1 && p.Run > 0 && (p.Outcome == "failure" || p.Result != "Success") {
		text += " (" + runs(p.Run, l.run, p.Threshold) + ")"
	}
	if l.times > 1 {
		last := time.Duration(l.At) + time.Duration(l.times-1)*time.Duration(l.every)
		text += fmt.Sprintf(", %d times until %s, every %v", l.times, clock(simulate.Offset(last)), l.every)
	}
	if p.Output != "" {
		text += ": " + strings.TrimSpace(p.Output)
	}
	return text
}

// runs writes the counter: 2/3, or 1/30 to 6/30.
func runs(first, last, threshold int) string {
	first, last = min(first, threshold), min(last, threshold)
	if first == last {
		return fmt.Sprintf("%d/%d", first, threshold)
	}
	return fmt.Sprintf("%d/%d to %d/%d", first, threshold, last, threshold)
}

// clock writes a time of the simulation as 1:02:03.456 or 3d 04:05:06.
func clock(at simulate.Offset) string {
	d := time.Duration(at).Round(time.Millisecond)
	days, rest := d/script.Day, d%script.Day
	h, m, s, ms := rest/time.Hour, rest/time.Minute%60, rest/time.Second%60, rest/time.Millisecond%1000
	text := fmt.Sprintf("%d:%02d.%03d", m, s, ms)
	if h > 0 || days > 0 {
		text = fmt.Sprintf("%d:%02d:%02d.%03d", h, m, s, ms)
	}
	if days > 0 {
		text = fmt.Sprintf("%dd %s", days, text)
	}
	return text
}
