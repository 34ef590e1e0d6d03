package workload

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	discoveryv1 "k8s.io/api/discovery/v1"
)

func placed(port int32, names ...string) (all []PlacedEndpoint) {
	for _, name := range names {
		all = append(all, PlacedEndpoint{Endpoint: endpoint(name + ":ready"), Ports: []discoveryv1.EndpointPort{{Name: new("web"), Port: &port}}})
	}
	return all
}

func manyNames(from, to int) (all []string) {
	for i := from; i < to; i++ {
		all = append(all, fmt.Sprintf("p%03d", i))
	}
	return all
}

// show lists slices as "name port: first..last (n)".
func show(all []SliceContent) (lines []string) {
	for _, c := range all {
		line := c.Name
		if len(c.Ports) > 0 {
			line += fmt.Sprintf(" %d:", *c.Ports[0].Port)
		}
		if n := len(c.Endpoints); n > 0 {
			line += fmt.Sprintf(" %s..%s (%d)", c.Endpoints[0].TargetRef.Name, c.Endpoints[n-1].TargetRef.Name, n)
		}
		lines = append(lines, line)
	}
	return lines
}

// written is what Slices made, as objects with names.
func written(all []SliceContent) (objects []*discoveryv1.EndpointSlice) {
	for i, c := range all {
		slice := &discoveryv1.EndpointSlice{Ports: c.Ports, Endpoints: c.Endpoints}
		if slice.Name = c.Name; slice.Name == "" {
			slice.Name = fmt.Sprint("s", i)
		}
		objects = append(objects, slice)
	}
	return objects
}

func TestSlices(t *testing.T) { // R203
	check := func(what string, got []SliceContent, want ...string) []*discoveryv1.EndpointSlice {
		t.Helper()
		if diff := cmp.Diff(want, show(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
		return written(got)
	}
	check("nothing: a slice all the same", Slices(nil, nil), "")
	check("nothing any more", Slices(check("one", Slices(nil, placed(1, "a")), " 1: a..a (1)"), nil), "s0")
	two := check("two ports, two slices", Slices(nil, slices.Concat(placed(1, "a", "b"), placed(2, "c"))), " 1: a..b (2)", " 2: c..c (1)")
	check("one stays, one goes", Slices(two, placed(1, "b", "a")), "s0 1: a..b (2)")
	check("a Pod's port changes", Slices(two, slices.Concat(placed(1, "a"), placed(3, "b"), placed(2, "c"))), "s0 1: a..a (1)", "s1 2: c..c (1)", " 3: b..b (1)")
	check("an empty one is used again", Slices(two, slices.Concat(placed(1, "a"), placed(3, "c"))), "s0 1: a..a (1)", "s1 3: c..c (1)")
	full := check("at most 100", Slices(nil, placed(1, manyNames(0, 230)...)), " 1: p000..p099 (100)", " 1: p100..p199 (100)", " 1: p200..p229 (30)")
	check("what goes leaves room for what comes", Slices(full, placed(1, manyNames(1, 232)...)),
		"s0 1: p001..p230 (100)", "s1 1: p100..p199 (100)", "s2 1: p200..p231 (31)")
}
