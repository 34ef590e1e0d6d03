package system

import (
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/probity-run/probity/internal/diversion"
	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/registry"
	"github.com/probity-run/probity/internal/store"
)

// SetFault annotates a Pod with a fault, or with none if it is "", and returns when that has begun
// or ended: see [manifest.AnnotationFault]. The error is that of the registry, NotFound if another
// Pod has the name by now, or why the fault cannot begin.
func (s *System) SetFault(pod *corev1.Pod, fault string) error {
	written, err := s.registry.ModifyObject(pod, func(current store.Object) (store.Object, error) {
		if current.GetUID() != pod.UID {
			return nil, apierrors.NewNotFound(corev1.Resource("pods"), pod.Name)
		}
		next := current.DeepCopyObject().(*corev1.Pod)
		if delete(next.Annotations, manifest.AnnotationFault); fault != "" {
			if next.Annotations == nil {
				next.Annotations = map[string]string{}
			}
			next.Annotations[manifest.AnnotationFault] = fault
		}
		return next, nil
	}, registry.WriteOptions{})
	if err == nil {
		err = s.faults.follow(written.(*corev1.Pod))
	}
	if err != nil {
		return fmt.Errorf("cannot change the fault of pod %s: %w", pod.Name, err)
	}
	return nil
}

// faults lets the faults between Pods and who connects to them begin and end as the annotations of
// the Pods say. It is safe for concurrent use.
type faults struct {
	store      *store.Store
	log        *slog.Logger
	diversions diversion.Diversions

	mu sync.Mutex // held while what a Pod is to have is compared with what it has
}

// follow gives a Pod, which has changed, the fault that it is to have now.
func (f *faults) follow(pod *corev1.Pod) error {
	if before, _ := f.diversions.Of(pod.UID); before == (manifest.Fault{}) && manifest.FaultOf(pod) == before {
		return nil // as almost always
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	before, since := f.diversions.Of(pod.UID)
	// what the Pod says may be old: a fault that has begun since then must not end for a moment
	var want manifest.Fault
	current, err := store.Get[*corev1.Pod](f.store, pod.Namespace, pod.Name)
	there := err == nil && current.UID == pod.UID
	if there {
		want = manifest.FaultOf(current)
	}
	if want == before {
		return nil
	}
	if before != (manifest.Fault{}) {
		f.diversions.End(pod.UID)
		f.recordEnd(pod, before, since, there)
	}
	if want == (manifest.Fault{}) {
		return nil
	}
	if err := f.diversions.Begin(pod.UID, want, f.log); err != nil {
		f.record(pod, corev1.EventTypeWarning, "FaultFailed", fmt.Sprintf("%s: %v", want, err))
		return err
	}
	f.record(pod, corev1.EventTypeWarning, "FaultInjected", beginText(pod, want))
	return nil
}

// endGone ends the faults of Pods that are not there any more.
func (f *faults) endGone() {
	with := f.diversions.Pods() // first: a Pod that comes after this is none of them
	pods, _ := store.List[*corev1.Pod](f.store, store.Selector{})
	for _, uid := range with {
		if !slices.ContainsFunc(pods, func(p *corev1.Pod) bool { return p.UID == uid }) {
			f.diversions.End(uid)
		}
	}
}

// beginText says of a fault that has begun what it does.
func beginText(pod *corev1.Pod, fault manifest.Fault) string {
	var text string
	switch fault.Kind {
	case manifest.FaultSlow:
		text = fmt.Sprintf("answers come %v later, to HTTP and gRPC probes and through Services", fault.Delay)
	case manifest.FaultUnready:
		text = "readiness probes fail; requests and other probes pass"
	default:
		text = "new connections are refused, of probes and through Services"
	}
	if hasExecProbe(pod) {
		text += "; probes that run commands do not meet it"
	}
	return fmt.Sprintf("%s, until the annotation %s is removed: %s", fault, manifest.AnnotationFault, text)
}

func hasExecProbe(pod *corev1.Pod) bool {
	return slices.ContainsFunc(lifecycle.Containers(&pod.Spec), func(c *corev1.Container) bool {
		return slices.ContainsFunc([]*corev1.Probe{c.StartupProbe, c.ReadinessProbe, c.LivenessProbe}, func(p *corev1.Probe) bool { return p != nil && p.Exec != nil })
	})
}

func (f *faults) recordEnd(pod *corev1.Pod, fault manifest.Fault, since time.Time, there bool) {
	how := "ended"
	if !there {
		how = "ended with the Pod"
	}
	f.record(pod, corev1.EventTypeNormal, "FaultEnded", fmt.Sprintf("%s %s after %v", fault, how, time.Since(since).Round(100*time.Millisecond)))
}

func (f *faults) record(pod *corev1.Pod, eventType, reason, message string) {
	f.store.Record(store.Occurrence{
		About: corev1.ObjectReference{APIVersion: "v1", Kind: "Pod", Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID, ResourceVersion: pod.ResourceVersion},
		Type:  eventType, Reason: reason, Message: message, Component: "probity",
	})
}
