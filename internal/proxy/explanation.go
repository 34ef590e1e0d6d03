package proxy

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/store"
)

// maxCauses is how many Pods an answer names.
const maxCauses = 10

// explanation keeps for a moment why no endpoint is ready, because many clients ask at a time.
type explanation struct {
	mu     sync.Mutex // guards the rest
	made   time.Time
	causes []metav1.StatusCause
}

// explanationAge is how old an explanation may be.
const explanationAge = 200 * time.Millisecond

// causes are, for every Pod of the Service, why it gets no requests.
func (sp *servicePort) causes() []metav1.StatusCause {
	e := &sp.explanation
	e.mu.Lock()
	defer e.mu.Unlock()
	if now := time.Now(); e.made.IsZero() || now.Sub(e.made) > explanationAge {
		e.made, e.causes = now, explain(sp.proxy.opts.Store, sp.key)
	}
	return e.causes
}

// explain finds out why no endpoint of a Service port is ready.
func explain(s *store.Store, key portKey) []metav1.StatusCause {
	service, err := store.Get[*corev1.Service](s, key.service.Namespace, key.service.Name)
	if err != nil {
		return []metav1.StatusCause{{Type: "NoService", Message: "the Service is being deleted"}}
	}
	if len(service.Spec.Selector) == 0 {
		return []metav1.StatusCause{{Type: "NoSelector", Message: "the Service has no selector, so its EndpointSlices are made by somebody else"}}
	}
	selector := labels.SelectorFromSet(service.Spec.Selector)
	pods, _ := store.List[*corev1.Pod](s, store.Selector{Namespace: key.service.Namespace, Labels: selector})
	if len(pods) == 0 {
		return []metav1.StatusCause{{Type: "NoPods", Message: fmt.Sprintf("no Pod has the labels %s", selector)}}
	}
	var causes []metav1.StatusCause
	for _, pod := range pods[:min(len(pods), maxCauses)] {
		reason, message := whyNotReady(pod, lastProbeFailure(s, pod.UID))
		causes = append(causes, metav1.StatusCause{Type: metav1.CauseType(reason), Field: pod.Name, Message: message})
	}
	if more := len(pods) - maxCauses; more > 0 {
		causes = append(causes, metav1.StatusCause{Type: "More", Message: fmt.Sprintf("and %d more Pods", more)})
	}
	return causes
}

// lastProbeFailure is the message of the newest Event about a failed probe of a Pod, or "".
func lastProbeFailure(s *store.Store, pod types.UID) string {
	events, _ := store.List[*corev1.Event](s, store.Selector{
		Fields: fields.Set{"involvedObject.uid": string(pod), "reason": "Unhealthy"}.AsSelector(),
	})
	if len(events) == 0 {
		return ""
	}
	return slices.MaxFunc(events, func(a, b *corev1.Event) int { return store.LastSeen(a).Compare(store.LastSeen(b)) }).Message
}

// whyNotReady says in one line why a Pod gets no requests. unhealthy is the message of its last
// failed probe.
func whyNotReady(pod *corev1.Pod, unhealthy string) (reason, message string) {
	status := &pod.Status
	ready := conditionOf(pod, corev1.PodReady)
	switch {
	case pod.DeletionTimestamp != nil:
		return "Terminating", "is terminating"
	case status.Phase == corev1.PodSucceeded || status.Phase == corev1.PodFailed:
		return string(status.Phase), cmp.Or(status.Message, "has ended: its phase is "+string(status.Phase))
	case ready != nil && ready.Status == corev1.ConditionTrue:
		return "NoEndpoint", "is ready, but has no endpoint that takes requests: it is being restarted, refuses connections, or lacks the target port"
	}
	for _, c := range slices.Concat(status.InitContainerStatuses, status.ContainerStatuses) {
		if reason, message := whyNotRunning(&c); reason != "" {
			return reason, message
		}
	}
	for _, c := range status.ContainerStatuses {
		switch {
		case c.Ready:
		case c.Started != nil && !*c.Started:
			return "NotStarted", joinReason("container "+c.Name+" has not started up", unhealthy)
		default:
			return "NotReady", joinReason("container "+c.Name+" is not ready", unhealthy)
		}
	}
	if ready != nil {
		return cmp.Or(ready.Reason, "NotReady"), joinReason("is not ready", ready.Message)
	}
	return "Pending", "has not started yet"
}

// whyNotRunning says why a container does not run. Both are empty if it runs, or if it has ended
// with success.
func whyNotRunning(c *corev1.ContainerStatus) (reason, message string) {
	switch s := c.State; {
	case s.Waiting != nil:
		reason = cmp.Or(s.Waiting.Reason, "Waiting")
		message = joinReason("container "+c.Name+" is waiting ("+reason+")", s.Waiting.Message)
		if last := c.LastTerminationState.Terminated; last != nil {
			message += fmt.Sprintf("; it ended last with exit code %d", last.ExitCode)
		}
	case s.Terminated != nil && s.Terminated.ExitCode != 0:
		reason = cmp.Or(s.Terminated.Reason, "Terminated")
		message = fmt.Sprintf("container %s has ended with exit code %d", c.Name, s.Terminated.ExitCode)
	}
	return reason, message
}

func joinReason(what, why string) string {
	if why == "" {
		return what
	}
	return what + ": " + why
}

func conditionOf(pod *corev1.Pod, conditionType corev1.PodConditionType) *corev1.PodCondition {
	for i := range pod.Status.Conditions {
		if pod.Status.Conditions[i].Type == conditionType {
			return &pod.Status.Conditions[i]
		}
	}
	return nil
}
