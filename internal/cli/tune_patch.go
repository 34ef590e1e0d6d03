package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/advisor/fix"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/printable"
	"github.com/probity-run/probity/internal/simulate"
	"github.com/probity-run/probity/internal/simulate/script"
	"github.com/probity-run/probity/internal/tune"
)

// tunedRule is the name under which the fixer of check knows the recommended numbers.
const tunedRule = "tuned"

// patched are the manifests with the recommended numbers, by the fixer of check.
func (t *tuneRun) patched() fix.Result {
	rule := advisor.Rule{ID: tunedRule, Severity: advisor.Risk, Check: t.untuned}
	return fix.All(t.manifests, func(m *advisor.Manifests) []advisor.Finding {
		found := advisor.NewReport(m, []advisor.Rule{rule}, nil).Findings
		return slices.DeleteFunc(found, func(f advisor.Finding) bool { return f.Rule != tunedRule })
	})
}

// untuned are the numbers of a workload that are not those recommended.
func (t *tuneRun) untuned(w *advisor.Workload) (found []advisor.Finding) {
	for _, c := range w.Containers {
		for _, a := range t.advice {
			if a.Workload != tuneName(w) || a.Container != c.Name {
				continue
			}
			for i := range a.Choices {
				found = append(found, differing(c, &a.Choices[i])...)
			}
		}
	}
	return found
}

// differing are the numbers of one probe that are not those recommended.
func differing(c *advisor.Container, choice *tune.Choice) (found []advisor.Finding) {
	p := map[string]*advisor.Probe{"startup": c.Startup, "readiness": c.Readiness, "liveness": c.Liveness}[choice.Probe]
	next := choice.Next
	if p == nil {
		if choice.Probe != "startup" || c.Liveness == nil {
			return nil
		}
		f := c.Finding("", "no startupProbe gives a start its time")
		f.Patch = c.Liveness.StartupPatch(next.Period * (next.Failures - 1))
		return []advisor.Finding{f}
	}
	for _, n := range []struct {
		field     string
		now, next int
	}{{"periodSeconds", p.Period, next.Period}, {"timeoutSeconds", p.Timeout, next.Timeout}, {"failureThreshold", p.FailureThreshold, next.Failures}} {
		if n.now != n.next {
			f := p.Finding(n.field, "%d is recommended", n.next)
			f.Patch = p.Set(n.field, n.next)
			found = append(found, f)
		}
	}
	return found
}

// change prints the patches, or writes them, and says which cannot be made.
func (t *tuneRun) change(result fix.Result) error {
	for _, s := range result.Skipped {
		line := fmt.Sprintf("%s:%d: %v", printable.File(s.Finding.Region.File), s.Finding.Region.Line, s.Err)
		if _, err := fmt.Fprintf(t.streams.Err, "not changed: %s\n", printable.Line(line)); err != nil {
			return err
		}
	}
	for _, file := range result.Changed {
		before, after := t.manifests.Text(file), result.Manifests.Text(file)
		if t.write {
			if err := overwrite(file, before, after); err != nil {
				return err
			}
			_, err := fmt.Fprintf(t.streams.Err, "written: %s\n", printable.File(file))
			if err != nil {
				return err
			}
		} else if _, err := t.streams.Out.Write(diff.Diff(file, before, file, after)); err != nil {
			return err
		}
	}
	return nil
}

// prediction is what simulate makes of the recommended numbers and the stalls that were measured.
type prediction struct {
	Horizon  int            `json:"horizonSeconds"`
	Restarts simulate.Range `json:"restarts"`
	// Without are containers with a liveness probe of whose answers nothing was measured: they are
	// taken to answer always.
	Without []string `json:"without,omitempty"`
	// None is why there is none.
	None string `json:"none,omitempty"`
}

// longestPrediction is how many seconds are simulated for a prediction.
const longestPrediction = 48 * 3600

// predict simulates the manifests with the recommended numbers, one replica of each workload, at
// any phase.
func (t *tuneRun) predict(m *advisor.Manifests) prediction {
	now := t.seriesNow()
	text, horizon := now.Script()
	p := prediction{Horizon: horizon}
	if p.Without, p.None = t.unmeasured(now); p.None != "" {
		return p
	}
	if horizon > longestPrediction {
		p.None = "the series is longer than two days: simulate it with its script"
		return p
	}
	sc, err := script.Decode("script", []byte(text))
	if err == nil {
		p.Restarts, err = restartsIn(m, sc, horizon)
	}
	if err != nil {
		p.None = strings.Join(strings.Fields(err.Error()), " ")
	}
	return p
}

func restartsIn(m *advisor.Manifests, sc *script.Script, horizon int) (simulate.Range, error) {
	var objects []manifest.Object
	for _, file := range m.FileNames() {
		if set := m.Set(file); set != nil {
			objects = append(objects, set.Objects...)
		}
	}
	any, err := simulate.Sweep(objects, sc, simulate.Options{Horizon: wholeSeconds(horizon), Replicas: 1})
	if err != nil {
		return simulate.Range{}, err
	}
	return any.Restarts, nil
}

// act prints the recommendation, or the patches, or writes them.
func (t *tuneRun) act() error {
	result := t.patched()
	if t.diff {
		return t.change(result)
	}
	p := t.predict(result.Manifests)
	var err error
	if t.output == "json" {
		err = t.printJSON(p)
	} else {
		err = t.printText(t.streams.Out, p, len(result.Changed) > 0 && !t.write)
	}
	if err == nil && t.write {
		err = t.change(result)
	}
	return err
}
