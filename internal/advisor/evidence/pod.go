package evidence

import (
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/manifest"
)

// pod is what is kept of a Pod.
type pod struct {
	workload   manifest.Ref
	created    time.Time
	containers []instance
}

// instance is what is kept of a container of a Pod.
type instance struct {
	name string
	// start is the time from the start of the first instance until the Pod was Ready; 0 if it is
	// not known, because there were others since, or it is not Ready.
	start time.Duration
	// notReady is how long the Pod has been not Ready although the container has started; 0 if it
	// is Ready, or has not been so yet as far as is known.
	notReady time.Duration
	restarts int
	exit     *Exit // of the instance before
	probes   [probeTypes]probe
}

// probe is what is known of a probe of a container of a Pod.
type probe struct {
	events, kills int           // by Events, which are floors
	exact         int           // by the kubelet's counters; -1 if nobody tells them
	renewed       time.Duration // from the first kill to the last one of an Event
	words         string
	last          time.Time
}

// AddPod takes a Pod, and reports whether it has to be judged itself, because no workload is there
// that is. What has ended for good, or is about to, tells nothing about now and is left out.
func (o *Observations) AddPod(p *corev1.Pod) (judge bool) {
	if p.DeletionTimestamp != nil || p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed {
		return false
	}
	workload := o.ownerOf(p)
	kept := &pod{workload: clone(workload), created: p.CreationTimestamp.Time}
	ready := conditionOf(p, corev1.PodReady)
	for _, status := range slices.Concat(sidecars(p), p.Status.ContainerStatuses) {
		kept.containers = append(kept.containers, o.instance(&status, ready))
	}
	o.pods[types.UID(strings.Clone(string(p.UID)))] = kept
	return workload.Kind == "Pod" && workload.Name == p.Name
}

func (o *Observations) instance(s *corev1.ContainerStatus, ready *corev1.PodCondition) instance {
	c := instance{name: strings.Clone(s.Name), restarts: int(s.RestartCount)}
	for i := range c.probes {
		c.probes[i].exact = -1
	}
	end := s.State.Terminated
	if end == nil {
		end = s.LastTerminationState.Terminated
	}
	if end != nil {
		c.exit = &Exit{Reason: strings.Clone(end.Reason), Code: int(end.ExitCode), Signal: int(end.Signal), Count: 1}
	}
	running := s.State.Running
	if running == nil || ready == nil {
		return c
	}
	switch changed := ready.LastTransitionTime.Sub(running.StartedAt.Time); {
	case ready.Status == corev1.ConditionTrue && s.RestartCount == 0 && changed >= 0:
		c.start = max(changed, time.Nanosecond)
	case ready.Status == corev1.ConditionFalse && changed > 0 && s.Started != nil && *s.Started && !s.Ready:
		c.notReady = max(o.options.Now.Sub(ready.LastTransitionTime.Time), time.Nanosecond)
	}
	return c
}

// sidecars are the statuses of init containers that run beside the others.
func sidecars(p *corev1.Pod) (list []corev1.ContainerStatus) {
	for _, c := range p.Spec.InitContainers {
		if c.RestartPolicy == nil || *c.RestartPolicy != corev1.ContainerRestartPolicyAlways {
			continue
		}
		if i := slices.IndexFunc(p.Status.InitContainerStatuses, func(s corev1.ContainerStatus) bool { return s.Name == c.Name }); i >= 0 {
			list = append(list, p.Status.InitContainerStatuses[i])
		}
	}
	return list
}

func conditionOf(p *corev1.Pod, kind corev1.PodConditionType) *corev1.PodCondition {
	i := slices.IndexFunc(p.Status.Conditions, func(c corev1.PodCondition) bool { return c.Type == kind })
	if i < 0 {
		return nil
	}
	return &p.Status.Conditions[i]
}

// clone keeps a reference without the object that it was read of.
func clone(r manifest.Ref) manifest.Ref {
	return manifest.Ref{Kind: strings.Clone(r.Kind), Namespace: strings.Clone(r.Namespace), Name: strings.Clone(r.Name)}
}

// find is the container of that name; nil if there is none.
func (p *pod) find(name string) *instance {
	i := slices.IndexFunc(p.containers, func(c instance) bool { return c.name == name })
	if i < 0 {
		return nil
	}
	return &p.containers[i]
}
