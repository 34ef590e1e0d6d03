package controller

import (
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/probity-run/probity/internal/store"
	"github.com/probity-run/probity/internal/workload"
)

// settle is how long something has to be wrong with a Service before it is said: objects are
// created one after another.
const settle = time.Second

// warning is something that is wrong with a Service.
type warning struct{ reason, message string }

// warnings remember what is wrong with Services, so that it is said once for as long as it lasts.
type warnings map[types.NamespacedName]map[warning]*activeWarning

type activeWarning struct {
	since time.Time
	said  bool
}

// note takes in what is wrong with a Service now. It returns what is to be said, and when to look
// again.
func (c warnings) note(service types.NamespacedName, wrong []warning, now time.Time) (say []warning, again time.Time) {
	before := c[service]
	if len(wrong) == 0 {
		delete(c, service)
		return nil, time.Time{}
	}
	c[service] = map[warning]*activeWarning{}
	for _, w := range wrong {
		s := before[w]
		if s == nil {
			s = &activeWarning{since: now}
		}
		c[service][w] = s
		switch at := s.since.Add(settle); {
		case s.said:
		case now.Before(at):
			again = workload.Sooner(again, at)
		default:
			s.said = true
			say = append(say, w)
		}
	}
	return say, again
}

func (c warnings) forget(namespace, name string) {
	delete(c, types.NamespacedName{Namespace: namespace, Name: name})
}

// warnAbout records, once, what keeps requests to a Service from ever finding a Pod. unnamed counts
// Pods by the name of the port whose targetPort they do not know.
func (c *Controller) warnAbout(service *corev1.Service, pods []*corev1.Pod, unnamed map[string]int) (again time.Time) {
	var wrong []warning
	if len(pods) == 0 && !c.someTemplateMatches(service) {
		wrong = append(wrong, warning{"SelectorMatchesNothing", fmt.Sprintf("The selector %s matches no Pod and no Pod template in namespace %s, so nobody answers "+
			"requests: compare it with the labels of the Pods", labels.FormatLabels(service.Spec.Selector), service.Namespace)})
	}
	for _, p := range service.Spec.Ports {
		if p.TargetPort.Type == intstr.String && len(pods) > 0 && unnamed[p.Name] == len(pods) {
			wrong = append(wrong, warning{"UnknownTargetPort", fmt.Sprintf("targetPort %q of port %d is the name of no container port of the Pods, so nobody answers "+
				"requests: %s", p.TargetPort.StrVal, p.Port, knownPorts(pods[0]))})
		}
	}
	say, again := c.warnings.note(types.NamespacedName{Namespace: service.Namespace, Name: service.Name}, wrong, time.Now())
	for _, w := range say {
		c.record(service, endpointsController, corev1.EventTypeWarning, w.reason, "%s", w.message)
	}
	return again
}

// knownPorts says what a Pod's ports are called.
func knownPorts(pod *corev1.Pod) string {
	var names []string
	for _, container := range slices.Concat(pod.Spec.Containers, pod.Spec.InitContainers) {
		for _, p := range container.Ports {
			if p.Name != "" {
				names = append(names, fmt.Sprintf("%s (%d/%s)", p.Name, p.ContainerPort, p.Protocol))
			}
		}
	}
	if len(names) == 0 {
		return "none of theirs has a name"
	}
	return "they have " + strings.Join(names, ", ")
}

// someTemplateMatches reports whether Pods that a Service selects may come, though there are none
// now.
func (c *Controller) someTemplateMatches(service *corev1.Service) bool {
	within := store.Selector{Namespace: service.Namespace}
	deployments, _ := store.List[*appsv1.Deployment](c.store, within)
	replicaSets, _ := store.List[*appsv1.ReplicaSet](c.store, within)
	statefulSets, _ := store.List[*appsv1.StatefulSet](c.store, within)
	return slices.ContainsFunc(deployments, func(o *appsv1.Deployment) bool { return selects(service.Spec.Selector, o.Spec.Template.Labels) }) ||
		slices.ContainsFunc(replicaSets, func(o *appsv1.ReplicaSet) bool { return selects(service.Spec.Selector, o.Spec.Template.Labels) }) ||
		slices.ContainsFunc(statefulSets, func(o *appsv1.StatefulSet) bool { return selects(service.Spec.Selector, o.Spec.Template.Labels) })
}
