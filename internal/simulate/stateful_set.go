package simulate

import (
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/simulate/script"
	"github.com/probity-run/probity/internal/workload"
)

// statefulSet fills its places by the rules of workload.StatefulSetState.
type statefulSet struct {
	object   *appsv1.StatefulSet
	size     int
	current  string
	update   string
	revision int
	pods     []*pod
}

func newStatefulSet(object *appsv1.StatefulSet, size int) *statefulSet {
	object = object.DeepCopy()
	object.Spec.Replicas = new(int32(size))
	return &statefulSet{object: object, size: size, current: "1", update: "1", revision: 1}
}

// sync implements controller.
func (s *statefulSet) sync(c *cluster) {
	for {
		s.pods = notGone(s.pods)
		state := workload.StatefulSetState{Set: s.object, Pods: objects(s.pods), Current: s.current, Update: s.update}
		s.object.Status = state.Status(c.time(c.now))
		s.current = s.object.Status.CurrentRevision
		step := state.Next(c.time(c.now))
		if !step.Again.IsZero() && c.since(step.Again) > c.now {
			c.syncAt(step.Again)
		}
		if len(step.Create) == 0 && len(step.Delete) == 0 {
			return
		}
		for _, place := range step.Create {
			pod := podOf(s.object, &s.object.Spec.Template, fmt.Sprintf("%s-%d", s.object.Name, place.Number))
			if pod.Labels == nil {
				pod.Labels = map[string]string{}
			}
			pod.Labels[appsv1.StatefulSetRevisionLabel] = place.Revision
			s.pods = append(s.pods, c.createPod(s.workload(), pod, place.Number))
		}
		for _, victim := range step.Delete {
			i := slices.IndexFunc(s.pods, func(p *pod) bool { return p.object.UID == victim.UID })
			c.note(EntryRollout, "Pod "+victim.Name+" is deleted")
			s.pods[i].delete()
		}
	}
}

// mayDeletePods implements controller.
func (s *statefulSet) mayDeletePods() bool { return s.current != s.update }

// rollout implements controller.
func (s *statefulSet) rollout(c *cluster) {
	s.revision++
	s.update = fmt.Sprint(s.revision)
	c.syncDue = true
}

// replicas implements controller.
func (s *statefulSet) replicas() int { return s.size }

// workload implements controller.
func (s *statefulSet) workload() script.Workload {
	return workloadOf("StatefulSet", s.object.Name, &s.object.Spec.Template.Spec)
}

// title implements controller.
func (s *statefulSet) title() string { return titled("StatefulSet", s.object.Name, s.size) }

// template implements controller.
func (s *statefulSet) template() *corev1.Pod {
	return podOf(s.object, &s.object.Spec.Template, s.object.Name+"-0")
}
