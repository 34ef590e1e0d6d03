package node

import (
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/store"
)

// waitingPod is a Pod that has not begun, as others have to come first
// ([manifest.AnnotationAfter]).
type waitingPod struct {
	pod  *corev1.Pod
	said string // why it waits, as the last Event has it
}

// waitsLocked reports whether a new Pod has to wait for others, and says so. One that is to be
// deleted waits for nobody.
func (n *Node) waitsLocked(pod *corev1.Pod) bool {
	after := pod.Annotations[manifest.AnnotationAfter]
	if after == "" || pod.DeletionTimestamp != nil {
		delete(n.waiting, pod.UID)
		return false
	}
	why, vain := n.unmet(pod.Namespace, after)
	if why == "" {
		delete(n.waiting, pod.UID)
		return false
	}
	w := n.waiting[pod.UID]
	if w == nil {
		w = &waitingPod{}
		n.waiting[pod.UID] = w
	}
	w.pod = pod
	if w.said != why {
		w.said = why
		object := podObject{store: n.opts.Store, pod: pod, log: n.opts.Logger}
		if vain {
			object.explain("", corev1.EventTypeWarning, "WaitsInVain", why)
		} else {
			object.explain("", corev1.EventTypeNormal, "Waiting", why)
		}
	}
	return true
}

// startWaitingLocked starts the Pods that need not wait any more.
func (n *Node) startWaitingLocked() {
	for uid, w := range n.waiting {
		if !n.exists(w.pod) {
			delete(n.waiting, uid)
			continue
		}
		if !n.waitsLocked(w.pod) {
			n.beginLocked(w.pod)
		}
	}
}

// unmet says what is missing of what has to come first, or "". vain means that it will not come.
func (n *Node) unmet(namespace, annotation string) (why string, vain bool) {
	list, err := manifest.ParseAfter(annotation)
	if err != nil {
		return "", false // refused where it was written
	}
	var missing []string
	for _, after := range list {
		pods, exists := n.podsOf(namespace, after.Name)
		if !exists {
			continue // it is not part of the run
		}
		problem, hopeless := lacks(after, pods)
		vain = vain || hopeless
		if problem != "" {
			missing = append(missing, problem)
		}
	}
	if missing == nil {
		return "", false
	}
	return "Waits: " + strings.Join(missing, "; ") + " (" + manifest.AnnotationAfter + ")", vain
}

// lacks says what is missing of a workload, by its Pods, or "". vain means that it will not come.
func lacks(after manifest.After, pods []*corev1.Pod) (problem string, vain bool) {
	has := func(is func(*corev1.Pod) bool) bool { return slices.ContainsFunc(pods, is) }
	switch after.Condition {
	case manifest.Healthy:
		if has(func(pod *corev1.Pod) bool { return isReady(&pod.Status) }) {
			return "", false
		}
		return after.Name + " is not ready", has(ended)
	case manifest.Completed:
		switch {
		case has(func(pod *corev1.Pod) bool { return pod.Status.Phase == corev1.PodSucceeded }):
			return "", false
		case has(ended):
			return after.Name + " has failed", true
		}
		return after.Name + " has not completed", false
	}
	if has(hasStarted) {
		return "", false
	}
	return after.Name + " was not started", has(ended)
}

// ended reports whether a Pod has failed for good.
func ended(pod *corev1.Pod) bool { return pod.Status.Phase == corev1.PodFailed }

// hasStarted reports whether each container of a Pod was started, now or before.
func hasStarted(pod *corev1.Pod) bool {
	started := 0
	for _, c := range pod.Status.ContainerStatuses {
		if c.State.Running != nil || c.State.Terminated != nil || c.LastTerminationState.Terminated != nil {
			started++
		}
	}
	return started > 0 && started >= len(lifecycle.Containers(&pod.Spec))-len(pod.Spec.InitContainers)
}

// podsOf are the Pods of a workload, or the Pod of that name. exists is false if there is neither.
func (n *Node) podsOf(namespace, name string) (pods []*corev1.Pod, exists bool) {
	all, _ := store.List[*corev1.Pod](n.opts.Store, store.Selector{Namespace: namespace})
	for _, pod := range all {
		if n.workloadName(pod) == name {
			pods = append(pods, pod)
		}
	}
	if len(pods) > 0 {
		return pods, true
	}
	_, noDeployment := store.Get[*appsv1.Deployment](n.opts.Store, namespace, name)
	_, noStatefulSet := store.Get[*appsv1.StatefulSet](n.opts.Store, namespace, name)
	_, noReplicaSet := store.Get[*appsv1.ReplicaSet](n.opts.Store, namespace, name)
	return nil, noDeployment == nil || noStatefulSet == nil || noReplicaSet == nil
}

// workloadName is the name of what a person wrote to have a Pod.
func (n *Node) workloadName(pod *corev1.Pod) string {
	owner := metav1.GetControllerOfNoCopy(pod)
	if owner == nil {
		return pod.Name
	}
	if owner.Kind == "ReplicaSet" {
		if set, err := store.Get[*appsv1.ReplicaSet](n.opts.Store, pod.Namespace, owner.Name); err == nil {
			if above := metav1.GetControllerOfNoCopy(set); above != nil {
				return above.Name
			}
		}
	}
	return owner.Name
}
