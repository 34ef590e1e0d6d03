package workload

import (
	"fmt"
	"slices"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
)

// fleet is a Deployment whose ReplicaSets do at once what they are told; their Pods become
// available when the test says so.
type fleet struct {
	t *testing.T
	Rollout
	now        time.Time
	deployment *appsv1.Deployment
	said       []string
	shrank     bool // the old sets, in the last step
}

func newFleet(t *testing.T, replicas int, surge, unavailable string) *fleet {
	f := &fleet{t: t, now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), deployment: &appsv1.Deployment{}}
	f.deployment.Name, f.deployment.Spec.ProgressDeadlineSeconds = "web", new(int32(600))
	f.Strategy, f.Desired = Rolling, replicas
	var err error
	if f.Surge, f.Unavailable, err = RollingUpdateLimits(intOr(surge), intOr(unavailable), replicas); err != nil {
		t.Fatal(err)
	}
	f.Old = []ReplicaSetState{f.full("old", replicas)}
	return f
}

func (f *fleet) full(name string, n int) ReplicaSetState {
	return ReplicaSetState{Name: name, Size: n, Replicas: n, Ready: n, Available: n, Noted: new(f.Size())}
}

// step carries out one step and reports whether there was one.
func (f *fleet) step() bool {
	f.t.Helper()
	s := f.Next()
	f.shrank = false
	if s.Create {
		f.New = &ReplicaSetState{Name: "new", Size: s.Size, Replicas: s.Size, Noted: new(f.Size())}
		f.say("new", 0, s.Size)
	}
	for _, scaling := range s.Scale {
		set := f.find(scaling.Name)
		if set.Size != scaling.From {
			f.t.Fatalf("%+v, but the set has %d", scaling, set.Size)
		}
		f.shrank = f.shrank || set != f.New && scaling.To < scaling.From
		f.say(scaling.Name, scaling.From, scaling.To)
		set.Size, set.Replicas, set.Noted = scaling.To, scaling.To, new(f.Size())
		// what is not available goes first (R218)
		set.Ready, set.Available = min(set.Ready, set.Size), min(set.Available, set.Size)
	}
	f.status(s.Create)
	return s.Create || len(s.Scale) > 0
}

func (f *fleet) say(name string, from, to int) {
	if from != to {
		f.said = append(f.said, fmt.Sprintf("%s %d>%d", name, from, to))
	}
}

func (f *fleet) find(name string) *ReplicaSetState {
	if f.New != nil && f.New.Name == name {
		return f.New
	}
	i := slices.IndexFunc(f.Old, func(s ReplicaSetState) bool { return s.Name == name })
	if i < 0 {
		f.t.Fatalf("no set %s", name)
	}
	return &f.Old[i]
}

// status brings the Deployment's status up to date.
func (f *fleet) status(created bool) time.Time {
	o := RolloutObservation{Rollout: f.Rollout, Created: created}
	status, again := o.Status(f.deployment, f.now)
	f.deployment.Status = status
	return again
}

func (f *fleet) condition(t appsv1.DeploymentConditionType) appsv1.DeploymentCondition {
	if c := condition(f.deployment.Status.Conditions, t); c != nil {
		return *c
	}
	return appsv1.DeploymentCondition{}
}

// settle makes the new Pods available.
func (f *fleet) settle() {
	f.New.Ready, f.New.Available = f.New.Size, f.New.Size
	f.status(false)
}

func (f *fleet) String() string {
	old, size := 0, 0
	for _, s := range f.Old {
		old += s.Size
	}
	if f.New != nil {
		size = f.New.Size
	}
	return fmt.Sprintf("%d/%d", old, size)
}

// checkBounds is P01: never more than desired + surge, never less available than desired -
// unavailable.
func (f *fleet) checkBounds() {
	f.t.Helper()
	if f.total() > f.Desired+f.Surge || f.available() < f.Desired-f.Unavailable {
		f.t.Errorf("%v with %d available: out of bounds %d, %d", f, f.available(), f.Desired+f.Surge, f.Desired-f.Unavailable)
	}
}
