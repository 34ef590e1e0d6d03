package node

import (
	"log/slog"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/store"
)

// podObject writes a Pod's object in the store: its status, the annotations about its processes,
// its Events. Somebody else may remove the object at any time; then there is nothing to write to.
type podObject struct {
	store *store.Store
	pod   *corev1.Pod // as it was created
	log   *slog.Logger
	stale bool // the object has to be written
}

// write brings the object up to date.
func (o *podObject) write(status corev1.PodStatus, annotations map[string]string) {
	o.stale = false
	_, err := store.Modify(o.store, o.pod.Namespace, o.pod.Name, func(pod *corev1.Pod) error {
		if pod.UID != o.pod.UID {
			return apierrors.NewNotFound(corev1.Resource("pods"), pod.Name)
		}
		status.QOSClass = pod.Status.QOSClass
		pod.Status = status
		annotate(pod, annotations)
		return nil
	})
	if err != nil && !apierrors.IsNotFound(err) {
		o.log.Error("Cannot write the Pod's status", "error", err)
	}
}

// record adds an Event of the kubelet's about the Pod. fieldPath is a container's, or "".
func (o *podObject) record(fieldPath, eventType, reason, message string) {
	o.recordBy("kubelet", fieldPath, eventType, reason, message)
}

// explain adds an Event about the Pod that no kubelet would record.
func (o *podObject) explain(fieldPath, eventType, reason, message string) {
	o.recordBy("probity", fieldPath, eventType, reason, message)
}

func (o *podObject) recordBy(component, fieldPath, eventType, reason, message string) {
	o.store.Record(store.Occurrence{
		About: corev1.ObjectReference{
			APIVersion: "v1", Kind: "Pod", Namespace: o.pod.Namespace, Name: o.pod.Name, UID: o.pod.UID,
			ResourceVersion: o.pod.ResourceVersion, FieldPath: fieldPath,
		},
		Type: eventType, Reason: reason, Message: message, Component: component, Host: o.pod.Spec.NodeName,
	})
}

// remove takes the object out of the store, if that was not done yet.
func (o *podObject) remove() {
	err := store.Delete[*corev1.Pod](o.store, o.pod.Namespace, o.pod.Name, store.DeleteOptions{Grace: new(int64(0)), UID: o.pod.UID})
	// a conflict means that another Pod has the name by now
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		o.log.Error("Cannot remove the Pod's object", "error", err)
	}
}

// stops tell which containers are being stopped, and when SIGKILL follows; see [lifecycle.Pod].
type stops interface {
	Stopping(container string) bool
	KillAt(container string) time.Time
}

// processAnnotations are the annotations that show a Pod's processes and private ports.
func processAnnotations(spec *corev1.PodSpec, pids map[string]int, state stops, ports *portMap) map[string]string {
	annotations := map[string]string{}
	for _, c := range lifecycle.Containers(spec) {
		if pid, ok := pids[c.Name]; ok {
			annotations[AnnotationPID+c.Name] = strconv.Itoa(pid)
			if state.Stopping(c.Name) {
				annotations[AnnotationStopping+c.Name] = "true"
			}
			if at := state.KillAt(c.Name); !at.IsZero() {
				annotations[AnnotationKillAt+c.Name] = at.Format(time.RFC3339Nano)
			}
		}
		if ports != nil && len(c.Ports) > 0 {
			annotations[manifest.AnnotationPrivatePorts+c.Name] = ports.annotation(c)
		}
	}
	if ports != nil && len(ports.confirmed) > 0 {
		annotations[manifest.AnnotationListening] = ports.listening()
	}
	if ports != nil && len(ports.bound) > 0 {
		annotations[manifest.AnnotationBound] = ports.boundTo()
	}
	return annotations
}

// annotate sets annotations of a Pod, and deletes those that are not true any more.
func annotate(pod *corev1.Pod, annotations map[string]string) {
	delete(pod.Annotations, manifest.AnnotationListening)
	delete(pod.Annotations, manifest.AnnotationBound)
	for _, c := range lifecycle.Containers(&pod.Spec) {
		delete(pod.Annotations, AnnotationPID+c.Name)
		delete(pod.Annotations, AnnotationStopping+c.Name)
		delete(pod.Annotations, AnnotationKillAt+c.Name)
	}
	for name, value := range annotations {
		if pod.Annotations == nil {
			pod.Annotations = map[string]string{}
		}
		pod.Annotations[name] = value
	}
}

// fieldPath names a container as Events do (R46).
func fieldPath(spec *corev1.PodSpec, container string) string {
	for _, c := range spec.Containers {
		if c.Name == container {
			return "spec.containers{" + container + "}"
		}
	}
	return "spec.initContainers{" + container + "}"
}

// containerNamed finds a container's spec; the core names only those that exist.
func containerNamed(spec *corev1.PodSpec, name string) *corev1.Container {
	for _, c := range lifecycle.Containers(spec) {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// isReady reports whether a Pod is Ready by its status.
func isReady(status *corev1.PodStatus) bool {
	for _, c := range status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}
