package clusterdash

import (
	"context"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/kube"
	"github.com/probity-run/probity/internal/store"
)

// againPause is how long it takes until something is asked for again that was refused.
const againPause = 30 * time.Second

// sources are the objects of a cluster that are watched.
type sources struct {
	client    *kube.Client
	namespace string // "" is all
	seen      *seen
	changed   func() // called after each change of a Pod or an Event
	running   sync.WaitGroup

	pods         source[corev1.Pod]
	events       source[corev1.Event]
	services     source[corev1.Service]
	slices       source[discoveryv1.EndpointSlice]
	deployments  source[appsv1.Deployment]
	statefulSets source[appsv1.StatefulSet]
	daemonSets   source[appsv1.DaemonSet]
	replicaSets  source[appsv1.ReplicaSet]
}

// source has the objects of a kind.
type source[T any] interface {
	All() (all []*T, complete bool)
}

// plurals are the kinds that are watched.
func plurals() []string {
	return []string{"pods", "events", "services", "endpointslices", "deployments", "statefulsets", "daemonsets", "replicasets"}
}

// daemonSets have no name for commands.
func daemonSets() kube.Kind {
	return kube.Kind{Group: "apps", Version: "v1", Plural: "daemonsets", Singular: "daemonset"}
}

// open begins to watch. All of it ends with the context; the caller waits for running.
func (s *sources) open(ctx context.Context) {
	endpoints := kube.Kind{Group: "discovery.k8s.io", Version: "v1", Plural: "endpointslices", Singular: "endpointslice"}
	s.pods = mirror(ctx, s, kube.Pods, func(l *corev1.PodList) []corev1.Pod { return l.Items }, func(o *corev1.Pod) { bare(o) })
	s.events = mirror(ctx, s, kube.Events, func(l *corev1.EventList) []corev1.Event { return l.Items }, timeEvent)
	s.services = mirror(ctx, s, kube.Services, func(l *corev1.ServiceList) []corev1.Service { return l.Items }, func(o *corev1.Service) { bare(o) })
	s.slices = mirror(ctx, s, endpoints, func(l *discoveryv1.EndpointSliceList) []discoveryv1.EndpointSlice { return l.Items }, nil)
	s.deployments = mirror(ctx, s, kube.Deployments, func(l *appsv1.DeploymentList) []appsv1.Deployment { return l.Items }, func(o *appsv1.Deployment) { bare(o) })
	s.statefulSets = mirror(ctx, s, kube.StatefulSets, func(l *appsv1.StatefulSetList) []appsv1.StatefulSet { return l.Items }, func(o *appsv1.StatefulSet) { bare(o) })
	s.daemonSets = mirror(ctx, s, daemonSets(), func(l *appsv1.DaemonSetList) []appsv1.DaemonSet { return l.Items }, func(o *appsv1.DaemonSet) {
		bare(o)
		o.Spec.Template = corev1.PodTemplateSpec{}
	})
	s.replicaSets = mirror(ctx, s, kube.ReplicaSets, func(l *appsv1.ReplicaSetList) []appsv1.ReplicaSet { return l.Items }, pruneReplicaSet)
}

// mirror watches a kind.
func mirror[T any, P kube.ObjectOf[T], L any, PL kube.ListOf[L]](ctx context.Context, s *sources, kind kube.Kind, items func(*L) []T, prune func(*T)) source[T] {
	m := kube.NewMirror[T, P, L, PL](s.client, items, kube.MirrorOptions[T]{
		Kind: kind, Namespace: s.namespace, Prune: prune, Trouble: func(err error) { s.seen.troubled(kind.Plural, err) },
		Changed: func() {
			s.seen.has(kind.Plural)
			if kind == kube.Pods || kind == kube.Events {
				s.changed()
			}
		},
	})
	s.running.Go(func() { s.keep(ctx, kind, m.Run) })
	return m
}

// keep keeps a copy until the context is done, also after it was refused for a while.
func (s *sources) keep(ctx context.Context, kind kube.Kind, run func(context.Context) error) {
	for {
		err := run(ctx)
		if ctx.Err() != nil {
			return
		}
		s.seen.refuses(kind.Plural, err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(againPause):
		}
	}
}

// bare takes away what kubectl keeps with an object: as much again as all of its spec.
func bare(o metav1.Object) {
	if notes := o.GetAnnotations(); notes[corev1.LastAppliedConfigAnnotation] != "" {
		delete(notes, corev1.LastAppliedConfigAnnotation)
	}
}

// timeEvent gives an Event of the older form, which kubelets write, the time of the newer one,
// which pages read; and one of the newer form the count of the older one.
func timeEvent(e *corev1.Event) {
	switch {
	case e.Series != nil:
		e.Count = max(e.Count, e.Series.Count)
	case !e.LastTimestamp.IsZero():
		e.EventTime = metav1.MicroTime(e.LastTimestamp)
	case e.EventTime.IsZero():
		e.EventTime = metav1.MicroTime(e.CreationTimestamp)
	}
}

// pruneReplicaSet takes away the template of one that a Deployment makes.
func pruneReplicaSet(o *appsv1.ReplicaSet) {
	bare(o)
	if metav1.GetControllerOfNoCopy(o) != nil {
		o.Spec.Template = corev1.PodTemplateSpec{}
	}
}

// object is a pointer to T that is one of Kubernetes.
type object[T any] interface {
	*T
	store.Object
}

// listed are the objects of a source.
func listed[T any, P object[T]](s source[T]) []store.Object {
	all, _ := s.All()
	list := make([]store.Object, 0, len(all))
	for _, o := range all {
		list = append(list, P(o))
	}
	return list
}

// List implements [dashboard.Objects]. Of kinds that are not watched there are none.
func (s *sources) List(like store.Object) []store.Object {
	switch like.(type) {
	case *corev1.Pod:
		return listed(s.pods)
	case *corev1.Event:
		return listed(s.events)
	case *corev1.Service:
		return listed(s.services)
	case *discoveryv1.EndpointSlice:
		return listed(s.slices)
	case *appsv1.Deployment:
		return listed(s.deployments)
	case *appsv1.StatefulSet:
		return listed(s.statefulSets)
	case *appsv1.DaemonSet:
		return listed(s.daemonSets)
	case *appsv1.ReplicaSet:
		return listed(s.replicaSets)
	}
	return nil
}

// Get implements [dashboard.Objects].
func (s *sources) Get(like store.Object, namespace, name string) store.Object {
	for _, o := range s.List(like) {
		if o.GetNamespace() == namespace && o.GetName() == name {
			return o
		}
	}
	return nil
}
