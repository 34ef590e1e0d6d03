package drill

import (
	"slices"
	"time"
)

const (
	// warmTime is how long the load alone is watched at least, before anything is broken.
	warmTime = 4 * time.Second
	// warmShare is the part of the budget that this takes at most, however many requests there are.
	warmShare = 4
)

// warmFor is how long the load alone is watched: so that each request was sent, and what it
// connects to is known.
func warmFor(requests int, rate float64, budget time.Duration) time.Duration {
	all := time.Duration(float64(requests)/rate*float64(time.Second)) + time.Second
	return max(warmTime, min(all, budget/warmShare))
}

// listDependencies adds what was found since it was called last to the report, and returns the
// names of that.
func (d *drill) listDependencies() (fresh []string) {
	for _, dep := range d.system.Dependencies() {
		if d.known(dep.Name) {
			continue
		}
		owned := slices.ContainsFunc(d.targets, func(t *target) bool { return t.owns(dep.Name) })
		d.report.Dependencies = append(d.report.Dependencies, Dependency{Name: dep.Name, Address: dep.Address.String(), Pods: dep.Pods, Connects: int(dep.Connects), Owned: owned})
		fresh = append(fresh, dep.Name)
	}
	return fresh
}
