package workload

import (
	"cmp"
	"slices"
	"time"
)

// RolloutStrategy says how a Deployment's old Pods give way to new ones.
type RolloutStrategy string

// The strategies of a rollout.
const (
	// Rolling replaces a few at a time (R208, R209).
	Rolling RolloutStrategy = "RollingUpdate"
	// Recreate ends every old Pod first (R216).
	Recreate RolloutStrategy = "Recreate"
	// StopFirst is Recreate whatever the Deployment says, for programs that hold a fixed port: two
	// copies of them cannot be alive at once.
	StopFirst RolloutStrategy = "StopFirst"
)

// ReplicaSetState is what a rollout knows of one ReplicaSet.
type ReplicaSetState struct {
	Name string
	// Size is spec.replicas: how many Pods it is told to have.
	Size int
	// Replicas, Ready and Available count its Pods that are neither finished nor terminating;
	// Terminating counts those that terminate.
	Replicas, Ready, Available, Terminating int
	// Created breaks ties: older sets shrink first.
	Created time.Time
	// Revision is the number of the rollout that the set was last made for.
	Revision int64
	// Noted is the Deployment's size when it last sized the set, nil if it never did.
	Noted *DeploymentSize
}

// DeploymentSize is how many Pods a Deployment wanted and how many its surge allowed. A resize in
// the middle of a rollout is shared out by it.
type DeploymentSize struct{ Desired, Max int }

// Rollout is a Deployment at one instant: what is wanted, and what is there. Its methods decide and
// change nothing.
type Rollout struct {
	// Desired is the Deployment's spec.replicas.
	Desired int
	// Surge and Unavailable are resolved by [RollingUpdateLimits]; a Deployment that is not a
	// RollingUpdate has none.
	Surge, Unavailable int
	Strategy           RolloutStrategy
	Paused             bool
	// New is the ReplicaSet of the Deployment's template, nil if there is none yet.
	New *ReplicaSetState
	// Old are the other ReplicaSets, in any order.
	Old []ReplicaSetState
	// OldPods counts Pods of other templates that may still run, terminating ones too. Only
	// Recreate and StopFirst wait for them.
	OldPods int
}

// Step is what one sync of a Deployment does. The zero value does nothing.
type Step struct {
	// Create asks for the ReplicaSet of the template, with Size Pods.
	Create bool
	Size   int
	// Scale sets the sizes of ReplicaSets that are there.
	Scale []Scaling
}

// Scaling gives a ReplicaSet another size. From and To may be equal: then only the Deployment's
// size is to be noted on it.
type Scaling struct {
	Name     string
	From, To int
}

// Next is the step that a Deployment has to take now. Scalings of one step have one direction
// (R208), unless a resize of the Deployment is shared out.
func (r *Rollout) Next() Step {
	switch {
	case r.Paused:
		return Step{Scale: r.resize()}
	case r.resized() && (r.Strategy == Rolling || len(r.active()) == 1):
		return Step{Scale: r.resize()}
	case r.Strategy == Rolling:
		return r.roll()
	default:
		return r.recreate()
	}
}

// roll is one step of a rolling update: the new set grows first; only if it cannot, old ones shrink
// (R208).
func (r *Rollout) roll() Step {
	if r.New == nil {
		return Step{Create: true, Size: r.newSize(0)}
	}
	if to := r.newSize(r.New.Size); to != r.New.Size {
		return Step{Scale: []Scaling{{r.New.Name, r.New.Size, to}}}
	}
	return Step{Scale: r.shrinkOld()}
}

// newSize is what the new set may have: as many as are desired, and no more than the surge leaves
// room for. Terminating Pods do not count (R210).
func (r *Rollout) newSize(size int) int {
	room := max(r.Desired+r.Surge-r.total(), 0)
	return min(size+room, r.Desired)
}

// shrinkOld takes Pods from old sets, the oldest first, within the budget of R209: at first those
// that are not available, which costs nothing, then others as far as enough stay available.
func (r *Rollout) shrinkOld() []Scaling {
	atLeast := r.Desired - r.Unavailable
	budget := r.total() - atLeast - (r.New.Size - r.New.Available)
	if budget <= 0 {
		return nil
	}
	old := byAge(r.Old)
	size := make([]int, len(old))
	for i, set := range old {
		unhealthy := min(max(set.Size-set.Available, 0), budget)
		budget -= unhealthy
		size[i] = set.Size - unhealthy
	}
	spare := r.available() - atLeast
	for i := range old {
		n := min(size[i], max(spare, 0))
		spare -= n
		size[i] -= n
	}
	return changes(old, size)
}

// recreate is one step of a rollout that ends the old Pods before it starts new ones (R216).
func (r *Rollout) recreate() Step {
	if down := changes(byAge(r.Old), make([]int, len(r.Old))); len(down) > 0 {
		return Step{Scale: down}
	}
	switch {
	case r.OldPods > 0:
		return Step{}
	case r.New == nil:
		return Step{Create: true, Size: r.Desired}
	case r.New.Size != r.Desired:
		return Step{Scale: []Scaling{{r.New.Name, r.New.Size, r.Desired}}}
	default:
		return Step{}
	}
}

// changes lists what differs between the sizes of sets and those that they shall have.
func changes(sets []ReplicaSetState, sizes []int) []Scaling {
	var all []Scaling
	for i, set := range sets {
		if set.Size != sizes[i] {
			all = append(all, Scaling{set.Name, set.Size, sizes[i]})
		}
	}
	return all
}

// sets are all of them, the new one last.
func (r *Rollout) sets() []ReplicaSetState {
	all := slices.Clone(r.Old)
	if r.New != nil {
		all = append(all, *r.New)
	}
	return all
}

// active are the sets that are told to have Pods.
func (r *Rollout) active() []ReplicaSetState {
	return slices.DeleteFunc(r.sets(), func(s ReplicaSetState) bool { return s.Size == 0 })
}

// total counts spec.replicas of all sets (R210).
func (r *Rollout) total() int { return sum(r.sets(), func(s ReplicaSetState) int { return s.Size }) }

func (r *Rollout) available() int {
	return sum(r.sets(), func(s ReplicaSetState) int { return s.Available })
}

func sum(sets []ReplicaSetState, of func(ReplicaSetState) int) (n int) {
	for _, s := range sets {
		n += of(s)
	}
	return n
}

// byAge sorts a copy, the oldest first.
func byAge(sets []ReplicaSetState) []ReplicaSetState {
	return slices.SortedStableFunc(slices.Values(sets), func(a, b ReplicaSetState) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.Revision, b.Revision), cmp.Compare(a.Name, b.Name))
	})
}
