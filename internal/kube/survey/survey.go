package survey

import (
	"context"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/advisor/cluster"
	"github.com/probity-run/probity/internal/advisor/evidence"
	"github.com/probity-run/probity/internal/kube"
	"github.com/probity-run/probity/internal/manifest"
)

// Survey is what was read of a cluster.
type Survey struct {
	// Objects are those that are judged.
	Objects cluster.Objects
	// Seen is what has happened to their Pods.
	Seen *evidence.Observations
	// NotSeen is what could not be read, each with the reason: "events (forbidden)".
	NotSeen []string
	// Requests counts those for pages, reviews and metrics.
	Requests int

	client    *kube.Client
	namespace string
	access    *kube.Access // nil if the server does not tell
	nodes     []string     // that have Pods
	forbidden int          // kinds
	kinds     int          // that the server serves
	spaces    spaces       // if all are meant and may not be read at once
}

// ForbiddenError says that nothing may be read.
type ForbiddenError struct {
	// Namespace is "" for all.
	Namespace string
	// Err is what the server said last.
	Err error
}

func (e *ForbiddenError) Error() string {
	if e.Namespace == "" {
		return fmt.Sprintf("nothing may be read in all namespaces: name one with --namespace (%v)", e.Err)
	}
	return fmt.Sprintf("nothing may be read in namespace %s: %v", e.Namespace, e.Err)
}

// Unwrap is what the server said.
func (e *ForbiddenError) Unwrap() error { return e.Err }

// Read reads a namespace, or all of them if that is "". Ages are counted by the server's clock.
// A kind that may not be read of all at once is read namespace by namespace. What is forbidden is
// noted in NotSeen; if that is everything, the error is a [*ForbiddenError]. Requests for metrics
// are made at the same time, eight at most, and have ended when Read returns.
func Read(ctx context.Context, client *kube.Client, namespace string) (*Survey, error) {
	s := &Survey{client: client, namespace: namespace}
	if err := s.ask(ctx); err != nil {
		return nil, err
	}
	refused := map[string][]string{} // by kind: the namespaces
	without := func(kind kube.Kind) func(string) bool {
		return func(namespace string) bool {
			return slices.ContainsFunc(refused[kind.Plural], func(name string) bool { return name == "" || name == namespace })
		}
	}
	s.Seen = evidence.New(evidence.Options{Now: client.Now(), NoPods: without(kube.Pods), NoEvents: without(kube.Events)})
	var last error
	for _, kind := range s.steps() {
		names, err := s.read(ctx, kind)
		switch {
		case apierrors.IsNotFound(err):
			continue // a server that has no such kind has no such objects
		case apierrors.IsForbidden(err):
			last = err
			s.forbidden++
			names = []string{s.namespace}
			s.NotSeen = append(s.NotSeen, kind.plural+" (forbidden)")
		case err != nil:
			return nil, fmt.Errorf("cannot read %s: %w", kind.plural, err)
		}
		refused[kind.plural] = names
		s.kinds++
	}
	if s.forbidden == s.kinds && s.kinds > 0 {
		return nil, &ForbiddenError{namespace, last}
	}
	s.NotSeen = append(s.NotSeen, s.unseen(refused)...)
	return s, s.metrics(ctx)
}

// ask asks what may be read, so that what is forbidden is not asked for: that would be noted in the
// cluster's audit as if somebody tried doors.
func (s *Survey) ask(ctx context.Context) (err error) {
	namespace := s.namespace
	if namespace == "" {
		namespace = metav1.NamespaceDefault
	}
	s.access, err = s.review(ctx, namespace)
	return err
}

// review is what may be done in a namespace; nil if the server does not tell.
func (s *Survey) review(ctx context.Context, namespace string) (*kube.Access, error) {
	s.Requests++
	access, err := s.client.Access(ctx, namespace)
	switch {
	case err == nil:
		return access, nil
	case !apierrors.IsNotFound(err) && !apierrors.IsForbidden(err) && !apierrors.IsMethodNotSupported(err):
		return nil, fmt.Errorf("cannot ask what may be read: %w", err)
	}
	return nil, nil
}

// step reads the objects of one kind, in a namespace or for "" in all.
type step struct {
	plural string
	read   func(ctx context.Context, namespace string, access *kube.Access) error
}

