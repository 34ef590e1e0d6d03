package table

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func podColumns() []metav1.TableColumnDefinition {
	spec, status := corev1.PodSpec{}.SwaggerDoc(), corev1.PodStatus{}.SwaggerDoc()
	return []metav1.TableColumnDefinition{
		nameColumn(),
		textColumn("Ready", "The aggregate readiness state of this pod for accepting traffic."),
		textColumn("Status", "The aggregate status of the containers in this pod."),
		textColumn("Restarts", "The number of times the containers in this pod have been restarted and when the last container in this pod has restarted."),
		ageColumn(),
		wide(textColumn("IP", status["podIP"])),
		wide(textColumn("Node", spec["nodeName"])),
		wide(textColumn("Nominated Node", status["nominatedNodeName"])),
		wide(textColumn("Readiness Gates", spec["readinessGates"])),
	}
}

func podCells(pod *corev1.Pod, now time.Time) []any {
	s := summarize(pod)
	return []any{
		pod.Name, fraction(s.ready, s.total), s.status, s.restarts.text(now), age(pod.CreationTimestamp.Time, now),
		cmp.Or(podIP(pod), none), cmp.Or(pod.Spec.NodeName, none), cmp.Or(pod.Status.NominatedNodeName, none), readinessGates(pod),
	}
}

// podConditions mark the row of a Pod that has finished, so that kubectl can leave it out.
func podConditions(pod *corev1.Pod) []metav1.TableRowCondition {
	message := ""
	switch pod.Status.Phase {
	case corev1.PodSucceeded:
		message = "The pod has completed successfully."
	case corev1.PodFailed:
		message = "The pod failed."
	default:
		return nil
	}
	return []metav1.TableRowCondition{{
		Type: metav1.RowCompleted, Status: metav1.ConditionTrue, Reason: string(pod.Status.Phase), Message: message,
	}}
}

func podIP(pod *corev1.Pod) string {
	if pod.Status.PodIP == "" && len(pod.Status.PodIPs) > 0 {
		return pod.Status.PodIPs[0].IP
	}
	return pod.Status.PodIP
}

// readinessGates is how many of the conditions are true that have to be for the Pod to be ready.
func readinessGates(pod *corev1.Pod) string {
	gates := pod.Spec.ReadinessGates
	if len(gates) == 0 {
		return none
	}
	passed := 0
	for _, gate := range gates {
		if isTrue(pod, gate.ConditionType) {
			passed++
		}
	}
	return fraction(passed, len(gates))
}

// isTrue reports whether a condition of a Pod has the status True.
func isTrue(pod *corev1.Pod, condition corev1.PodConditionType) bool {
	i := slices.IndexFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool { return c.Type == condition })
	return i >= 0 && pod.Status.Conditions[i].Status == corev1.ConditionTrue
}

// restarts counts the restarts of some containers.
type restarts struct {
	count int
	last  time.Time // when the instance ended whose restart was the last
}

func (r *restarts) add(c *corev1.ContainerStatus) {
	r.count += int(c.RestartCount)
	if ended := c.LastTerminationState.Terminated; ended != nil && ended.FinishedAt.After(r.last) {
		r.last = ended.FinishedAt.Time
	}
}

func (r *restarts) text(now time.Time) string {
	if r.count == 0 || r.last.IsZero() {
		return strconv.Itoa(r.count)
	}
	return strconv.Itoa(r.count) + " (" + age(r.last, now) + " ago)"
}
