package tune

import (
	"fmt"
	"slices"
)

// Asked is what was measured of a container for the probes that a manifest has now: each gets the
// endpoint that it asks, by the request, whatever asked that when it was measured. notes says which
// ask something else than what was measured for them: of those nothing is known. What it is called
// on is not changed; nil has none.
func (c *Container) Asked(requests map[string]Request) (now *Container, notes []string) {
	if c == nil {
		return nil, nil
	}
	copied := *c
	copied.Endpoints = slices.Clone(c.Endpoints)
	for i := range copied.Endpoints {
		copied.Endpoints[i].Probes = nil
	}
	for _, probe := range []string{"startup", "readiness", "liveness"} {
		request, ok := requests[probe]
		if !ok {
			continue
		}
		if i := measuredOf(c.Endpoints, request, probe); i >= 0 {
			copied.Endpoints[i].Probes = append(copied.Endpoints[i].Probes, probe)
		} else if before := c.Endpoint(probe); before != nil {
			asks, measured := distinct(request, before.Request)
			notes = append(notes, fmt.Sprintf("The %s probe asks %s, and what was measured for it is %s: measure again, as nothing is known of the answers.", probe, asks, measured))
		}
	}
	return &copied, notes
}

// SameStart is a start that two series have of one container, to the nanosecond, so that a
// measurement is in both of them; ok is false if there is none.
func SameStart(a, b *Series) (seconds float64, ok bool) {
	for i := range a.Containers {
		other := b.Find(a.Containers[i].Workload, a.Containers[i].Name)
		if other == nil {
			continue
		}
		for _, s := range a.Containers[i].Starts {
			if s.How != Live && slices.Contains(other.Starts, s) {
				return s.Seconds, true
			}
		}
	}
	return 0, false
}
