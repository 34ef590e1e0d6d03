package rollout_test

import (
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/probity-run/probity/internal/rollout"
)

var begun = time.Date(2026, 11, 28, 23, 48, 0, 0, time.UTC)

// world is a cluster with one Deployment, d/web, in which a test moves what it likes. What the
// Deployment's controller counts is counted for it.
type world struct {
	now        time.Time
	facts      rollout.Facts
	memory     rollout.Memory
	deployment *appsv1.Deployment
	set        *appsv1.ReplicaSet
	exceeds    time.Duration // when the Deployment says that its deadline has passed; 0 means never
	steps      map[int][]func()
}

// app is a container with a readiness probe.
func app() corev1.Container {
	return corev1.Container{Name: "web", Image: "probity.test/web:1", Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}}, ReadinessProbe: get("/ready", 8080)}
}

func get(path string, port int) *corev1.Probe {
	return &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: path, Port: intstr.FromInt(port)}}, PeriodSeconds: 1, TimeoutSeconds: 1,
		SuccessThreshold: 1, FailureThreshold: 3}
}

// newWorld has a Deployment of one replica of these containers, applied at begun, and no Pod.
func newWorld(containers ...corev1.Container) *world {
	template := corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "web"}},
		Spec: corev1.PodSpec{RestartPolicy: corev1.RestartPolicyAlways, Containers: containers, TerminationGracePeriodSeconds: new(int64(1))}}
	w := &world{now: begun, steps: map[int][]func(){}}
	w.deployment = &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: "d", Name: "web", UID: "deployment", Generation: 1, Annotations: map[string]string{"deployment.kubernetes.io/revision": "7"}},
		Spec:       appsv1.DeploymentSpec{Replicas: new(int32(1)), Template: template, ProgressDeadlineSeconds: new(int32(600))},
		Status:     appsv1.DeploymentStatus{ObservedGeneration: 1},
	}
	w.set = w.replicaSet("web-new", 7)
	w.facts = rollout.Facts{Begun: begun, Workload: w.deployment, Generation: 1, ReplicaSets: []*appsv1.ReplicaSet{w.set}}
	return w
}

func (w *world) replicaSet(name string, revision int) *appsv1.ReplicaSet {
	set := &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Namespace: "d", Name: name, UID: types.UID(name), Labels: map[string]string{"pod-template-hash": name[len("web-"):]},
		Annotations: map[string]string{"deployment.kubernetes.io/revision": fmt.Sprint(revision)}, OwnerReferences: owner(w.deployment.UID)}}
	w.deployment.Spec.Template.DeepCopyInto(&set.Spec.Template)
	set.Spec.Template.Labels["pod-template-hash"] = set.Labels["pod-template-hash"]
	return set
}

func owner(uid types.UID) []metav1.OwnerReference {
	return []metav1.OwnerReference{{Kind: "Owner", Name: "owner", UID: uid, Controller: new(true)}}
}

// pod adds a Pod of the newest revision that waits for its containers to be made on a node.
func (w *world) pod(name string) *corev1.Pod {
	pod := w.podOf(w.set.UID, name)
	pod.Labels = map[string]string{"app": "web", "pod-template-hash": "new"}
	return pod
}

func (w *world) podOf(uid types.UID, name string) *corev1.Pod {
	at := metav1.NewTime(w.now)
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "d", Name: name, UID: types.UID(name), CreationTimestamp: at, OwnerReferences: owner(uid)},
		Spec: *w.deployment.Spec.Template.Spec.DeepCopy(), Status: corev1.PodStatus{Phase: corev1.PodPending, StartTime: &at}}
	pod.Spec.NodeName = "node-2"
	pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionFalse, LastTransitionTime: at}}
	for _, c := range pod.Spec.InitContainers {
		pod.Status.InitContainerStatuses = append(pod.Status.InitContainerStatuses, corev1.ContainerStatus{Name: c.Name, State: waiting("PodInitializing", "")})
	}
	for _, c := range pod.Spec.Containers {
		pod.Status.ContainerStatuses = append(pod.Status.ContainerStatuses, corev1.ContainerStatus{Name: c.Name, Started: new(false), State: waiting("ContainerCreating", "")})
	}
	w.facts.Pods = append(w.facts.Pods, pod)
	return pod
}

func waiting(reason, message string) corev1.ContainerState {
	return corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}
}

// wait sets why the first container of a Pod waits.
func wait(pod *corev1.Pod, reason, message string) {
	st := first(pod)
	st.State = waiting(reason, message)
}

// first is the status of the first container that starts.
func first(pod *corev1.Pod) *corev1.ContainerStatus {
	if len(pod.Status.InitContainerStatuses) > 0 {
		return &pod.Status.InitContainerStatuses[0]
	}
	return &pod.Status.ContainerStatuses[0]
}

// start lets the first container run; it has started if it has no startup probe.
func (w *world) start(pod *corev1.Pod) {
	st := first(pod)
	if end := st.State.Terminated; end != nil {
		st.LastTerminationState.Terminated = end
	}
	if st.LastTerminationState.Terminated != nil {
		st.RestartCount++
	}
	pod.Status.Phase = corev1.PodRunning
	st.State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(w.now)}}
	st.Started = new(pod.Spec.Containers[0].StartupProbe == nil)
}

