package workload

import (
	"slices"
	"strconv"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/probity-run/probity/internal/lifecycle"
)

// StatefulSetState is a StatefulSet at one instant. Its methods decide and change nothing.
type StatefulSetState struct {
	Set *appsv1.StatefulSet
	// Pods are those that it owns, terminating ones too, in any order.
	Pods []*corev1.Pod
	// Current and Update name the revisions of the template before and after its last change; they
	// are equal once every Pod is updated. A Pod carries its own in the label
	// controller-revision-hash.
	Current, Update string
}

// StatefulStep is what one sync of a StatefulSet does. The zero value waits.
type StatefulStep struct {
	// Create are the Pods to make.
	Create []Ordinal
	// Delete are the Pods to delete: finished ones, which come back; those beyond the replicas;
	// outdated ones, which come back too.
	Delete []*corev1.Pod
	// Again is when to look again although nothing happens, because a Pod becomes available then;
	// zero means never.
	Again time.Time
}

// Ordinal is a place in a StatefulSet, and the revision of the Pod that takes it.
type Ordinal struct {
	Number   int
	Revision string
}

// Next is the step that the set has to take now. Under OrderedReady it does one thing at a time: it
// fills places from the lowest ordinal up, empties those beyond the replicas from the highest down,
// then updates from the highest down, and whatever is not available blocks what comes after it.
// Under Parallel it fills and empties places all at once; updates keep their order.
func (s *StatefulSetState) Next(now time.Time) StatefulStep {
	step := StatefulStep{Again: s.again(now)}
	if s.Set.DeletionTimestamp != nil {
		return step
	}
	places, condemned := s.places()
	if s.fill(&step, places, now) && s.empty(&step, condemned) && s.Set.Spec.UpdateStrategy.Type != appsv1.OnDeleteStatefulSetStrategyType {
		s.update(&step, places, now)
	}
	return step
}

// fill makes what is missing and reports whether the set may go on.
func (s *StatefulSetState) fill(step *StatefulStep, places []*corev1.Pod, now time.Time) bool {
	for i, pod := range places {
		done := false
		switch {
		case pod == nil:
			step.Create = append(step.Create, s.ordinal(i))
		case IsFinished(pod) && pod.DeletionTimestamp == nil:
			s.replace(step, pod, now)
		default:
			done = s.available(pod, now)
		}
		if !done && s.ordered() {
			return false
		}
	}
	return true
}

// replace deletes a finished Pod so that it comes back, but not more often than every 10 s.
// Kubernetes has no such limit; here nothing else would slow down a program that ends at once.
func (s *StatefulSetState) replace(step *StatefulStep, pod *corev1.Pod, now time.Time) {
	if at := pod.CreationTimestamp.Add(lifecycle.InitialBackoff); now.Before(at) {
		step.Again = Sooner(step.Again, at)
		return
	}
	step.Delete = append(step.Delete, pod)
}

// empty deletes Pods beyond the replicas and reports whether the set may go on.
func (s *StatefulSetState) empty(step *StatefulStep, condemned []*corev1.Pod) bool {
	for _, pod := range condemned {
		if pod.DeletionTimestamp == nil {
			step.Delete = append(step.Delete, pod)
		}
		if s.ordered() {
			return false
		}
	}
	return true
}

// update deletes outdated Pods from the highest ordinal down to the partition, as long as no more
// than maxUnavailable of them, one by default, are away.
func (s *StatefulSetState) update(step *StatefulStep, places []*corev1.Pod, now time.Time) {
	budget := s.maxUnavailable()
	for i := len(places) - 1; i >= s.partition() && budget > 0; i-- {
		pod := places[i]
		switch {
		case pod != nil && IsActive(pod) && RevisionOf(pod) != s.Update:
			step.Delete = append(step.Delete, pod)
			budget--
		case pod == nil || !s.available(pod, now):
			budget--
		}
	}
}

// places are the Pods by ordinal, nil where there is none, and those that are beyond the replicas,
// the highest first. A Pod whose name has no ordinal is left alone.
func (s *StatefulSetState) places() (places, condemned []*corev1.Pod) {
	places = make([]*corev1.Pod, s.replicas())
	for _, pod := range s.Pods {
		ordinal := OrdinalOf(s.Set, pod)
		switch i := ordinal - s.start(); {
		case ordinal < 0:
		case i >= 0 && i < len(places):
			places[i] = pod
		default:
			condemned = append(condemned, pod)
		}
	}
	slices.SortFunc(condemned, func(a, b *corev1.Pod) int { return OrdinalOf(s.Set, b) - OrdinalOf(s.Set, a) })
	return places, condemned
}

// ordinal is a place to fill: below the partition with the revision before the update.
func (s *StatefulSetState) ordinal(i int) Ordinal {
	if s.Set.Spec.UpdateStrategy.Type != appsv1.OnDeleteStatefulSetStrategyType && i < s.partition() {
		return Ordinal{s.start() + i, s.Current}
	}
	return Ordinal{s.start() + i, s.Update}
}

func (s *StatefulSetState) ordered() bool {
	return s.Set.Spec.PodManagementPolicy != appsv1.ParallelPodManagement
}

func (s *StatefulSetState) available(pod *corev1.Pod, now time.Time) bool {
	return IsActive(pod) && Available(pod, s.Set.Spec.MinReadySeconds, now)
}

func (s *StatefulSetState) again(now time.Time) (again time.Time) {
	for _, pod := range s.Pods {
		if at, ready := AvailableAt(pod, s.Set.Spec.MinReadySeconds); ready && IsActive(pod) && at.After(now) {
			again = Sooner(again, at)
		}
	}
	return again
}

func (s *StatefulSetState) replicas() int {
	if s.Set.Spec.Replicas == nil {
		return 1
	}
	return int(*s.Set.Spec.Replicas)
}

func (s *StatefulSetState) start() int {
	if s.Set.Spec.Ordinals == nil {
		return 0
	}
	return int(s.Set.Spec.Ordinals.Start)
}

func (s *StatefulSetState) partition() int {
	if rolling := s.Set.Spec.UpdateStrategy.RollingUpdate; rolling != nil && rolling.Partition != nil {
		return int(*rolling.Partition)
	}
	return 0
}

// maxUnavailable is at least 1; a percentage of the replicas is rounded down.
func (s *StatefulSetState) maxUnavailable() int {
	rolling := s.Set.Spec.UpdateStrategy.RollingUpdate
	if rolling == nil || rolling.MaxUnavailable == nil {
		return 1
	}
	n, err := intstr.GetScaledValueFromIntOrPercent(rolling.MaxUnavailable, s.replicas(), false)
	if err != nil {
		return 1 // the default, for what is neither a number nor a percentage
	}
	return max(n, 1)
}

// RevisionOf is the revision of the template that a StatefulSet's Pod was made from.
func RevisionOf(pod *corev1.Pod) string { return pod.Labels[appsv1.StatefulSetRevisionLabel] }

// OrdinalOf is the number at the end of a Pod's name, or -1 if the Pod has not the name of one of
// the set's.
func OrdinalOf(set *appsv1.StatefulSet, pod *corev1.Pod) int {
	digits, ok := strings.CutPrefix(pod.Name, set.Name+"-")
	n, err := strconv.ParseUint(digits, 10, 31)
	if !ok || err != nil || strconv.FormatUint(n, 10) != digits {
		return -1
	}
	return int(n)
}
