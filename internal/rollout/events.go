package rollout

import (
	"cmp"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/workload"
)

// tally is what Events say of one thing: how often at least, from when to when, and the words of
// the latest.
type tally struct {
	count       int
	first, last time.Time
	message     string
	reason      string
}

// evidence is a tally for machines.
func (t tally) evidence() Evidence {
	return Evidence{From: "event", Reason: t.reason, Count: t.count, Message: clean(t.message)}
}

// byObject are Events by the object that they are about.
func byObject(events []*corev1.Event) map[types.UID][]*corev1.Event {
	all := map[types.UID][]*corev1.Event{}
	for _, e := range events {
		if e != nil && e.InvolvedObject.UID != "" {
			all[e.InvolvedObject.UID] = append(all[e.InvolvedObject.UID], e)
		}
	}
	return all
}

// combined is what stands before the message of the tenth and later Events that are alike.
const combined = "(combined from similar events): "

// tally counts the Events of an object that are of a reason and that take takes.
func (s *scene) tally(uid types.UID, reason string, take func(e *corev1.Event, message string) bool) (t tally) {
	var latest *corev1.Event
	for _, e := range s.events[uid] {
		if e.Reason != reason {
			continue
		}
		message := strings.TrimPrefix(e.Message, combined)
		if take != nil && !take(e, message) {
			continue
		}
		first, last, count := timesOf(e)
		t.count, t.first = t.count+count, workload.Sooner(t.first, first)
		if latest == nil || cmp.Or(last.Compare(t.last), strings.Compare(message, t.message), strings.Compare(string(e.UID), string(latest.UID))) > 0 {
			latest, t.last, t.message, t.reason = e, last, message, reason
		}
	}
	return t
}

// timesOf is from when to when an Event was seen, and how often at least. What is made by the newer
// form of Events has a series, or neither count.
func timesOf(e *corev1.Event) (first, last time.Time, count int) {
	count = max(int(e.Count), 1)
	if e.Series != nil {
		count = max(count, int(e.Series.Count))
	}
	pick := func(times ...time.Time) time.Time {
		if i := slices.IndexFunc(times, func(t time.Time) bool { return !t.IsZero() }); i >= 0 {
			return times[i]
		}
		return time.Time{}
	}
	first = pick(e.FirstTimestamp.Time, e.EventTime.Time, e.CreationTimestamp.Time)
	last = pick(e.LastTimestamp.Time, e.EventTime.Time, first)
	if e.Series != nil {
		last = pick(e.Series.LastObservedTime.Time, last)
	}
	return first, last, min(count, maxCount)
}

// maxCount is the largest number of times that is believed.
const maxCount = 1 << 30

// about reports whether an Event is about a container of its Pod.
func about(e *corev1.Event, container string) bool {
	_, name, _ := strings.Cut(e.InvolvedObject.FieldPath, "{")
	return strings.TrimSuffix(name, "}") == container
}
