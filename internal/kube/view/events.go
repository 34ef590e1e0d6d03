package view

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/diagnosis"
	"github.com/probity-run/probity/internal/printable"
)

// occurrences are when an Event was seen first and last, and how often: there are two ways to write
// that, and clients use both.
func occurrences(e *corev1.Event) (first, last time.Time, count int32) {
	first, last, count = e.FirstTimestamp.Time, e.LastTimestamp.Time, cmp.Or(e.Count, 1)
	if first.IsZero() {
		first = e.EventTime.Time
	}
	if e.Series != nil {
		last, count = e.Series.LastObservedTime.Time, e.Series.Count
	}
	if last.IsZero() {
		last = first
	}
	return first, last, count
}

// Select are the Events that somebody wants, the newest last.
func Select(events []corev1.Event, wanted func(*corev1.Event) bool) (selected []*corev1.Event) {
	for i := range events {
		if wanted(&events[i]) {
			selected = append(selected, &events[i])
		}
	}
	slices.SortStableFunc(selected, func(a, b *corev1.Event) int {
		_, lastA, _ := occurrences(a)
		_, lastB, _ := occurrences(b)
		return lastA.Compare(lastB)
	})
	return selected
}

// Events lays Events out as kubectl events does, in a width that is not 0.
func Events(events []*corev1.Event, now time.Time, width int) string {
	var table EventTable
	return table.Rows(events, now, width)
}

// EventTable is a table of Events to which more are added as they come. The zero value has none. It
// belongs to one goroutine.
type EventTable struct {
	// Namespaces asks for a column with the namespaces of the objects.
	Namespaces bool

	columns Columns
	begun   bool // its columns have their names
}

// Rows lays more Events out, below those that were; the first call begins with the names of the
// columns.
func (t *EventTable) Rows(events []*corev1.Event, now time.Time, width int) string {
	var cells [][]string
	if !t.begun {
		cells, t.begun = append(cells, t.row("NAMESPACE", "LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE")), true
	}
	for _, e := range events {
		object := strings.ToLower(e.InvolvedObject.Kind) + "/" + e.InvolvedObject.Name
		if ns := e.InvolvedObject.Namespace; ns != corev1.NamespaceDefault && ns != "" && !t.Namespaces {
			object = ns + "/" + object
		}
		cells = append(cells, t.row(printable.Line(e.Namespace), seen(e, now), printable.Line(e.Type), printable.Line(e.Reason), printable.Line(object), oneLine(e.Message)))
	}
	return t.columns.Rows(cells, width)
}

// row is one of the table.
func (t *EventTable) row(namespace string, cells ...string) []string {
	if t.Namespaces {
		return append([]string{namespace}, cells...)
	}
	return cells
}

// seen is how long ago an Event was seen last, and how often within what time.
func seen(e *corev1.Event, now time.Time) string {
	first, last, count := occurrences(e)
	text := diagnosis.Age(now.Sub(last))
	if count > 1 {
		text += fmt.Sprintf(" (x%d over %s)", count, diagnosis.Age(now.Sub(first)))
	}
	return text
}

// oneLine is a text of others on one line.
func oneLine(text string) string { return printable.Line(strings.Join(strings.Fields(text), " ")) }
