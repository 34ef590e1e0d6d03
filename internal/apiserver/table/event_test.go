package table

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/store"
)

func TestEvent(t *testing.T) {
	micro := func(d time.Duration) metav1.MicroTime { return metav1.NewMicroTime(now.Add(-d)) }
	pod := corev1.ObjectReference{Kind: "Pod", Name: "x", FieldPath: "spec.containers{web}"}
	tests := map[string]struct {
		event store.Object
		want  string
	}{
		"of Probity": {
			&corev1.Event{
				ObjectMeta: named("x.17"), InvolvedObject: pod, Type: "Warning", Reason: "Unhealthy", Message: "Liveness probe failed: \n",
				Source: corev1.EventSource{Component: "kubelet", Host: "probity"}, FirstTimestamp: ago(5 * time.Minute), LastTimestamp: ago(2 * time.Minute), Count: 3,
			},
			"2m|Warning|Unhealthy|pod/x|spec.containers{web}|kubelet, probity|Liveness probe failed:|5m|3|x.17",
		},
		"once, by the new way": {
			&corev1.Event{
				ObjectMeta: named("x.18"), InvolvedObject: corev1.ObjectReference{Kind: "Pod", Name: "x"}, Type: "Normal", Reason: "Pulled", Message: "Done",
				EventTime: micro(10 * time.Second), ReportingController: "manager", ReportingInstance: "manager-0",
			},
			"10s|Normal|Pulled|pod/x||manager, manager-0|Done|10s|1|x.18",
		},
		"a series": {
			&corev1.Event{
				ObjectMeta: named("x.19"), InvolvedObject: pod, Type: "Normal", Reason: "Synced", EventTime: micro(time.Hour), LastTimestamp: ago(50 * time.Minute), Count: 2,
				Series: &corev1.EventSeries{Count: 7, LastObservedTime: micro(time.Minute)}, Source: corev1.EventSource{Component: "manager"}, ReportingController: "unused",
			},
			"60s|Normal|Synced|pod/x|spec.containers{web}|manager||60m|7|x.19",
		},
		"without a time": {&corev1.Event{ObjectMeta: named("x.20"), InvolvedObject: corev1.ObjectReference{Kind: "Node"}}, "<unknown>|||node||||<unknown>|1|x.20"},
		"of a series whose last time nobody knows": {
			&corev1.Event{ObjectMeta: named("x.21"), EventTime: micro(time.Hour), Series: &corev1.EventSeries{Count: 2}}, "<unknown>|||||||60m|2|x.21",
		},
		"of events.k8s.io": {
			&eventsv1.Event{
				ObjectMeta: named("x.22"), Regarding: pod, Type: "Normal", Reason: "Scaled", Note: " to 3 ", EventTime: micro(time.Hour),
				ReportingController: "manager", ReportingInstance: "manager-0", Series: &eventsv1.EventSeries{Count: 7, LastObservedTime: micro(time.Minute)},
			},
			"60s|Normal|Scaled|pod/x|spec.containers{web}|manager, manager-0|to 3|60m|7|x.22",
		},
		"of events.k8s.io, written by the old way": {
			&eventsv1.Event{
				ObjectMeta: named("x.23"), Regarding: pod, Type: "Normal", Reason: "Scaled", DeprecatedSource: corev1.EventSource{Component: "old", Host: "here"},
				DeprecatedFirstTimestamp: ago(5 * time.Minute), DeprecatedLastTimestamp: ago(2 * time.Minute), DeprecatedCount: 3, ReportingController: "unused", ReportingInstance: "unused",
			},
			"2m|Normal|Scaled|pod/x|spec.containers{web}|old, here||5m|3|x.23",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, cellsOf(t, test.event)); diff != "" {
				t.Errorf("cells (-want +got):\n%s", diff)
			}
		})
	}
}
