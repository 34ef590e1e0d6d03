package deploy

import (
	"context"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/kube"
)

// source has objects of a kind as they are on the server.
type source[T any] interface {
	All() (all []*T, complete bool)
}

// sources are all that a follower sees.
type sources struct {
	deployments  []source[appsv1.Deployment]
	statefulSets []source[appsv1.StatefulSet]
	daemonSets   []source[appsv1.DaemonSet]
	jobs         []source[batchv1.Job]
	replicaSets  []source[appsv1.ReplicaSet]
	revisions    []source[appsv1.ControllerRevision]
	pods         []source[corev1.Pod]
	services     []source[corev1.Service]
	slices       []source[discoveryv1.EndpointSlice]
	nodes        []source[corev1.Node]
	claims       []source[corev1.PersistentVolumeClaim]
	events       []source[corev1.Event]
}

// allOf are the objects of all sources of a kind. What several have, such as Pods that the
// selectors of two workloads fit, is there once.
func allOf[T any](list []source[T]) (all []*T) {
	seen := map[types.UID]bool{}
	for _, s := range list {
		objects, _ := s.All()
		for _, o := range objects {
			if named, ok := any(o).(metav1.Object); ok && len(list) > 1 {
				if seen[named.GetUID()] {
					continue
				}
				seen[named.GetUID()] = true
			}
			all = append(all, o)
		}
	}
	return all
}

// kinds that have no name for commands.
var (
	daemonSets = kube.Kind{Group: "apps", Version: "v1", Plural: "daemonsets", Singular: "daemonset"}
	jobs       = kube.Kind{Group: "batch", Version: "v1", Plural: "jobs", Singular: "job"}
	endpoints  = kube.Kind{Group: "discovery.k8s.io", Version: "v1", Plural: "endpointslices", Singular: "endpointslice"}
	nodes      = kube.Kind{Version: "v1", Plural: "nodes", Singular: "node", Global: true}
	claims     = kube.Kind{Version: "v1", Plural: "persistentvolumeclaims", Singular: "persistentvolumeclaim"}
)

// maxSelectors is how many workloads of a namespace have watches of their own for their Pods; if
// there are more, one for all is cheaper.
const maxSelectors = 8

// workload is what is followed of an entry.
type workload struct {
	entry *Entry
	typed metav1.Object // as it was applied
}

// workloadOf is that of an entry; nil if it rolls nothing out.
func workloadOf(e *Entry) *workload {
	if e.After == nil {
		return nil
	}
	var typed metav1.Object
	switch e.kind().String() {
	case "Deployment.apps":
		typed = &appsv1.Deployment{}
	case "StatefulSet.apps":
		typed = &appsv1.StatefulSet{}
	case "DaemonSet.apps":
		typed = &appsv1.DaemonSet{}
	case "ReplicaSet.apps":
		typed = &appsv1.ReplicaSet{}
	case "Job.batch":
		typed = &batchv1.Job{}
	case "CronJob.batch":
		typed = &batchv1.CronJob{}
	case "Pod":
		typed = &corev1.Pod{}
	default:
		return nil
	}
	if runtime.DefaultUnstructuredConverter.FromUnstructured(e.After.Object, typed) != nil {
		return nil // of another version than those that are known here
	}
	return &workload{e, typed}
}

// isPausedByFile reports whether the manifest itself says that the workload is paused. What the
// server has may be paused because somebody else has said so.
func (w *workload) isPausedByFile() bool {
	paused, _, _ := unstructured.NestedBool(w.entry.Object.Object, "spec", "paused")
	return paused && w.entry.GetKind() == "Deployment"
}

// podsOf are what lists the Pods of workloads. The Jobs of a CronJob are not followed.
func podsOf(workloads []*workload) (lists []metav1.ListOptions) {
	for _, w := range workloads {
		if _, later := w.typed.(*batchv1.CronJob); later {
			continue
		}
		if list := w.podsOf(); !slices.Contains(lists, list) {
			lists = append(lists, list)
		}
	}
	if len(lists) > maxSelectors {
		return []metav1.ListOptions{{}}
	}
	return lists
}

// podsOf is what lists the Pods of a workload.
func (w *workload) podsOf() metav1.ListOptions {
	if w.entry.GetKind() == "Pod" {
		return metav1.ListOptions{FieldSelector: fields.OneTermEqualSelector("metadata.name", w.entry.GetName()).String()}
	}
	object, _, _ := unstructured.NestedMap(w.entry.After.Object, "spec", "selector")
	var selector metav1.LabelSelector
	if runtime.DefaultUnstructuredConverter.FromUnstructured(object, &selector) != nil || len(object) == 0 {
		return metav1.ListOptions{}
	}
	return metav1.ListOptions{LabelSelector: metav1.FormatLabelSelector(&selector)}
}

// mirror adds a source, which is kept up to date until the context is done.
func mirror[T any, P kube.ObjectOf[T], L any, PL kube.ListOf[L]](ctx context.Context, f *follower, into *[]source[T], kind kube.Kind, namespace string, list metav1.ListOptions, items func(*L) []T, prune func(*T)) {
	name := kind.Plural + "/" + namespace + "/" + list.LabelSelector + list.FieldSelector
	m := kube.NewMirror[T, P, L, PL](f.client(), items, kube.MirrorOptions[T]{
		Kind: kind, Namespace: namespace, List: list, Prune: prune, Changed: f.wake,
		Trouble: func(err error) { f.trouble(kind, name, err) },
	})
	*into = append(*into, m)
	f.expect(kind, func() bool { _, complete := m.All(); return complete })
	f.running.Go(func() { f.ended(kind, name, m.Run(ctx)) })
}

