package workload

import (
	"fmt"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// ordinals reads Pods such as "0:old 1:new:ready 2:old:terminating".
func ordinals(text string) (pods []*corev1.Pod) {
	for word := range strings.FieldsSeq(text) {
		parts := strings.Split(word, ":")
		pod := replica("web-"+parts[0], -1)
		if len(parts) > 2 {
			switch parts[2] {
			case "ready":
				pod = replica("web-"+parts[0], time.Second)
			case "terminating":
				pod = replica("web-"+parts[0], time.Second, deleted)
			case "failed":
				pod = replica("web-"+parts[0], -1, inPhase(corev1.PodFailed))
			}
		}
		pod.Labels = map[string]string{appsv1.StatefulSetRevisionLabel: parts[1]}
		pods = append(pods, pod)
	}
	return pods
}

func (step StatefulStep) String() string {
	var words []string
	for _, o := range step.Create {
		words = append(words, fmt.Sprintf("+%d:%s", o.Number, o.Revision))
	}
	for _, pod := range step.Delete {
		words = append(words, "-"+strings.TrimPrefix(pod.Name, "web-"))
	}
	return strings.Join(words, " ")
}

func TestStatefulSetSteps(t *testing.T) {
	parallel := func(s *appsv1.StatefulSet) { s.Spec.PodManagementPolicy = appsv1.ParallelPodManagement }
	onDelete := func(s *appsv1.StatefulSet) { s.Spec.UpdateStrategy.Type = appsv1.OnDeleteStatefulSetStrategyType }
	partition := func(n int32) func(*appsv1.StatefulSet) {
		return func(s *appsv1.StatefulSet) {
			s.Spec.UpdateStrategy.RollingUpdate = &appsv1.RollingUpdateStatefulSetStrategy{Partition: &n}
		}
	}
	unavailable := func(n string) func(*appsv1.StatefulSet) {
		return func(s *appsv1.StatefulSet) {
			s.Spec.UpdateStrategy.RollingUpdate = &appsv1.RollingUpdateStatefulSetStrategy{MaxUnavailable: new(intstr.Parse(n))}
		}
	}
	from := func(n int32) func(*appsv1.StatefulSet) {
		return func(s *appsv1.StatefulSet) { s.Spec.Ordinals = &appsv1.StatefulSetOrdinals{Start: n} }
	}
	patient := func(s *appsv1.StatefulSet) { s.Spec.MinReadySeconds = 10 }
	going := func(s *appsv1.StatefulSet) { s.DeletionTimestamp = new(metav1.NewTime(noon())) }
	type changes = []func(*appsv1.StatefulSet)
	for name, tt := range map[string]struct {
		replicas int32
		pods     string
		changes  changes
		want     string
	}{
		"the first":                         {3, "", nil, "+0:new"},
		"it is not ready yet":               {3, "0:new", nil, ""},
		"the second":                        {3, "0:new:ready", nil, "+1:new"},
		"a gap is filled first":             {3, "0:new:ready 2:new:ready", nil, "+1:new"},
		"it terminates still":               {1, "0:new:terminating", nil, ""},
		"all at once":                       {3, "1:new", changes{parallel}, "+0:new +2:new"},
		"a failed one comes back":           {2, "0:new:failed 1:new:ready", nil, "-0"},
		"failed ones come back":             {2, "0:new:failed 1:new:failed", changes{parallel}, "-0 -1"},
		"shrink from the top":               {1, "0:new:ready 1:new:ready 2:new:ready", nil, "-2"},
		"one after the other":               {1, "0:new:ready 1:new:ready 2:new:terminating", nil, ""},
		"an unready one may go":             {1, "0:new:ready 1:new:ready 2:new", nil, "-2"},
		"but only if those below are ready": {2, "0:new 1:new:ready 2:new:ready", nil, ""},
		"shrink at once":                    {1, "0:new 1:new:ready 2:new:terminating 3:new", changes{parallel}, "-3 -1"},
		"update from the top":               {3, "0:old:ready 1:old:ready 2:old:ready", nil, "-2"},
		"with the new revision":             {3, "0:old:ready 1:old:ready", nil, "+2:new"},
		"next when it is ready":             {3, "0:old:ready 1:old:ready 2:new:ready", nil, "-1"},
		"a stuck Pod blocks":                {3, "0:old:ready 1:old:ready 2:new", nil, ""},
		"also in parallel":                  {3, "0:old:ready 1:old:ready 2:new", changes{parallel}, ""},
		"an unready old one blocks too":     {3, "0:old:ready 1:old 2:old:ready", nil, ""},
		"but not in parallel":               {3, "0:old:ready 1:old 2:old:ready", changes{parallel}, "-2"},
		"up to the partition":               {3, "0:old:ready 1:old:ready 2:new:ready", changes{partition(2)}, ""},
		"below it with the old revision":    {3, "0:old:ready 2:new:ready", changes{partition(2)}, "+1:old"},
		"above it with the new one":         {3, "0:old:ready 1:old:ready", changes{partition(2)}, "+2:new"},
		"a partition beyond the replicas":   {2, "0:old:ready 1:old:ready", changes{partition(9)}, ""},
		"on delete: nothing by itself":      {2, "0:old:ready 1:old:ready", changes{onDelete}, ""},
		"on delete: the new revision":       {2, "0:old:ready", changes{onDelete}, "+1:new"},
		"two may be away":                   {4, "0:old:ready 1:old:ready 2:old:ready 3:old:ready", changes{unavailable("2")}, "-3 -2"},
		"half may be away":                  {4, "0:old:ready 1:old:ready 2:old:ready 3:new", changes{parallel, unavailable("50%")}, "-2"},
		"a small part is one":               {4, "0:old:ready 1:old:ready 2:old:ready 3:old:ready", changes{unavailable("1%")}, "-3"},
		"ordinals from 5":                   {2, "5:new:ready", changes{from(5)}, "+6:new"},
		"ordinals below are too many":       {1, "4:new:ready 5:new:ready", changes{from(5)}, "-4"},
		"ready, but not for long enough":    {2, "0:new:ready", changes{patient}, ""},
		"it is deleted itself":              {2, "0:new:ready", changes{going}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			set := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Name: "web"}, Spec: appsv1.StatefulSetSpec{Replicas: &tt.replicas}}
			for _, change := range tt.changes {
				change(set)
			}
			state := StatefulSetState{Set: set, Pods: ordinals(tt.pods), Current: "old", Update: "new"}
			step := state.Next(noon())
			if step.String() != tt.want {
				t.Errorf("%q, want %q", step, tt.want)
			}
			if want := noon().Truncate(time.Second).Add(9 * time.Second); set.Spec.MinReadySeconds > 0 && !step.Again.Equal(want) {
				t.Errorf("again at %v, want %v", step.Again, want)
			}
		})
	}
}

