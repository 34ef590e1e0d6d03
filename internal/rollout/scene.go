package rollout

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/workload"
)

// revisionAnnotation is where a Deployment and its ReplicaSets have the number of their revision.
const revisionAnnotation = "deployment.kubernetes.io/revision"

// scene is what the facts are about, found once: which Pods count, and which do not.
type scene struct {
	Facts
	m    Memory // as it was
	next Memory // as it will be

	events   map[types.UID][]*corev1.Event // by what they are about
	template *corev1.PodTemplateSpec       // nil if the workload has none
	minReady int32
	set      *appsv1.ReplicaSet // the newest of a Deployment; nil if it is not there yet
	hash     string             // of the newest revision
	revision int64
	progress workload.Progress
	measured bool // progress is known
	observed bool // what the status says is about what was applied

	fresh []*corev1.Pod // of the newest revision, not deleted
	old   []*corev1.Pod // of others, not deleted
	ends  []*corev1.Pod // being deleted

	requests []LogRequest // what would help to explain
	shown    []LogRequest // what is there of that
	again    time.Time    // when something changes by itself; zero means never
}

// newScene finds what the facts are about.
func newScene(f Facts, m Memory) *scene {
	s := &scene{Facts: f, m: m, next: m.forget(), events: byObject(f.Events)}
	s.Patience, s.Timeout, s.Deadline = cmp.Or(f.Patience, 30*time.Second), cmp.Or(f.Timeout, 15*time.Minute), cmp.Or(f.Deadline, 10*time.Minute)
	if s.Workload == nil {
		return s
	}
	s.progress, s.measured = workload.ProgressOf(s.Workload)
	s.observed = !s.measured || !s.progress.Changed && observedOf(s.Workload) >= max(s.Generation, s.Workload.GetGeneration())
	s.findTemplate()
	s.findRevision()
	s.findPods()
	return s
}

func (s *scene) findTemplate() {
	switch o := s.Workload.(type) {
	case *appsv1.Deployment:
		s.template, s.minReady = &o.Spec.Template, o.Spec.MinReadySeconds
	case *appsv1.StatefulSet:
		s.template, s.minReady = &o.Spec.Template, o.Spec.MinReadySeconds
	case *appsv1.DaemonSet:
		s.template, s.minReady = &o.Spec.Template, o.Spec.MinReadySeconds
	case *appsv1.ReplicaSet:
		s.template, s.minReady = &o.Spec.Template, o.Spec.MinReadySeconds
	case *batchv1.Job:
		s.template = &o.Spec.Template
	case *corev1.Pod:
		s.template = &corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: o.Labels}, Spec: o.Spec}
	}
}

func observedOf(o metav1.Object) int64 {
	switch o := o.(type) {
	case *appsv1.Deployment:
		return o.Status.ObservedGeneration
	case *appsv1.StatefulSet:
		return o.Status.ObservedGeneration
	case *appsv1.DaemonSet:
		return o.Status.ObservedGeneration
	case *appsv1.ReplicaSet:
		return o.Status.ObservedGeneration
	}
	return o.GetGeneration()
}

// findRevision finds the newest revision. While the status speaks of an older template none is
// known, and so no Pod is new; but a ReplicaSet has its template, and so that of a Deployment is
// known before the Deployment's controller says that it has made it.
func (s *scene) findRevision() {
	d, ok := s.Workload.(*appsv1.Deployment)
	if ok && d.Generation >= s.Generation {
		if s.set = newestSet(d, s.ReplicaSets, s.observed); s.set != nil {
			s.hash, s.revision = s.set.Labels[appsv1.DefaultDeploymentUniqueLabelKey], revisionOf(s.set)
		}
	}
	if ok || !s.observed {
		return
	}
	switch o := s.Workload.(type) {
	case *appsv1.StatefulSet:
		s.hash = o.Status.UpdateRevision
		if r := newestRevision(o, s.Revisions); r != nil {
			s.revision = r.Revision
		}
	case *appsv1.DaemonSet:
		if r := newestRevision(o, s.Revisions); r != nil {
			s.hash, s.revision = cmp.Or(r.Labels[appsv1.DefaultDaemonSetUniqueLabelKey], strings.TrimPrefix(r.Name, o.Name+"-")), r.Revision
			return
		}
		var newest *corev1.Pod
		for _, p := range s.Pods {
			if p != nil && metav1.IsControlledBy(p, o) && p.DeletionTimestamp == nil && (newest == nil || later(p, newest)) {
				newest, s.hash = p, p.Labels[appsv1.DefaultDaemonSetUniqueLabelKey]
			}
		}
	}
}