// open begins to watch what belongs to workloads.
func (f *follower) open(ctx context.Context) {
	all := metav1.ListOptions{}
	mirror(ctx, f, &f.see.nodes, nodes, "", all, func(l *corev1.NodeList) []corev1.Node { return l.Items }, pruneNode)
	spaces := map[string][]*workload{}
	for _, w := range f.workloads {
		spaces[w.entry.GetNamespace()] = append(spaces[w.entry.GetNamespace()], w)
	}
	for namespace, workloads := range spaces {
		f.openWorkloads(ctx, namespace, workloads)
		mirror(ctx, f, &f.see.services, kube.Services, namespace, all, func(l *corev1.ServiceList) []corev1.Service { return l.Items }, nil)
		mirror(ctx, f, &f.see.slices, endpoints, namespace, all, func(l *discoveryv1.EndpointSliceList) []discoveryv1.EndpointSlice { return l.Items }, nil)
		mirror(ctx, f, &f.see.claims, claims, namespace, all, func(l *corev1.PersistentVolumeClaimList) []corev1.PersistentVolumeClaim { return l.Items }, nil)
		mirror(ctx, f, &f.see.events, kube.Events, namespace, all, func(l *corev1.EventList) []corev1.Event { return l.Items }, nil)
		for _, list := range podsOf(workloads) {
			mirror(ctx, f, &f.see.pods, kube.Pods, namespace, list, func(l *corev1.PodList) []corev1.Pod { return l.Items }, prunePod)
		}
	}
}

// openWorkloads begins to watch the kinds that the workloads of a namespace are of, and what they
// make beside Pods.
func (f *follower) openWorkloads(ctx context.Context, namespace string, workloads []*workload) {
	all := metav1.ListOptions{}
	has := func(kind string) bool {
		return slices.ContainsFunc(workloads, func(w *workload) bool { return w.entry.GetKind() == kind })
	}
	if has("Deployment") {
		mirror(ctx, f, &f.see.deployments, kube.Deployments, namespace, all, func(l *appsv1.DeploymentList) []appsv1.Deployment { return l.Items }, nil)
	}
	if has("Deployment") || has("ReplicaSet") {
		mirror(ctx, f, &f.see.replicaSets, kube.ReplicaSets, namespace, all, func(l *appsv1.ReplicaSetList) []appsv1.ReplicaSet { return l.Items }, nil)
	}
	if has("StatefulSet") {
		mirror(ctx, f, &f.see.statefulSets, kube.StatefulSets, namespace, all, func(l *appsv1.StatefulSetList) []appsv1.StatefulSet { return l.Items }, nil)
	}
	if has("DaemonSet") {
		mirror(ctx, f, &f.see.daemonSets, daemonSets, namespace, all, func(l *appsv1.DaemonSetList) []appsv1.DaemonSet { return l.Items }, nil)
	}
	if has("StatefulSet") || has("DaemonSet") {
		mirror(ctx, f, &f.see.revisions, kube.Revisions, namespace, all, func(l *appsv1.ControllerRevisionList) []appsv1.ControllerRevision { return l.Items }, pruneRevision)
	}
	if has("Job") {
		mirror(ctx, f, &f.see.jobs, jobs, namespace, all, func(l *batchv1.JobList) []batchv1.Job { return l.Items }, nil)
	}
}

// live is a workload as the server has it now; nil if it has none.
func (f *follower) live(w *workload) metav1.Object {
	at := func(o metav1.Object) bool { return o.GetUID() == w.typed.GetUID() }
	switch w.typed.(type) {
	case *appsv1.Deployment:
		return pick(f.see.deployments, func(o *appsv1.Deployment) metav1.Object { return o }, at)
	case *appsv1.StatefulSet:
		return pick(f.see.statefulSets, func(o *appsv1.StatefulSet) metav1.Object { return o }, at)
	case *appsv1.DaemonSet:
		return pick(f.see.daemonSets, func(o *appsv1.DaemonSet) metav1.Object { return o }, at)
	case *appsv1.ReplicaSet:
		return pick(f.see.replicaSets, func(o *appsv1.ReplicaSet) metav1.Object { return o }, at)
	case *batchv1.Job:
		return pick(f.see.jobs, func(o *batchv1.Job) metav1.Object { return o }, at)
	case *corev1.Pod:
		return pick(f.see.pods, func(o *corev1.Pod) metav1.Object { return o }, at)
	}
	return w.typed
}

// pick is the first object that fits; nil if none does.
func pick[T any](list []source[T], as func(*T) metav1.Object, fits func(metav1.Object) bool) metav1.Object {
	for _, o := range allOf(list) {
		if object := as(o); fits(object) {
			return object
		}
	}
	return nil
}

// pruneNode leaves what tells whether a node is well and what it has room for.
func pruneNode(n *corev1.Node) { n.Status.Images, n.Annotations = nil, nil }

// prunePod leaves the containers with their probes, and the status.
func prunePod(p *corev1.Pod) {
	p.Spec.Tolerations = nil
	for i := range p.Spec.Containers {
		p.Spec.Containers[i].Env, p.Spec.Containers[i].TerminationMessagePath = nil, ""
	}
}

// pruneRevision leaves the number: a revision holds a whole template.
func pruneRevision(r *appsv1.ControllerRevision) { r.Data = runtime.RawExtension{} }
