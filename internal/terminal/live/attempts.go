package live

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/terminal/screen"
)

// attemptLines are the attempts after an instant, for a log. The caller holds the lock.
func (h *hub) attemptLines(pod *corev1.Pod, since time.Time) []attemptLine {
	var lines []attemptLine
	for _, p := range h.pastOf(pod).probes {
		for _, a := range p.attempts {
			if a.At.After(since) {
				lines = append(lines, attemptLine{a.At, a.Text, a.Slot == screen.Failed || a.Slot == screen.TimedOut || a.Slot == screen.NotYet})
			}
		}
	}
	return lines
}

// attempts are the last attempts of all probes, newest first.
func (h *hub) attempts(pod *corev1.Pod) []screen.Attempt {
	var all []screen.Attempt
	for _, p := range h.pastOf(pod).probes {
		all = append(all, p.attempts...)
	}
	slices.SortFunc(all, func(a, b screen.Attempt) int { return b.At.Compare(a.At) })
	return all
}

func (h *hub) exchange(*corev1.Pod) (title string, lines []string) { return "", nil }

// history is what happened to a Pod, newest first.
func (h *hub) history(pod *corev1.Pod) []screen.Moment {
	moments := slices.Clone(h.pastOf(pod).moments)
	slices.Reverse(moments)
	return moments
}