// later reports whether a Pod was made after another; by name, if nobody knows.
func later(a, b *corev1.Pod) bool {
	return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), strings.Compare(a.Name, b.Name)) > 0
}

// newestSet is the ReplicaSet of a Deployment's template: the one with that template, or if its
// template is not kept, the one with the Deployment's revision, which the controller has to have
// observed.
func newestSet(d *appsv1.Deployment, all []*appsv1.ReplicaSet, observed bool) (newest *appsv1.ReplicaSet) {
	better := func(a, b *appsv1.ReplicaSet) bool {
		same := func(r *appsv1.ReplicaSet) int {
			switch {
			case workload.SameTemplate(&r.Spec.Template, &d.Spec.Template):
				return 2
			case observed && r.Annotations[revisionAnnotation] == d.Annotations[revisionAnnotation]:
				return 1
			}
			return 0
		}
		if same(a) == 0 {
			return false
		}
		return b == nil || cmp.Or(same(a)-same(b), cmp.Compare(revisionOf(a), revisionOf(b)), strings.Compare(a.Name, b.Name)) > 0
	}
	for _, r := range all {
		if r != nil && metav1.IsControlledBy(r, d) && better(r, newest) {
			newest = r
		}
	}
	return newest
}

func revisionOf(r *appsv1.ReplicaSet) int64 {
	n, _ := strconv.ParseInt(r.Annotations[revisionAnnotation], 10, 64) // 0 is the oldest
	return n
}

func newestRevision(o metav1.Object, all []*appsv1.ControllerRevision) (newest *appsv1.ControllerRevision) {
	for _, r := range all {
		if r != nil && metav1.IsControlledBy(r, o) && (newest == nil || cmp.Or(cmp.Compare(r.Revision, newest.Revision), strings.Compare(r.Name, newest.Name)) > 0) {
			newest = r
		}
	}
	return newest
}

// findPods divides the Pods of the workload, by name.
func (s *scene) findPods() {
	pods := s.Pods
	if p, ok := s.Workload.(*corev1.Pod); ok {
		pods = []*corev1.Pod{p}
	}
	for _, p := range pods {
		switch {
		case p == nil || !s.owns(p):
		case p.DeletionTimestamp != nil:
			s.ends = append(s.ends, p)
		case s.isFresh(p):
			s.fresh = append(s.fresh, p)
		default:
			s.old = append(s.old, p)
		}
	}
	for _, pods := range [][]*corev1.Pod{s.fresh, s.old, s.ends} {
		slices.SortFunc(pods, func(a, b *corev1.Pod) int {
			return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(string(a.UID), string(b.UID)))
		})
	}
}

func (s *scene) owns(p *corev1.Pod) bool {
	if p == s.Workload || metav1.IsControlledBy(p, s.Workload) {
		return true
	}
	owner := metav1.GetControllerOfNoCopy(p)
	d, ok := s.Workload.(*appsv1.Deployment)
	return owner != nil && ok && slices.ContainsFunc(s.ReplicaSets, func(r *appsv1.ReplicaSet) bool {
		return r != nil && r.UID == owner.UID && metav1.IsControlledBy(r, d)
	})
}

// isFresh reports whether a Pod is of the newest revision.
func (s *scene) isFresh(p *corev1.Pod) bool {
	switch s.Workload.(type) {
	case *appsv1.Deployment:
		return s.set != nil && metav1.IsControlledBy(p, s.set)
	case *appsv1.StatefulSet:
		return s.hash != "" && workload.RevisionOf(p) == s.hash
	case *appsv1.DaemonSet:
		return s.observed && p.Labels[appsv1.DefaultDaemonSetUniqueLabelKey] == s.hash
	}
	return true
}

// active are the Pods of the newest revision that have not ended.
func (s *scene) active() []*corev1.Pod {
	return slices.DeleteFunc(slices.Clone(s.fresh), workload.IsFinished)
}
