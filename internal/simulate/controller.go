package simulate

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/simulate/script"
)

// controller is what makes Pods: an object of the manifest.
type controller interface {
	// sync takes the steps that are due now.
	sync(c *cluster)
	// mayDeletePods reports whether it may delete Pods although nothing happens to them.
	mayDeletePods() bool
	// rollout gives it a new revision of its template.
	rollout(c *cluster)
	// replicas is how many Pods it wants to have.
	replicas() int
	// workload is how scripts name it.
	workload() script.Workload
	// title names it as in "Deployment web, 3 replicas".
	title() string
	// template is a Pod as it makes them.
	template() *corev1.Pod
}

// newController is the controller of an object; nil for one that makes no Pods. A positive number
// of replicas replaces the object's own.
func newController(object manifest.Resource, replicas int) controller {
	size := func(own *int32) int {
		if replicas > 0 {
			return replicas
		}
		return int(valueOr(own, 1))
	}
	if object.GetName() == "" { // the API server makes one
		object = object.DeepCopyObject().(manifest.Resource)
		object.SetName(strings.TrimRight(object.GetGenerateName(), "-."))
	}
	switch o := object.(type) {
	case *corev1.Pod:
		return &barePods{kind: o.Kind, object: o, size: max(replicas, 1)}
	case *appsv1.ReplicaSet:
		return newDeployment(deploymentOf(o, &o.Spec.Template, o.Spec.MinReadySeconds), o.Kind, size(o.Spec.Replicas))
	case *corev1.ReplicationController:
		return newDeployment(deploymentOf(o, o.Spec.Template, o.Spec.MinReadySeconds), o.Kind, size(o.Spec.Replicas))
	case *appsv1.DaemonSet:
		return newDeployment(deploymentOfDaemonSet(o), o.Kind, size(nil))
	case *batchv1.Job:
		return &barePods{kind: o.Kind, object: podOf(o, &o.Spec.Template, o.Name), size: size(o.Spec.Parallelism)}
	case *batchv1.CronJob:
		t := &o.Spec.JobTemplate.Spec
		return &barePods{kind: o.Kind, object: podOf(o, &t.Template, o.Name), size: size(t.Parallelism)}
	case *appsv1.Deployment:
		return newDeployment(o, o.Kind, size(o.Spec.Replicas))
	case *appsv1.StatefulSet:
		return newStatefulSet(o, size(o.Spec.Replicas))
	}
	return nil
}

// deploymentOf treats a ReplicaSet, or a ReplicationController, as a Deployment that never rolls.
func deploymentOf(set metav1.Object, template *corev1.PodTemplateSpec, minReadySeconds int32) *appsv1.Deployment {
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: set.GetName(), Namespace: set.GetNamespace()}}
	d.Spec.Template, d.Spec.MinReadySeconds = *template, minReadySeconds
	return d
}

// deploymentOfDaemonSet treats a DaemonSet as a Deployment with a replica for each node, of which
// one is simulated unless somebody says otherwise. Its rolling update has the same two limits, with
// other defaults: one Pod less, and none more (R208).
func deploymentOfDaemonSet(set *appsv1.DaemonSet) *appsv1.Deployment {
	d := deploymentOf(set, &set.Spec.Template, set.Spec.MinReadySeconds)
	limits := valueOr(set.Spec.UpdateStrategy.RollingUpdate, appsv1.RollingUpdateDaemonSet{})
	d.Spec.Strategy = appsv1.DeploymentStrategy{Type: appsv1.RollingUpdateDeploymentStrategyType, RollingUpdate: &appsv1.RollingUpdateDeployment{
		MaxSurge: new(valueOr(limits.MaxSurge, intstr.FromInt32(0))), MaxUnavailable: new(valueOr(limits.MaxUnavailable, intstr.FromInt32(1))),
	}}
	return d
}

// barePods are a Pod that no controller owns, or several copies of it. The Pods of a Job are such
// ones too: what a Job does when one of them ends is not simulated.
type barePods struct {
	kind    string
	object  *corev1.Pod
	size    int
	created bool
}

func (s *barePods) sync(c *cluster) {
	if s.created {
		return
	}
	s.created = true
	for i := range s.size {
		pod := s.template()
		if s.size > 1 {
			pod.Name = fmt.Sprintf("%s-%d", pod.Name, i+1)
		}
		c.createPod(s.workload(), pod, i)
	}
}

func (s *barePods) replicas() int { return s.size }

func (s *barePods) mayDeletePods() bool { return false }

func (s *barePods) rollout(*cluster) {} // a Pod has no revisions

func (s *barePods) workload() script.Workload {
	return workloadOf(s.kind, s.object.Name, &s.object.Spec)
}

func (s *barePods) title() string { return titled(s.kind, s.object.Name, s.size) }

func (s *barePods) template() *corev1.Pod { return s.object.DeepCopy() }

func workloadOf(kind, name string, spec *corev1.PodSpec) script.Workload {
	w := script.Workload{Kind: kind, Name: name}
	for _, c := range lifecycle.Containers(spec) {
		w.Containers = append(w.Containers, c.Name)
	}
	return w
}

func titled(kind, name string, size int) string {
	switch {
	case size == 1 && (kind == "Pod" || kind == "Job" || kind == "CronJob"):
		return kind + " " + name
	case kind == "DaemonSet" && size == 1:
		return fmt.Sprintf("%s %s, 1 node", kind, name)
	case kind == "DaemonSet":
		return fmt.Sprintf("%s %s, %d nodes", kind, name, size)
	case size == 1:
		return fmt.Sprintf("%s %s, 1 replica", kind, name)
	default:
		return fmt.Sprintf("%s %s, %d replicas", kind, name, size)
	}
}

// podOf makes a Pod of a template.
func podOf(owner metav1.Object, t *corev1.PodTemplateSpec, name string) *corev1.Pod {
	pod := &corev1.Pod{Spec: *t.Spec.DeepCopy()}
	pod.Name, pod.Namespace = name, owner.GetNamespace()
	pod.Labels, pod.Annotations, pod.Generation = maps.Clone(t.Labels), maps.Clone(t.Annotations), 1
	return pod
}

// objects are those of the Pods.
func objects(pods []*pod) []*corev1.Pod {
	all := make([]*corev1.Pod, 0, len(pods))
	for _, p := range pods {
		all = append(all, p.object)
	}
	return all
}

// notGone drops the Pods that are gone.
func notGone(pods []*pod) []*pod {
	return slices.DeleteFunc(pods, func(p *pod) bool { return p.gone })
}
