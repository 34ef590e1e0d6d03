// Package advice says what can be done about the verdicts of a drill: which rule of probity check
// says the same of the manifest, where the manifest has the probe, and the change that mends it, if
// a number of the manifest does. It is pure: it reads manifests that are read already.
package advice

import (
	"cmp"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/advisor/fix"
	"github.com/probity-run/probity/internal/advisor/rules"
	"github.com/probity-run/probity/internal/drill"
)

// For makes a function that adds advice to all verdicts of a result that are failures or warnings;
// the report is the one that it is of. m are the manifests that are drilled.
func For(m *advisor.Manifests) func(*drill.Report, *drill.Result) {
	found := advisor.Check(m, rules.All())
	return func(r *drill.Report, result *drill.Result) {
		w, c := container(r, result, m)
		for i := range result.Verdicts {
			if v := &result.Verdicts[i]; v.Grade == drill.GradeFail || v.Grade == drill.GradeWarning {
				v.Advice = of(situation{*v, result, w, c}, found, m.Text)
			}
		}
	}
}

// container is the one that a result is about, and its workload; nil if the manifests do not have
// it.
func container(r *drill.Report, result *drill.Result, m *advisor.Manifests) (*drill.Workload, *advisor.Container) {
	i := slices.IndexFunc(r.Workloads, func(w drill.Workload) bool { return w.Name == result.Workload })
	if i < 0 {
		return nil, nil
	}
	for _, w := range m.Workloads {
		ref := w.Object.Ref()
		name := strings.ToLower(ref.Kind) + "/" + ref.Name
		if name != result.Workload && ref.Namespace+"/"+name != result.Workload {
			continue
		}
		for _, c := range w.Containers {
			if c.Name == cmp.Or(result.Container, r.Workloads[i].Container) {
				return &r.Workloads[i], c
			}
		}
	}
	return nil, nil
}

// situation is a verdict on a fault in a container.
type situation struct {
	drill.Verdict
	result *drill.Result
	// workload is what was measured of it, container what the manifests have; both are nil if they
	// do not have it.
	workload  *drill.Workload
	container *advisor.Container
}

// of is what can be done about a verdict. found are the findings of all rules of check, text gives
// the text of a file.
func of(s situation, found []advisor.Finding, text func(file string) []byte) *drill.Advice {
	row, ok := s.row()
	if !ok {
		return nil
	}
	a := &drill.Advice{Text: row.text(s)}
	if s.container == nil {
		return a
	}
	place := s.place()
	a.File, a.Line = place.File, place.Line
	f := s.same(row, found)
	if f != nil {
		a.Rule, a.File, a.Line = f.Rule, f.Region.File, f.Region.Line
	}
	if f == nil || f.Patch == nil {
		f = s.own(row)
	}
	if f != nil {
		a.Patch = patch(*f, a.File, text(a.File))
	}
	return a
}

// place is where the manifest has the probe that is to blame, or else the container.
func (s situation) place() advisor.Position {
	path := s.container.Path
	if p := s.probe(); p != nil {
		path = p.Path
	}
	return s.container.Workload.Object.PositionOf(path)
}

// probe is the one that is to blame; nil if it is none, or is not there.
func (s situation) probe() *advisor.Probe {
	return map[string]*advisor.Probe{"Startup": s.container.Startup, "Readiness": s.container.Readiness, "Liveness": s.container.Liveness}[s.Probe]
}

// same is the finding that says the same as the verdict; nil if there is none. The rules of a row
// are in the order of how well they fit.
func (s situation) same(row row, found []advisor.Finding) *advisor.Finding {
	ref := s.container.Workload.Object.Ref()
	for _, rule := range row.rules {
		for i := range found {
			if f := &found[i]; f.Rule == rule && f.Object == ref && (f.Container == s.container.Name || f.Container == "" || s.askedBy(f)) {
				return f
			}
		}
	}
	return nil
}

// wrongContainer is the rule about a container whose probe asks another one.
const wrongContainer = "liveness-port-of-other-container"

// askedBy reports whether a finding is about another container, whose liveness probe asks this one.
func (s situation) askedBy(f *advisor.Finding) bool {
	if f.Rule != wrongContainer {
		return false
	}
	return slices.ContainsFunc(s.container.Workload.Containers, func(c *advisor.Container) bool {
		if c.Name != f.Container || c.Liveness == nil {
			return false
		}
		port, ok := c.Liveness.Port()
		_, own := s.container.PortNumbered(port.IntVal)
		return ok && own
	})
}

// own is a finding with the change that a row knows; nil if it knows none.
func (s situation) own(row row) *advisor.Finding {
	if row.patch == nil {
		return nil
	}
	change := row.patch(s)
	if change == nil {
		return nil
	}
	f := s.container.Finding("", "%s", s.Text)
	f.Patch = change
	return &f
}

// patch is a change as a unified difference; "" if it cannot be made in this text.
func patch(f advisor.Finding, file string, before []byte) string {
	after, applied, _ := fix.Text(before, []advisor.Finding{f})
	if len(applied) == 0 {
		return ""
	}
	return string(diff.Diff(file, before, file, after))
}
