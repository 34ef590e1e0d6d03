package dashboard

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/diagnosis"
)

// workloadRef names what Pods are replicas of. The zero value stands for Pods of their own.
type workloadRef struct{ Kind, Namespace, Name string }

// path is its part of an address: deployment/default/web.
func (w workloadRef) path() string { return strings.ToLower(w.Kind) + "/" + w.Namespace + "/" + w.Name }

// workload is one, and how it is.
type workload struct {
	workloadRef
	desired, updated int
	minReady         time.Duration
	revision         string // that is being rolled out; "" if none is
	total            int    // Pods of all revisions
	newest           string // name of the ReplicaSet that is being rolled out
	deadline         time.Time
	paused           bool
	recreates        bool // ends all its Pods before it makes new ones
	uncounted        bool // nobody tells how many replicas it wants
}

// objects are those of the store at one moment, as far as several parts of a page need them.
type objects struct {
	pods      []*corev1.Pod
	services  []*corev1.Service
	sets      map[string]*appsv1.ReplicaSet // by namespace and name
	workloads map[workloadRef]*workload
}

func (s *Server) objects() *objects {
	o := &objects{
		pods: sorted[*corev1.Pod](s), services: sorted[*corev1.Service](s),
		sets: map[string]*appsv1.ReplicaSet{}, workloads: map[workloadRef]*workload{},
	}
	for _, set := range sorted[*appsv1.ReplicaSet](s) {
		o.sets[set.Namespace+"/"+set.Name] = set
		if metav1.GetControllerOf(set) == nil {
			o.add(&workload{workloadRef: workloadRef{"ReplicaSet", set.Namespace, set.Name}, desired: replicas(set.Spec.Replicas), minReady: seconds(set.Spec.MinReadySeconds)})
		}
	}
	for _, d := range sorted[*appsv1.Deployment](s) {
		o.add(deployment(d))
	}
	for _, set := range o.sets {
		if owner := metav1.GetControllerOf(set); owner != nil {
			w := o.workloads[workloadRef{owner.Kind, set.Namespace, owner.Name}]
			if w != nil && w.revision != "" && w.revision == set.Annotations[revisionAnnotation] {
				w.newest = set.Name
			}
		}
	}
	if s.isCluster() {
		for _, set := range sorted[*appsv1.DaemonSet](s) {
			o.add(&workload{workloadRef: workloadRef{"DaemonSet", set.Namespace, set.Name}, desired: int(set.Status.DesiredNumberScheduled), minReady: seconds(set.Spec.MinReadySeconds)})
		}
	}
	for _, set := range sorted[*appsv1.StatefulSet](s) {
		o.add(&workload{workloadRef: workloadRef{"StatefulSet", set.Namespace, set.Name}, desired: replicas(set.Spec.Replicas), minReady: seconds(set.Spec.MinReadySeconds)})
	}
	return o
}

func (o *objects) add(w *workload) { o.workloads[w.workloadRef] = w }

func replicas(n *int32) int {
	if n == nil {
		return 1
	}
	return int(*n)
}

func seconds(n int32) time.Duration { return time.Duration(n) * time.Second }

const revisionAnnotation = "deployment.kubernetes.io/revision"

// deployment is a Deployment with its rollout, if one goes on.
func deployment(d *appsv1.Deployment) *workload {
	w := &workload{
		workloadRef: workloadRef{"Deployment", d.Namespace, d.Name}, desired: replicas(d.Spec.Replicas), updated: int(d.Status.UpdatedReplicas), total: int(d.Status.Replicas),
		minReady: seconds(d.Spec.MinReadySeconds), paused: d.Spec.Paused, recreates: recreates(d),
	}
	complete, since := true, d.CreationTimestamp.Time
	for _, c := range d.Status.Conditions {
		if c.Type == appsv1.DeploymentProgressing {
			complete, since = c.Reason == "NewReplicaSetAvailable", c.LastUpdateTime.Time
		}
	}
	if !complete || d.Status.ObservedGeneration != d.Generation || w.updated < w.desired || int(d.Status.Replicas) > w.updated {
		w.revision = d.Annotations[revisionAnnotation]
		if limit := d.Spec.ProgressDeadlineSeconds; limit != nil {
			w.deadline = since.Add(seconds(*limit))
		}
	}
	return w
}

// workloadOf is what a Pod is a replica of.
func (o *objects) workloadOf(pod *corev1.Pod) workloadRef {
	owner := metav1.GetControllerOf(pod)
	if owner == nil {
		return workloadRef{Namespace: pod.Namespace}
	}
	if set := o.sets[pod.Namespace+"/"+owner.Name]; owner.Kind == "ReplicaSet" && set != nil {
		if above := metav1.GetControllerOf(set); above != nil {
			owner = above
		}
	}
	return workloadRef{owner.Kind, pod.Namespace, owner.Name}
}

// isNew reports whether a Pod is of the revision that is being rolled out, while there are others.
func (w *workload) isNew(pod *corev1.Pod) bool {
	owner := metav1.GetControllerOf(pod)
	return owner != nil && w.newest != "" && owner.Name == w.newest && w.updated < w.total
}

// facts are those of a workload for a diagnosis.
func (w *workload) facts(serving int) diagnosis.Workload {
	rollout, _ := strconv.Atoi(w.revision) // 0 if there is none
	return diagnosis.Workload{Kind: w.Kind, Name: w.Name, Desired: w.desired, Ready: serving, Rollout: rollout, MinReady: w.minReady, Deadline: w.deadline}
}

// rollout says how far a rollout is and which Pod it waits for: "Rollout 4: 1 of 3 updated", "waits
// for x5jnl: startup 11/60". Both are "" if none goes on.
func (w *workload) rollout(pods []*podView) (text, waits string) {
	if w.revision == "" {
		return "", ""
	}
	text = fmt.Sprintf("Rollout %s: %d of %d updated", w.revision, w.updated, w.desired)
	if w.paused {
		return text + ", paused", ""
	}
	waiting := slices.DeleteFunc(slices.Clone(pods), func(p *podView) bool {
		return p.Diagnosis.State == diagnosis.Ready || p.Diagnosis.State == diagnosis.Stopping
	})
	if len(waiting) == 0 {
		return text, ""
	}
	p := slices.MaxFunc(waiting, func(a, b *podView) int { return a.Created.Compare(b.Created) })
	waits = "waits for " + p.Name[strings.LastIndexByte(p.Name, '-')+1:]
	for _, probe := range p.Probes {
		if probe.Asked && !probe.Over && !probe.Passing {
			return text, waits + ": " + probe.Label + " " + cmp.Or(probe.Counter.Text, "is not passing")
		}
	}
	return text, waits + " to be ready"
}

// label selectors of Services are only equalities.
func selects(service *corev1.Service, pod *corev1.Pod) bool {
	if service.Namespace != pod.Namespace || len(service.Spec.Selector) == 0 {
		return false
	}
	for name, value := range service.Spec.Selector {
		if have, ok := pod.Labels[name]; !ok || have != value {
			return false
		}
	}
	return true
}
