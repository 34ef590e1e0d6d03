package table

import (
	"cmp"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// eventColumns are the columns of Events of both groups: kube-apiserver sends core/v1's for
// events.k8s.io/v1, too.
func eventColumns() []metav1.TableColumnDefinition {
	event := corev1.Event{}.SwaggerDoc()
	return []metav1.TableColumnDefinition{
		textColumn("Last Seen", event["lastTimestamp"]),
		textColumn("Type", event["type"]),
		textColumn("Reason", event["reason"]),
		textColumn("Object", event["involvedObject"]),
		wide(textColumn("Subobject", corev1.ObjectReference{}.SwaggerDoc()["fieldPath"])),
		wide(textColumn("Source", event["source"])),
		textColumn("Message", event["message"]),
		wide(textColumn("First Seen", event["firstTimestamp"])),
		wide(textColumn("Count", event["count"])),
		wide(nameColumn()),
	}
}

func eventCells(e *corev1.Event, now time.Time) []any {
	first, last, count := occurrences(e)
	object := strings.ToLower(e.InvolvedObject.Kind)
	if e.InvolvedObject.Name != "" {
		object += "/" + e.InvolvedObject.Name
	}
	source := cmp.Or(e.Source.Component, e.ReportingController)
	if instance := cmp.Or(e.Source.Host, e.ReportingInstance); instance != "" {
		source += ", " + instance
	}
	return []any{
		age(last, now), e.Type, e.Reason, object, e.InvolvedObject.FieldPath, source, strings.TrimSpace(e.Message),
		age(first, now), int64(count), e.Name,
	}
}

// occurrences returns when an Event was seen first and last, and how often. There are two ways to
// write that, and clients use both.
func occurrences(e *corev1.Event) (first, last time.Time, count int32) {
	first, last, count = e.FirstTimestamp.Time, e.LastTimestamp.Time, cmp.Or(e.Count, 1)
	if first.IsZero() {
		first = e.EventTime.Time
	}
	if last.IsZero() {
		last = first
	}
	if e.Series != nil {
		last, count = e.Series.LastObservedTime.Time, e.Series.Count
	}
	return first, last, count
}

// asCoreEvent is what is printed of an Event of events.k8s.io/v1, by the names of core/v1.
func asCoreEvent(e *eventsv1.Event) *corev1.Event {
	core := &corev1.Event{
		ObjectMeta: metav1.ObjectMeta{Name: e.Name}, InvolvedObject: e.Regarding, Type: e.Type, Reason: e.Reason, Message: e.Note,
		Source: e.DeprecatedSource, ReportingController: e.ReportingController, ReportingInstance: e.ReportingInstance,
		EventTime: e.EventTime, FirstTimestamp: e.DeprecatedFirstTimestamp, LastTimestamp: e.DeprecatedLastTimestamp, Count: e.DeprecatedCount,
	}
	if e.Series != nil {
		core.Series = &corev1.EventSeries{Count: e.Series.Count, LastObservedTime: e.Series.LastObservedTime}
	}
	return core
}
