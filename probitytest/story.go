package probitytest

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/store"
)

// story is how things are and what happened, for the log of a test that has failed.
func (s *System) story() string {
	var b strings.Builder
	b.WriteString("the Pods:\n")
	pods, _ := store.List[*corev1.Pod](s.system.Store(), store.Selector{})
	for _, pod := range pods {
		fmt.Fprintf(&b, "%s/%s: %s, restarts %d%s\n", pod.Namespace, pod.Name, pod.Status.Phase, restartsOf(pod), whyNotReady(pod))
	}
	b.WriteString("Events:\n")
	events, _ := store.List[*corev1.Event](s.system.Store(), store.Selector{})
	slices.SortStableFunc(events, func(a, b *corev1.Event) int { return store.LastSeen(a).Compare(store.LastSeen(b)) })
	for _, e := range events {
		fmt.Fprintf(&b, "%s %s %s/%s %s: %s (%d times)\n", store.LastSeen(e).Format("15:04:05.000"), e.Type, e.InvolvedObject.Kind, e.InvolvedObject.Name, e.Reason, e.Message, max(1, e.Count))
	}
	return b.String()
}

func whyNotReady(pod *corev1.Pod) string {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady && c.Status != corev1.ConditionTrue {
			return ", not Ready: " + c.Reason + " " + c.Message
		}
	}
	return ""
}
