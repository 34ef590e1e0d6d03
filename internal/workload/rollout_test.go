package workload

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func intOr(v string) *intstr.IntOrString { return new(intstr.Parse(v)) }

func TestRollingUpdateLimits(t *testing.T) { // P01 R206
	for _, tt := range []struct {
		replicas                 int
		surge, unavailable       string
		maxTotal, leastAvailable int
	}{
		{10, "25%", "25%", 13, 8},
		{1, "25%", "25%", 2, 1},
		{4, "25%", "25%", 5, 3},
		{3, "0", "10%", 3, 2},
		{2, "25%", "25%", 3, 2},
		{5, "2", "2", 7, 3},
		{3, "0", "100%", 3, 0},
		{2, "1", "5", 3, 0}, // capped at replicas
		{0, "25%", "25%", 0, 0},
	} {
		surge, unavailable, err := RollingUpdateLimits(intOr(tt.surge), intOr(tt.unavailable), tt.replicas)
		if total, least := tt.replicas+surge, tt.replicas-unavailable; err != nil || total != tt.maxTotal || least != tt.leastAvailable {
			t.Errorf("%d with %s/%s: at most %d, at least %d, %v, want %d and %d", tt.replicas, tt.surge, tt.unavailable, total, least, err, tt.maxTotal, tt.leastAvailable)
		}
	}
	// P13 R205
	if surge, unavailable, err := RollingUpdateLimits(nil, nil, 10); surge != 3 || unavailable != 2 || err != nil {
		t.Errorf("by default %d, %d, %v, want 3 and 2", surge, unavailable, err)
	}
	for _, bad := range []string{"a", "%", "5"} {
		value := new(intstr.FromString(bad))
		if _, _, err := RollingUpdateLimits(value, nil, 1); err == nil || !strings.Contains(err.Error(), "maxSurge") {
			t.Errorf("maxSurge %q: error %v", bad, err)
		}
		if _, _, err := RollingUpdateLimits(nil, value, 1); err == nil || !strings.Contains(err.Error(), "maxUnavailable") {
			t.Errorf("maxUnavailable %q: error %v", bad, err)
		}
	}
}

func TestSequences(t *testing.T) { // P02 P14 P16 R208–R210 R219
	for _, tt := range []struct {
		replicas                     int
		surge, unavailable, sequence string
	}{
		{10, "25%", "25%", "10/0 10/3 8/3 8/5 * 3/5 3/10 * 0/10"},
		{3, "1", "0", "3/0 3/1 * 2/1 2/2 * 1/2 1/3 * 0/3"},
		{4, "0", "1", "4/0 3/0 3/1 * 2/1 2/2 * 1/2 1/3 * 0/3 0/4 *"},
		{1, "25%", "25%", "1/0 1/1 * 0/1"},
		{3, "0", "10%", "3/0 2/0 2/1 * 1/1 1/2 * 0/2 0/3 *"},
		{4, "25%", "25%", "4/0 4/1 3/1 3/2 * 1/2 1/4 * 0/4"},
	} {
		t.Run(fmt.Sprint(tt.replicas, " ", tt.surge, " ", tt.unavailable), func(t *testing.T) {
			f := newFleet(t, tt.replicas, tt.surge, tt.unavailable)
			for want := range strings.FieldsSeq(tt.sequence) {
				if want == "*" {
					if before := f.String(); f.step() {
						t.Fatalf("%s goes on to %v before the new Pods are available", before, f)
					}
					f.settle()
					continue
				}
				for f.String() != want {
					couldGrow := f.New != nil && f.New.Size < f.Desired && f.total() < f.Desired+f.Surge
					if before := f.String(); !f.step() || couldGrow && f.shrank {
						// P14
						t.Fatalf("%s to %v, want %s; the new set could have grown: %v", before, f, want, couldGrow)
					}
					f.checkBounds()
				}
				f.checkConditions()
			}
			for f.step() {
			}
			f.checkConditions()
			if c := f.condition(appsv1.DeploymentProgressing); c.Reason != "NewReplicaSetAvailable" || c.Message != `ReplicaSet "new" has successfully progressed.` {
				t.Errorf("at the end: %+v", c)
			}
		})
	}
}

// checkConditions is P16: the formulas of R212 and R214.
func (f *fleet) checkConditions() {
	f.t.Helper()
	if f.New == nil {
		return
	}
	want := corev1.ConditionFalse
	if f.available() >= f.Desired-f.Unavailable {
		want = corev1.ConditionTrue
	}
	if c := f.condition(appsv1.DeploymentAvailable); c.Status != want {
		f.t.Errorf("%v with %d available: Available is %s, want %s", f, f.available(), c.Status, want)
	}
	over := f.New.Size == f.Desired && f.total() == f.Desired && f.New.Available == f.Desired
	if c := f.condition(appsv1.DeploymentProgressing); (c.Reason == "NewReplicaSetAvailable") != over {
		f.t.Errorf("%v with %d available: Progressing is %s, complete: %v", f, f.available(), c.Reason, over)
	}
}

func TestStall(t *testing.T) { // R220: a version that never becomes Ready
	f := newFleet(t, 10, "25%", "25%")
	for f.step() {
		f.checkBounds()
	}
	if f.String() != "8/5" {
		t.Errorf("%v, want 8/5", f)
	}
}