func TestStatefulSetStatus(t *testing.T) {
	set := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Name: "web", Generation: 4}, Spec: appsv1.StatefulSetSpec{Replicas: new(int32(3))}}
	state := StatefulSetState{Set: set, Pods: ordinals("0:old:ready 1:new 2:new:terminating"), Current: "old", Update: "new"}
	want := appsv1.StatefulSetStatus{ObservedGeneration: 4, Replicas: 3, ReadyReplicas: 2, AvailableReplicas: 2, CurrentReplicas: 1, UpdatedReplicas: 1, CurrentRevision: "old", UpdateRevision: "new"}
	if got := state.Status(noon()); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("in the middle: %+v, want %+v", got, want)
	}
	state.Pods = ordinals("0:new:ready 1:new:ready 2:new:ready")
	if got := state.Status(noon()); got.CurrentRevision != "new" || got.CurrentReplicas != 3 {
		t.Errorf("at the end: %+v, want the current revision to be new", got)
	}
	set.Spec.UpdateStrategy.Type = appsv1.OnDeleteStatefulSetStrategyType
	if got := state.Status(noon()); got.CurrentRevision != "old" {
		t.Errorf("on delete: %+v, want the current revision to stay", got)
	}
}

// TestPodWithoutOrdinal has a Pod that says that it is of the set, and has no place in it.
func TestPodWithoutOrdinal(t *testing.T) {
	set := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Name: "web"}, Spec: appsv1.StatefulSetSpec{Replicas: new(int32(1))}}
	state := &StatefulSetState{Set: set, Current: "old", Update: "new", Pods: ordinals("0:old:ready x:old")}
	if got := state.Next(noon()).String(); got != "-0" {
		t.Errorf("step %q, want -0: the update goes on, and the other Pod is left alone", got)
	}
	if got := state.Status(noon()); got.Replicas != 1 || got.CurrentReplicas != 1 {
		t.Errorf("status %+v, want one replica", got)
	}
}

func TestOrdinalOf(t *testing.T) {
	set := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Name: "web"}}
	for name, want := range map[string]int{"web-0": 0, "web-12": 12, "web-01": -1, "web-": -1, "web": -1, "db-1": -1, "web-x": -1, "web--1": -1, "web-+1": -1, "web-99999999999": -1} {
		if got := OrdinalOf(set, replica(name, -1)); got != want {
			t.Errorf("%s: %d, want %d", name, got, want)
		}
	}
}
