package advisor

import "slices"

// coverage is what covers the findings of one rule: those of the rules that cover it, by their
// containers; "" stands for the whole pod.
type coverage map[string]bool

// covers reports whether a finding in a container, or in the whole pod, is covered.
func (c coverage) covers(container string) bool {
	return c[container] || c[""] || container == "" && len(c) > 0
}

// withoutCovered leaves out the findings that another one covers.
func withoutCovered(found []Finding, rules []Rule) []Finding {
	covered := map[string][]string{} // by the rule that covers them
	for _, r := range rules {
		covered[r.ID] = r.Covers
	}
	by := map[string]coverage{}
	for _, f := range found {
		for _, rule := range covered[f.Rule] {
			if by[rule] == nil {
				by[rule] = coverage{}
			}
			by[rule][f.container] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(found), func(f Finding) bool { return by[f.Rule].covers(f.container) })
}