func TestUnhealthyGoFirst(t *testing.T) { // R209
	for _, tt := range []struct {
		healthy, broken, size int // of the old sets and of the new one, of which none is available
		want                  []string
	}{
		{8, 3, 2, []string{"broken 3>0"}},
		{6, 5, 2, []string{"broken 5>2"}}, // no more than 13 - 8 - 2 in one step
		{8, 5, 0, []string{"broken 5>0"}},
	} {
		f := newFleet(t, 10, "25%", "25%")
		broken := f.full("broken", tt.broken)
		broken.Available, broken.Created = 0, f.now.Add(time.Hour) // younger, and yet it goes first
		f.Old = []ReplicaSetState{broken, f.full("old", tt.healthy)}
		f.New = &ReplicaSetState{Name: "new", Size: tt.size, Replicas: tt.size, Noted: new(f.Size())}
		if f.step(); !slices.Equal(f.said, tt.want) {
			t.Errorf("%+v: %v", tt, f.said)
		}
	}
}

func TestRecreate(t *testing.T) { // P08 R216
	for _, strategy := range []RolloutStrategy{Recreate, StopFirst} {
		f := newFleet(t, 3, "25%", "25%")
		f.Strategy, f.OldPods = strategy, 3
		f.step()
		if f.String() != "0/0" || f.step() || f.New != nil {
			t.Errorf("%s: %v while old Pods terminate, want 0/0 and no new set", strategy, f)
		}
		f.OldPods = 0
		f.step()
		if f.String() != "0/3" || f.step() {
			t.Errorf("%s: %v, want 0/3", strategy, f)
		}
		f.Desired = 5 // a resize needs no stop
		f.step()
		if f.String() != "0/5" || f.step() {
			t.Errorf("%s: %v, want 0/5", strategy, f)
		}
	}
}

// A rollout that began before the node found out that the program holds a fixed port goes on as
// StopFirst.
func TestStopFirstInTheMiddle(t *testing.T) {
	f := newFleet(t, 2, "1", "0")
	f.step()
	if f.String() != "2/1" {
		t.Fatal(f)
	}
	f.Strategy, f.OldPods = StopFirst, 2
	f.step()
	if f.String() != "0/1" || f.step() {
		t.Errorf("%v, want 0/1 and no more", f)
	}
	f.OldPods = 0
	f.step()
	if f.String() != "0/2" {
		t.Errorf("%v, want 0/2", f)
	}
}

func TestResize(t *testing.T) {
	for name, tt := range map[string]struct {
		old, size, to int
		available     int // of the new set
		paused        bool
		want          string
	}{
		"up, one set":                         {3, 0, 5, 0, false, "5/0"},
		"down, one set":                       {3, 0, 1, 0, false, "1/0"},
		"to nothing":                          {3, 0, 0, 0, false, "0/0"},
		"up in the middle, by proportion":     {8, 5, 20, 0, false, "15/10"},
		"down in the middle, by proportion":   {8, 5, 5, 0, false, "4/3"},
		"to nothing in the middle":            {8, 5, 0, 0, false, "0/0"},
		"paused, but the new set is all":      {2, 10, 10, 10, true, "0/10"},
		"paused, in the middle":               {8, 5, 20, 0, true, "15/10"},
		"paused, and nothing else to be done": {8, 5, 10, 0, true, "8/5"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFleet(t, 10, "25%", "25%")
			if tt.size == 0 {
				f = newFleet(t, tt.old, "25%", "25%")
			}
			f.Old[0] = f.full("old", tt.old)
			f.New = new(f.full("new", tt.size))
			f.New.Available = tt.available
			f.Paused = tt.paused
			f.Desired = tt.to
			f.Surge, f.Unavailable, _ = RollingUpdateLimits(intOr("25%"), intOr("25%"), tt.to)
			f.step()
			if f.String() != tt.want {
				t.Errorf("%v, want %s", f, tt.want)
			}
			if f.Paused && f.step() {
				t.Errorf("goes on to %v", f)
			}
		})
	}
}

func TestSurplus(t *testing.T) { // P07 R215
	r := Rollout{Old: []ReplicaSetState{{Name: "4", Revision: 4}, {Name: "1", Revision: 1}, {Name: "3", Revision: 3}, {Name: "2", Revision: 2, Replicas: 1}}}
	for _, tt := range []struct {
		limit    int
		complete bool
		want     []string
	}{
		{2, true, []string{"1"}}, // 2 has a Pod left
		{2, false, nil},
		{0, true, []string{"1", "3", "4"}},
		{10, true, nil},
	} {
		if got := r.Surplus(tt.limit, tt.complete); !slices.Equal(got, tt.want) {
			t.Errorf("limit %d, complete %v: %v, want %v", tt.limit, tt.complete, got, tt.want)
		}
	}
	r.Paused = true
	if got := r.Surplus(3, false); !slices.Equal(got, []string{"1"}) {
		t.Errorf("paused: %v, want 1", got)
	}
	if n := r.NextRevision(); n != 5 {
		t.Errorf("next revision %d, want 5", n)
	}
}