// steps are in the order that what is kept needs: owners before Pods, Pods before Events.
func (s *Survey) steps() []step {
	job := kube.Kind{Group: "batch", Version: "v1", Plural: "jobs", Singular: "job"}
	cronJob := kube.Kind{Group: "batch", Version: "v1", Plural: "cronjobs", Singular: "cronjob"}
	daemonSet := kube.Kind{Group: "apps", Version: "v1", Plural: "daemonsets", Singular: "daemonset"}
	scaler := kube.Kind{Group: "autoscaling", Version: "v1", Plural: "horizontalpodautoscalers", Singular: "horizontalpodautoscaler"}
	budget := kube.Kind{Group: "policy", Version: "v1", Plural: "poddisruptionbudgets", Singular: "poddisruptionbudget"}
	return []step{
		of(s, kube.Deployments, func(l *appsv1.DeploymentList) error { return each(l.Items, s.take) }),
		of(s, kube.StatefulSets, func(l *appsv1.StatefulSetList) error { return each(l.Items, s.take) }),
		of(s, daemonSet, func(l *appsv1.DaemonSetList) error { return each(l.Items, s.take) }),
		of(s, kube.ReplicaSets, func(l *appsv1.ReplicaSetList) error { return each(l.Items, s.takeUnowned) }),
		of(s, cronJob, func(l *batchv1.CronJobList) error { return each(l.Items, s.take) }),
		of(s, job, func(l *batchv1.JobList) error { return each(l.Items, s.takeUnowned) }),
		of(s, kube.Services, func(l *corev1.ServiceList) error { return each(l.Items, s.take) }),
		of(s, scaler, func(l *autoscalingv1.HorizontalPodAutoscalerList) error { return each(l.Items, s.take) }),
		of(s, budget, func(l *policyv1.PodDisruptionBudgetList) error { return each(l.Items, s.take) }),
		of(s, kube.Pods, func(l *corev1.PodList) error { return s.takePods(l.Items) }),
		of(s, kube.Events, func(l *corev1.EventList) error { return s.takeEvents(l.Items) }),
	}
}

// of makes the step of a kind.
func of[L any, P interface {
	*L
	metav1.ListInterface
	Unmarshal(data []byte) error
}](s *Survey, kind kube.Kind, take func(*L) error) step {
	return step{kind.Plural, func(ctx context.Context, namespace string, access *kube.Access) error {
		// a list of a namespace may be allowed where one of all is not, which the review is not
		// about
		if namespace != "" && access.Forbids("list", kind.Group, kind.Plural) {
			return apierrors.NewForbidden(kindResource(kind), "", fmt.Errorf("cannot list them in namespace %s", namespace))
		}
		for page, err := range kube.Pages[L, P](ctx, s.client, kind, namespace, optionsOf(kind)) {
			s.Requests++
			if err != nil {
				return err
			}
			if page.First && kind == kube.Events {
				s.Seen.ForgetEvents(namespace) // of a list that began again
			}
			if err := take(page.List); err != nil {
				return err
			}
		}
		return nil
	}}
}

// optionsOf asks for those Events alone that are about Pods.
func optionsOf(kind kube.Kind) metav1.ListOptions {
	if kind == kube.Events {
		return metav1.ListOptions{FieldSelector: "involvedObject.kind=Pod"}
	}
	return metav1.ListOptions{}
}

// resource is a pointer to T that the advisor can read.
type resource[T any] interface {
	*T
	manifest.Resource
}

func each[T any, P resource[T]](items []T, take func(manifest.Resource) error) error {
	for i := range items {
		if err := take(P(&items[i])); err != nil {
			return err
		}
	}
	return nil
}

// take keeps an object to be judged.
func (s *Survey) take(r manifest.Resource) error { return s.Objects.Add(r) }

// takeUnowned is take for kinds that others make: of those it is only kept who that is.
func (s *Survey) takeUnowned(r manifest.Resource) error {
	if metav1.GetControllerOfNoCopy(r) != nil {
		s.Seen.AddOwner(r)
		return nil
	}
	return s.take(r)
}

func (s *Survey) takePods(pods []corev1.Pod) error {
	for i := range pods {
		pod := &pods[i]
		if s.Seen.AddPod(pod) {
			if err := s.take(pod); err != nil {
				return err
			}
		}
		if node := pod.Spec.NodeName; node != "" {
			if at, found := slices.BinarySearch(s.nodes, node); !found {
				s.nodes = slices.Insert(s.nodes, at, node)
			}
		}
	}
	return nil
}

func (s *Survey) takeEvents(events []corev1.Event) error {
	for i := range events {
		s.Seen.AddEvent(&events[i])
	}
	return nil
}
