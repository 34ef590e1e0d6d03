package node

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/store"
)

// storeObjects finds ConfigMaps and Secrets in the store.
type storeObjects struct{ store *store.Store }

// ConfigMap implements [Objects].
func (o storeObjects) ConfigMap(namespace, name string) (*corev1.ConfigMap, bool) {
	cm, err := store.Get[*corev1.ConfigMap](o.store, namespace, name)
	return cm, err == nil
}

// Secret implements [Objects].
func (o storeObjects) Secret(namespace, name string) (*corev1.Secret, bool) {
	secret, err := store.Get[*corev1.Secret](o.store, namespace, name)
	return secret, err == nil
}

// writeStatus brings the Pod's object up to date: its status, and the annotations about its
// processes.
func (r *runner) writeStatus(now time.Time) {
	r.statusDirty = false
	status := r.state.Status(now)
	_, err := store.Modify(r.node.opts.Store, r.pod.Namespace, r.pod.Name, func(pod *corev1.Pod) error {
		if pod.UID != r.pod.UID {
			return apierrors.NewNotFound(corev1.Resource("pods"), pod.Name)
		}
		status.QOSClass = pod.Status.QOSClass
		pod.Status = status
		r.annotate(pod)
		return nil
	})
	if err != nil {
		r.log.Error("Cannot write the Pod's status", "error", err)
	}
	r.admit(&status)
}

func (r *runner) annotate(pod *corev1.Pod) {
	if len(r.listening) > 0 {
		setAnnotation(pod, manifest.AnnotationListening, r.listeningAnnotation())
	} else {
		delete(pod.Annotations, manifest.AnnotationListening)
	}
	for _, c := range lifecycle.Containers(&pod.Spec) {
		delete(pod.Annotations, AnnotationPID+c.Name)
		if inst := r.instances[c.Name]; inst != nil {
			setAnnotation(pod, AnnotationPID+c.Name, formatPID(inst.process.PID()))
		}
		if r.ports != nil && len(c.Ports) > 0 {
			setAnnotation(pod, manifest.AnnotationPrivatePorts+c.Name, r.ports.annotation(c))
		}
	}
}

// listeningAnnotation is the value of [manifest.AnnotationListening].
func (r *runner) listeningAnnotation() string {
	var ports []string
	for _, declared := range slices.Sorted(maps.Keys(r.listening)) {
		ports = append(ports, strconv.Itoa(int(declared)))
	}
	return strings.Join(ports, ",")
}

func setAnnotation(pod *corev1.Pod, name, value string) {
	if pod.Annotations == nil {
		pod.Annotations = map[string]string{}
	}
	pod.Annotations[name] = value
}

// record adds a Kubernetes Event about the Pod.
func (r *runner) record(fieldPath, eventType, reason, message string) {
	r.node.opts.Store.Record(store.Occurrence{
		About: corev1.ObjectReference{
			APIVersion: "v1", Kind: "Pod", Namespace: r.pod.Namespace, Name: r.pod.Name, UID: r.pod.UID,
			ResourceVersion: r.pod.ResourceVersion, FieldPath: fieldPath,
		},
		Type: eventType, Reason: reason, Message: message, Component: "kubelet", Host: r.pod.Spec.NodeName,
	})
}

// reportPause is the shortest time between two writes of a Pod's report: people read it, and
// attempts are many.
const reportPause = time.Second

// storeReport puts the report of one probe beside those of the others. It is written at once, or
// when the pause since the last write is over.
func (r *runner) storeReport(record ProbeRecord) {
	i := slices.IndexFunc(r.report.Probes, func(p ProbeRecord) bool { return p.Container == record.Container && p.Type == record.Type })
	if i < 0 {
		r.report.Probes = append(r.report.Probes, record)
	} else {
		r.report.Probes[i] = record
	}
	if r.reportDue.IsZero() {
		r.reportDue = r.reported.Add(reportPause)
	}
	r.writeReportIfDue(time.Now())
	r.setTimer()
}

func (r *runner) writeReportIfDue(now time.Time) {
	if r.reportDue.IsZero() || r.reportDue.After(now) {
		return
	}
	r.reportDue, r.reported = time.Time{}, now
	if err := r.writeReportObject(); err != nil {
		r.log.Error("Cannot write the probe report", "error", err)
	}
}

func (r *runner) writeReportObject() error {
	_, err := store.Modify(r.node.opts.Store, r.pod.Namespace, r.pod.Name, func(report *ProbeReport) error {
		report.Probes = slices.Clone(r.report.Probes)
		return nil
	})
	if !apierrors.IsNotFound(err) {
		return err
	}
	r.report.ObjectMeta = metav1.ObjectMeta{Namespace: r.pod.Namespace, Name: r.pod.Name, OwnerReferences: []metav1.OwnerReference{{
		APIVersion: "v1", Kind: "Pod", Name: r.pod.Name, UID: r.pod.UID, Controller: new(true),
	}}}
	_, err = store.Create(r.node.opts.Store, &r.report)
	return err
}

// cleanUp takes the Pod's object out, gives its ports back and removes its volumes. Its logs stay.
func (r *runner) cleanUp() {
	err := store.Delete[*corev1.Pod](r.node.opts.Store, r.pod.Namespace, r.pod.Name, store.DeleteOptions{Grace: new(int64(0)), UID: r.pod.UID})
	if err != nil && !apierrors.IsNotFound(err) {
		r.log.Error("Cannot remove the Pod's object", "error", err)
	}
	r.releasePorts()
	r.removeVolumes()
}
