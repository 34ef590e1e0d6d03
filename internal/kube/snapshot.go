package kube

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/probity-run/probity/internal/node"
	"github.com/probity-run/probity/internal/printable"
)

// Snapshot is what there is, of the kinds that people name when they speak of a service. Nobody
// changes it.
type Snapshot struct {
	Services     []corev1.Service
	Deployments  []appsv1.Deployment
	StatefulSets []appsv1.StatefulSet
	ReplicaSets  []appsv1.ReplicaSet
	Pods         []corev1.Pod
	// DaemonSets and Jobs are those of a cluster: a run has none. Unseen are the kinds of them that
	// the server does not let one list.
	DaemonSets []appsv1.DaemonSet
	Jobs       []batchv1.Job
	Unseen     []Kind
	// Reports are what probes found last, which a cluster does not tell; Silent says that the
	// server does not.
	Reports []node.ProbeReport
	Silent  bool
	// Program and Flags are what a command has to begin and to end with that asks the same server;
	// "" means probity without flags. Everywhere says that the flags name no namespace of a
	// cluster.
	Program, Flags string
	Everywhere     bool
	// Versions are the resource versions of the lists of ReplicaSets and of Pods: a watch from
	// there brings what has changed since.
	Versions struct{ ReplicaSets, Pods string }
}

// Command is how somebody asks the same server by a command of Probity.
func (s *Snapshot) Command(words string) string {
	return strings.TrimSpace(cmp.Or(s.Program, "probity") + " " + words + " " + s.Flags)
}

// CommandFor is [Snapshot.Command] about an object, which it names so that the command finds it.
func (s *Snapshot) CommandFor(words string, o metav1.Object) string {
	if s.Everywhere {
		words += " -n " + printable.Shell(o.GetNamespace())
	}
	return s.Command(words + " " + o.GetName())
}

// Snapshot reads what there is in a namespace, or everywhere if that is "". The lists follow each
// other, so that they need one connection; a change between two of them may be in one alone.
func (c *Client) Snapshot(ctx context.Context, namespace string) (*Snapshot, error) {
	var (
		services    corev1.ServiceList
		deployments appsv1.DeploymentList
		sets        appsv1.StatefulSetList
		replicaSets appsv1.ReplicaSetList
		pods        corev1.PodList
		reports     node.ProbeReportList
	)
	err := c.listAll(ctx, namespace, wantedList{Services, &services}, wantedList{Deployments, &deployments}, wantedList{StatefulSets, &sets},
		wantedList{ReplicaSets, &replicaSets}, wantedList{Pods, &pods})
	if err != nil {
		return nil, err
	}
	err = c.List(ctx, ProbeReports, namespace, metav1.ListOptions{}, &reports)
	silent := apierrors.IsNotFound(err) || apierrors.IsForbidden(err) // who may not all may not ask for what a cluster has not
	if err != nil && !silent {
		return nil, err
	}
	s := &Snapshot{
		Services: services.Items, Deployments: deployments.Items, StatefulSets: sets.Items, ReplicaSets: replicaSets.Items, Pods: pods.Items,
		Reports: reports.Items, Silent: silent,
	}
	if silent {
		if err := c.addOthers(ctx, namespace, s); err != nil {
			return nil, err
		}
	}
	s.Versions.ReplicaSets, s.Versions.Pods = replicaSets.ResourceVersion, pods.ResourceVersion
	return s, nil
}

// addOthers reads what only a cluster has.
func (c *Client) addOthers(ctx context.Context, namespace string, s *Snapshot) error {
	var (
		daemonSets appsv1.DaemonSetList
		jobs       batchv1.JobList
	)
	for _, l := range []wantedList{{DaemonSets, &daemonSets}, {Jobs, &jobs}} {
		err := c.List(ctx, l.kind, namespace, metav1.ListOptions{}, l.into)
		switch {
		case apierrors.IsForbidden(err):
			s.Unseen = append(s.Unseen, l.kind)
		case err != nil && !apierrors.IsNotFound(err):
			return err
		}
	}
	s.DaemonSets, s.Jobs = daemonSets.Items, jobs.Items
	return nil
}

// wantedList is a list of a kind that is to be read.
type wantedList struct {
	kind Kind
	into any
}