// end lets the first container end, after the seconds that it ran, and wait in its back-off.
func (w *world) end(pod *corev1.Pod, code int32, ran int) {
	st := first(pod)
	reason := "Error"
	if code == 0 {
		reason = "Completed"
	}
	end := &corev1.ContainerStateTerminated{ExitCode: code, Reason: reason, FinishedAt: metav1.NewTime(w.now), StartedAt: metav1.NewTime(w.now.Add(-time.Duration(ran) * time.Second))}
	st.LastTerminationState.Terminated, st.Ready, st.Started = end, false, new(false)
	st.State = waiting("CrashLoopBackOff", "back-off 10s restarting failed container=web pod=web_d(1)")
	w.ready(pod, false)
}

// restart lets a container run anew that has ended.
func (w *world) restart(pod *corev1.Pod) {
	st := first(pod)
	st.RestartCount++
	st.State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(w.now)}}
	st.Started = new(pod.Spec.Containers[0].StartupProbe == nil)
}

// ready sets whether a Pod is ready.
func (w *world) ready(pod *corev1.Pod, ready bool) {
	c := &pod.Status.Conditions[0]
	status := corev1.ConditionFalse
	if ready {
		status = corev1.ConditionTrue
	}
	if c.Status != status {
		c.Status, c.LastTransitionTime = status, metav1.NewTime(w.now)
	}
	for i := range pod.Status.ContainerStatuses {
		pod.Status.ContainerStatuses[i].Ready = ready
	}
}

// condition sets another condition of a Pod.
func (w *world) condition(pod *corev1.Pod, t corev1.PodConditionType, status corev1.ConditionStatus, reason, message string) {
	c := corev1.PodCondition{Type: t, Status: status, Reason: reason, Message: message, LastTransitionTime: metav1.NewTime(w.now)}
	i := slices.IndexFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool { return c.Type == t })
	if i < 0 {
		pod.Status.Conditions = append(pod.Status.Conditions, c)
		return
	}
	pod.Status.Conditions[i] = c
}

// event counts an Event once more.
func (w *world) event(uid types.UID, container, reason, message string) *corev1.Event {
	at := metav1.NewTime(w.now)
	for _, e := range w.facts.Events {
		if e.InvolvedObject.UID == uid && e.Reason == reason && e.Message == message {
			e.Count, e.LastTimestamp = e.Count+1, at
			return e
		}
	}
	e := &corev1.Event{ObjectMeta: metav1.ObjectMeta{Namespace: "d", Name: fmt.Sprint(uid, len(w.facts.Events)), UID: types.UID(fmt.Sprint("event", len(w.facts.Events)))},
		InvolvedObject: corev1.ObjectReference{UID: uid}, Reason: reason, Message: message, Count: 1, FirstTimestamp: at, LastTimestamp: at}
	if container != "" {
		e.InvolvedObject.FieldPath = "spec.containers{" + container + "}"
	}
	w.facts.Events = append(w.facts.Events, e)
	return e
}

// at has something done at a second.
func (w *world) at(second int, do func()) { w.steps[second] = append(w.steps[second], do) }

// every has something done each so many seconds, from one to another, both included.
func (w *world) every(period, from, to int, do func()) {
	for s := from; s <= to; s += period {
		w.at(s, do)
	}
}

// play lets seconds pass until there is a verdict, and says when that was; -1 if there was none.
func (w *world) play(until int) (second int, r rollout.Result) {
	for second := range until + 1 {
		w.now = begun.Add(time.Duration(second) * time.Second)
		for _, do := range w.steps[second] {
			do()
		}
		if r = w.explain(); r.Verdict != nil {
			return second, r
		}
	}
	return -1, r
}

func (w *world) explain() (r rollout.Result) {
	w.facts.Now = w.now
	w.count()
	r, w.memory = rollout.Explain(w.facts, w.memory)
	return r
}

// count is the part of the Deployment's controller.
func (w *world) count() {
	status := &w.deployment.Status
	status.Replicas, status.UpdatedReplicas, status.AvailableReplicas = 0, 0, 0
	for _, p := range w.facts.Pods {
		if p.DeletionTimestamp != nil || p.Status.Phase == corev1.PodFailed {
			continue
		}
		status.Replicas++
		if p.OwnerReferences[0].UID == w.set.UID {
			status.UpdatedReplicas++
		}
		if p.Status.Conditions[0].Status == corev1.ConditionTrue {
			status.AvailableReplicas++
		}
	}
	if w.exceeds > 0 && w.now.Sub(begun) >= w.exceeds && len(status.Conditions) == 0 {
		status.Conditions = []appsv1.DeploymentCondition{{Type: appsv1.DeploymentProgressing, Status: corev1.ConditionFalse, Reason: "ProgressDeadlineExceeded",
			LastUpdateTime: metav1.NewTime(w.now), Message: `ReplicaSet "web-new" has timed out progressing.`}}
	}
}
