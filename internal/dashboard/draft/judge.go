package draft

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/advisor/rules"
	"github.com/probity-run/probity/internal/manifest"
)

// Finding is something that `probity check` finds.
type Finding struct {
	Rule     string
	Severity advisor.Severity
	Message  string
	// Consequence and Remedy are those of the rule.
	Consequence, Remedy string
	key                 string
}

// Findings are those of a draft, the worst first: new ones, and those that there were before; and
// those that it solves.
type Findings struct{ New, Kept, Solved []Finding }

// Judge finds what is wrong in the draft and in what there is. What the API server refuses is among
// the errors of the draft and not here. others are objects that belong to the workload, such as its
// Services.
func (d *Draft) Judge(others []manifest.Resource) (f Findings, err error) {
	now, err := d.Workload.findings(d.Workload.Values(), others)
	if err != nil {
		return f, err
	}
	next, err := d.Workload.findings(d.Values, others)
	if err != nil {
		return f, err
	}
	has := func(list []Finding, key string) bool {
		return slices.ContainsFunc(list, func(x Finding) bool { return x.key == key })
	}
	for _, x := range next {
		if has(now, x.key) {
			f.Kept = append(f.Kept, x)
		} else {
			f.New = append(f.New, x)
		}
	}
	for _, x := range now {
		if !has(next, x.key) {
			f.Solved = append(f.Solved, x)
		}
	}
	return f, nil
}

// source is the name of the text that is judged. Nobody sees it.
const source = "draft"

// findings are those about the workload with these values.
func (w Workload) findings(v Values, others []manifest.Resource) (found []Finding, err error) {
	text, err := w.yaml(v)
	if err != nil {
		return nil, err
	}
	for _, other := range others {
		more, err := yaml.Marshal((Workload{Resource: other}).configuration())
		if err != nil {
			return nil, err
		}
		text += "---\n" + string(more)
	}
	m, err := advisor.NewManifests(advisor.Source{Name: source}).With(map[string][]byte{source: []byte(text)})
	if err != nil {
		return nil, fmt.Errorf("cannot judge the draft: %w", err)
	}
	all := rules.All()
	ref := manifest.Object{Resource: w.Resource}.Ref()
	for _, x := range advisor.Check(m, all) {
		if x.Rule == advisor.ManifestInvalid || x.Suppressed != "" || x.Object.Kind != ref.Kind || x.Object.Name != ref.Name {
			continue
		}
		i := slices.IndexFunc(all, func(r advisor.Rule) bool { return r.ID == x.Rule })
		found = append(found, Finding{x.Rule, x.Severity, x.Message, all[i].Doc.Consequence, all[i].Doc.Remedy, x.Key()})
	}
	slices.SortStableFunc(found, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), strings.Compare(a.Rule, b.Rule))
	})
	return found, nil
}
