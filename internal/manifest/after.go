package manifest

import (
	"fmt"
	"slices"
	"strings"
)

// A Condition is what a workload waits for in another one before it starts.
type Condition string

// The conditions.
const (
	Started   Condition = "started"   // a container was started
	Healthy   Condition = "healthy"   // a Pod is ready
	Completed Condition = "completed" // a Pod has succeeded
)

// An After is a workload that has to come first.
type After struct {
	Name      string
	Condition Condition
}

// ParseAfter reads the value of [AnnotationAfter]: names of workloads with a condition, as in
// "db=healthy,migrate=completed". A name alone means that it was started.
func ParseAfter(value string) ([]After, error) {
	var list []After
	for part := range strings.SplitSeq(value, ",") {
		name, condition, has := strings.Cut(strings.TrimSpace(part), "=")
		a := After{name, Condition(condition)}
		if !has {
			a.Condition = Started
		}
		if name == "" || !slices.Contains([]Condition{Started, Healthy, Completed}, a.Condition) {
			return nil, fmt.Errorf("must be a list such as db=healthy,cache=started,migrate=completed, got %q", part)
		}
		list = append(list, a)
	}
	return list, nil
}
