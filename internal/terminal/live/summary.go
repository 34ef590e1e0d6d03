package live

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/diagnosis"
	"github.com/probity-run/probity/internal/facts"
	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/printable"
	"github.com/probity-run/probity/internal/terminal/screen"
)

// watchEnd notes when the Pods begin to be stopped; until then it counts what is to be said of them
// at the end. The caller holds the lock.
func (h *hub) watchEnd(now time.Time) {
	if h.stopping {
		return
	}
	if h.run.Stopping != nil && h.run.Stopping() {
		h.stopping, h.stopped = true, now
		return
	}
	h.podsAtStop, h.tallies = len(h.pods), h.tally()
}

// tally is what is said of a workload at the end.
type tally struct {
	name           string
	pods, restarts int
	last           string // why it was restarted last
	at             time.Time
}

// tally counts Pods and restarts by workload. The caller holds the lock.
func (h *hub) tally() []tally {
	byName := map[string]*tally{}
	for _, pod := range h.pods {
		name := pod.Name
		if w := h.workloadOf(pod); w.Name != "" {
			name = w.Name
		}
		t := byName[name]
		if t == nil {
			t = &tally{name: clean(name)}
			byName[name] = t
		}
		t.pods++
		for s := range lifecycle.Statuses(pod) {
			t.restarts += int(s.RestartCount)
			end := cmp.Or(s.State.Terminated, s.LastTerminationState.Terminated)
			if end != nil && s.RestartCount > 0 && end.FinishedAt.After(t.at) {
				t.at, t.last = end.FinishedAt.Time, h.lastEnd(pod, s.Name, end)
			}
		}
	}
	var all []tally
	for _, t := range byName {
		all = append(all, *t)
	}
	slices.SortFunc(all, func(a, b tally) int { return cmp.Or(cmp.Compare(b.restarts, a.restarts), cmp.Compare(a.name, b.name)) })
	return all
}

// lastEnd is how the last instance of a container ended, and what it printed last.
func (h *hub) lastEnd(pod *corev1.Pod, container string, end *corev1.ContainerStateTerminated) string {
	last, known := facts.LastEnd(h.run.History.Instances(pod.UID), container)
	if known == 0 || diagnosis.NeverRan(end) {
		return diagnosis.EndText(end)
	}
	text := facts.EndText(last)
	if words := facts.LastWords(last); words != "" {
		text += " “" + words + "”"
	}
	return clean(text)
}

// maxSummary is how many lines the summary has at most.
const maxSummary = 12

// summary is what stays on a terminal so many columns wide after the end.
func (h *hub) summary(now time.Time, width int, settings Settings) string {
	traffic := h.lost()
	h.mu.Lock()
	defer h.mu.Unlock()
	tallies := h.tallies
	if tallies == nil {
		tallies = h.tally()
	}
	pods := 0
	for _, t := range tallies {
		pods += t.pods
	}
	first := fmt.Sprintf("probity: stopped after %s, %d Pods", diagnosis.Age(now.Sub(h.started)), pods)
	if pods == 1 {
		first = strings.TrimSuffix(first, "s")
	}
	if !h.stopped.IsZero() {
		first += fmt.Sprintf(" in %.1f s", now.Sub(h.stopped).Seconds())
	}
	lines := []string{first + traffic}
	room := maxSummary - 3
	for i, t := range tallies {
		if i == room {
			lines = append(lines, fmt.Sprintf("  … and %d more", len(tallies)-room))
			break
		}
		lines = append(lines, t.text(width))
	}
	if h.refusedText != "" {
		lines = append(lines, "  not applied since "+h.refusedSince.Local().Format("15:04:05")+": "+h.refusedShort)
	}
	if h.run.LogDir != "" {
		lines = append(lines, "  logs: "+clean(h.run.LogDir))
	}
	text := strings.Join(lines, "\n") + "\n"
	if settings.ascii() {
		text = screen.ASCII(text)
	}
	return text
}

// text is the line of a workload in so many columns.
func (t *tally) text(width int) string {
	text := fmt.Sprintf("  %-14s %d Pod", t.name, t.pods)
	if t.pods != 1 {
		text += "s"
	}
	if t.restarts == 0 {
		return text
	}
	text += fmt.Sprintf("  %d restart", t.restarts)
	if t.restarts != 1 {
		text += "s"
	}
	if t.last != "" {
		text += ", last " + t.at.Local().Format("15:04:05") + " " + t.last
	}
	if printable.Width(text) > width {
		return printable.Fit(text, width-1) + "…"
	}
	return text
}

// lost is how many requests got no answer.
func (h *hub) lost() string {
	if h.run.Traffic == nil {
		return ""
	}
	var lost uint64
	for _, p := range h.run.Traffic().Ports {
		for _, e := range p.Endpoints {
			lost += e.Lost
		}
	}
	return fmt.Sprintf(", %d requests lost", lost)
}

// nameOf is the name of a Pod.
func (h *hub) nameOf(id string) (namespace, name string, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for uid, pod := range h.pods {
		if string(uid) == id {
			return pod.Namespace, pod.Name, true
		}
	}
	return "", "", false
}

// saveLog writes what is loaded of a log to a file in the working folder, and says where.
func saveLog(log *screen.Log) string {
	if len(log.Lines) == 0 {
		return "there is nothing to save"
	}
	file, err := os.CreateTemp(".", "probity-*.log")
	if err != nil {
		return clean(fmt.Sprintf("cannot save the log: %v", err))
	}
	var b strings.Builder
	for _, l := range log.Lines {
		b.WriteString(l.At.Format("2006-01-02T15:04:05.000 "))
		if l.From != "" {
			b.WriteString(l.From + " ")
		}
		for _, s := range l.Text {
			b.WriteString(s.Text)
		}
		b.WriteByte('\n')
	}
	_, err = file.WriteString(b.String())
	if err = errors.Join(err, file.Close()); err != nil {
		return clean(fmt.Sprintf("cannot save the log: %v", err))
	}
	return "saved to " + clean(file.Name())
}
