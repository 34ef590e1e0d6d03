package live

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/probity-run/probity/internal/diagnosis"
	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/terminal/screen"
)

// maxEvents is how many Events the hub remembers.
const maxEvents = 500

// event is an Event, and what it says in few words as far as that is known: its Pod may be gone
// when it is shown.
type event struct {
	*corev1.Event
	short string
}

// event keeps an Event once, however often it has happened.
func (h *hub) event(change watch.EventType, e *corev1.Event) {
	h.merged = nil
	h.events = slices.DeleteFunc(h.events, func(other event) bool { return other.UID == e.UID })
	if change == watch.Deleted {
		return
	}
	h.events = append(h.events, event{e, h.shortOf(e)})
	if len(h.events) > maxEvents {
		h.events = slices.Clone(h.events[len(h.events)-maxEvents:])
	}
}

// allEvents are the Events, merged, oldest first. They stay as they are until there is another one.
func (h *hub) allEvents() []screen.Event {
	if h.merged == nil {
		h.merged = h.mergedEvents()
	}
	return h.merged
}

func (h *hub) mergedEvents() []screen.Event {
	events := make([]screen.Event, 0, len(h.events))
	for _, e := range h.events {
		at := e.EventTime.Time
		if e.LastTimestamp.After(at) {
			at = e.LastTimestamp.Time
		}
		events = append(events, screen.Event{
			At: at.Local(), Warning: e.Type == corev1.EventTypeWarning, Reason: clean(e.Reason), Count: int(e.Count),
			Object: clean(e.InvolvedObject.Name), Message: clean(e.Message), Short: e.short, Pod: string(e.InvolvedObject.UID),
		})
	}
	slices.SortStableFunc(events, func(a, b screen.Event) int { return a.At.Compare(b.At) })
	return merged(events)
}

// shortOf is what an Event of a failed attempt says in few words, "" for others: "timeout 1 s ·
// liveness GET /livez".
func (h *hub) shortOf(e *corev1.Event) string {
	pod := h.pods[e.InvolvedObject.UID]
	probe, output, ok := strings.Cut(e.Message, " probe failed: ")
	if e.Reason != "Unhealthy" || !ok || pod == nil {
		return ""
	}
	_, container, _ := strings.Cut(strings.TrimSuffix(e.InvolvedObject.FieldPath, "}"), "{")
	c, spec := lifecycle.ProbeOf(&pod.Spec, container, lifecycle.ProbeType(probe))
	if spec == nil {
		return ""
	}
	return fmt.Sprintf("%s · %s %s", diagnosis.FailureOf(output, spec).Reason(diagnosis.Style{}), strings.ToLower(probe), diagnosis.Asked(c, spec, false))
}

// merged folds equal Events: one line where the newest is, with how many there were.
func merged(events []screen.Event) []screen.Event {
	type same struct{ pod, reason, message string }
	last, counts := map[same]int{}, map[same]int{}
	for i, e := range events {
		k := same{e.Pod, e.Reason, e.Message}
		last[k] = i
		counts[k] += max(e.Count, 1)
	}
	all := make([]screen.Event, 0, len(last))
	for i, e := range events {
		if k := (same{e.Pod, e.Reason, e.Message}); last[k] == i {
			e.Count = counts[k]
			all = append(all, e)
		}
	}
	return all
}
