package workload

import (
	"cmp"
	"slices"
)

// resized reports whether the Deployment wants another number of Pods than when its ReplicaSets
// were sized.
func (r *Rollout) resized() bool {
	return slices.ContainsFunc(r.active(), func(s ReplicaSetState) bool { return s.Noted != nil && s.Noted.Desired != r.Desired })
}

// resize brings the sets to the Deployment's size without going on with a rollout: what was scaled
// or paused in the middle of one keeps its proportions.
func (r *Rollout) resize() []Scaling {
	active := r.active()
	switch {
	case len(active) == 0 && len(r.sets()) == 0:
		return nil
	case len(active) == 0 && r.New != nil:
		return r.sizeTo(*r.New, r.Desired)
	case len(active) == 0:
		old := byAge(r.Old)
		return r.sizeTo(old[len(old)-1], r.Desired)
	case len(active) == 1:
		return r.sizeTo(active[0], r.Desired)
	case r.saturated():
		return changes(byAge(r.Old), make([]int, len(r.Old)))
	case r.Strategy == Rolling:
		return r.share(active)
	default:
		return nil // paused in the middle of a Recreate: nothing may start beside what is there
	}
}

// sizeTo scales one set, or only notes the Deployment's size on it; nothing if that is up to date
// too.
func (r *Rollout) sizeTo(set ReplicaSetState, to int) []Scaling {
	if set.Size == to && (to == 0 || set.Noted != nil && *set.Noted == r.Size()) {
		return nil
	}
	return []Scaling{{set.Name, set.Size, to}}
}

// Size is what to note on a ReplicaSet that the Deployment sizes.
func (r *Rollout) Size() DeploymentSize {
	return DeploymentSize{Desired: r.Desired, Max: r.Desired + r.Surge}
}

// saturated reports whether the new set alone is what the Deployment wants.
func (r *Rollout) saturated() bool {
	return r.New != nil && r.New.Size == r.Desired && r.New.Available == r.Desired && r.New.Noted != nil && r.New.Noted.Desired == r.Desired
}

// share shares out the difference between what the sets have and what they may have, each by its
// part of the Deployment's former size. The biggest one takes what rounding leaves over; among
// equals the newest grows first and the oldest shrinks first.
func (r *Rollout) share(active []ReplicaSetState) []Scaling {
	allowed := 0
	if r.Desired > 0 {
		allowed = r.Desired + r.Surge
	}
	left := allowed - r.total()
	sets := byAge(active)
	if left > 0 {
		slices.Reverse(sets)
	}
	slices.SortStableFunc(sets, func(a, b ReplicaSetState) int { return cmp.Compare(b.Size, a.Size) })
	sizes := make([]int, len(sets))
	for i, set := range sets {
		part := r.part(set)
		if left > 0 {
			part = min(max(part, 0), left)
		} else {
			part = max(min(part, 0), left)
		}
		sizes[i] = set.Size + part
		left -= part
	}
	sizes[0] = max(sizes[0]+left, 0)
	var all []Scaling
	for i, set := range sets {
		all = append(all, r.sizeTo(set, sizes[i])...)
	}
	return all
}

// part is by how much a set would grow, or shrink, to keep its share of the Deployment.
func (r *Rollout) part(set ReplicaSetState) int {
	switch {
	case r.Desired == 0:
		return -set.Size
	case set.Noted == nil || set.Noted.Max <= 0:
		return 0
	default:
		former, now := set.Noted.Max, r.Desired+r.Surge
		return (2*set.Size*now+former)/(2*former) - set.Size // rounded to the nearest
	}
}