// listAll reads lists of what every server has, one after the other. What is forbidden is told
// together.
func (c *Client) listAll(ctx context.Context, namespace string, lists ...wantedList) error {
	var forbidden []string
	var first error
	for _, l := range lists {
		err := c.do(ctx, http.MethodGet, l.kind.path(namespace), nil, "", nil, l.into)
		switch {
		case apierrors.IsForbidden(err):
			forbidden, first = append(forbidden, l.kind.Plural), cmp.Or(first, err)
		case apierrors.IsNotFound(err):
			return fmt.Errorf("%s serves no %s, as the API of Kubernetes does (see server in the kubeconfig): %w", printable.Line(c.shown), l.kind.Plural, err)
		case err != nil:
			return err
		}
	}
	if first != nil {
		return fmt.Errorf("%s: %w", mayNot("list", forbidden, namespace), first)
	}
	return nil
}

// Workloads are what makes Pods and is itself made by nothing that a snapshot has, in the order of
// their names.
func (s *Snapshot) Workloads() (all []metav1.Object) {
	for i := range s.Deployments {
		all = append(all, &s.Deployments[i])
	}
	for i := range s.StatefulSets {
		all = append(all, &s.StatefulSets[i])
	}
	for i := range s.ReplicaSets {
		all = append(all, &s.ReplicaSets[i])
	}
	for i := range s.DaemonSets {
		all = append(all, &s.DaemonSets[i])
	}
	all = slices.DeleteFunc(all, func(o metav1.Object) bool { return metav1.GetControllerOfNoCopy(o) != nil })
	for i := range s.Jobs { // also those of CronJobs, which are not here
		all = append(all, &s.Jobs[i])
	}
	slices.SortFunc(all, compareNames)
	return all
}

func compareNames(a, b metav1.Object) int {
	return strings.Compare(RefTo(a).String(), RefTo(b).String())
}

// PodsOf are the Pods that an object stands for: those that a Service selects, those of a workload,
// or the one that it is; in the order of their names.
func (s *Snapshot) PodsOf(object metav1.Object) (pods []*corev1.Pod) {
	for i := range s.Pods {
		if pod := &s.Pods[i]; pod.Namespace == object.GetNamespace() && s.belongs(pod, object) {
			pods = append(pods, pod)
		}
	}
	slices.SortFunc(pods, func(a, b *corev1.Pod) int { return compareNames(a, b) })
	return pods
}

func (s *Snapshot) belongs(pod *corev1.Pod, object metav1.Object) bool {
	switch o := object.(type) {
	case *corev1.Pod:
		return o.UID == pod.UID
	case *corev1.Service:
		return selects(o, pod)
	}
	owner := s.OwnerOf(pod)
	return owner != nil && owner.GetUID() == object.GetUID() || metav1.IsControlledBy(pod, object)
}

// selects reports whether a Service stands for a Pod.
func selects(s *corev1.Service, pod *corev1.Pod) bool {
	return s.Namespace == pod.Namespace && len(s.Spec.Selector) > 0 && labels.SelectorFromSet(s.Spec.Selector).Matches(labels.Set(pod.Labels))
}

// OwnerOf is the workload that makes a Pod: the Deployment rather than its ReplicaSet; nil if it is
// a Pod of its own.
func (s *Snapshot) OwnerOf(pod *corev1.Pod) metav1.Object {
	owner := metav1.GetControllerOfNoCopy(pod)
	if owner == nil {
		return nil
	}
	for i := range s.ReplicaSets {
		if set := &s.ReplicaSets[i]; set.UID == owner.UID {
			if owner = metav1.GetControllerOfNoCopy(set); owner == nil {
				return set
			}
			break
		}
	}
	for _, workload := range s.Workloads() {
		if workload.GetUID() == owner.UID {
			return workload
		}
	}
	return nil
}

// Report is what the probes of a Pod found last; nil if nobody says.
func (s *Snapshot) Report(pod *corev1.Pod) *node.ProbeReport {
	for i := range s.Reports {
		if r := &s.Reports[i]; r.Namespace == pod.Namespace && r.Name == pod.Name {
			return r
		}
	}
	return nil
}
