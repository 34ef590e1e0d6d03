package drill

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/probity-run/probity/internal/simulate/script"
)

// evidence is a repetition with what the rules need beside it.
func (d *drill) evidence(f Fault, t *target, rep *Repetition) evidence {
	return evidence{Repetition: rep, fault: f, workload: &t.Workload, owned: t.owns(f.Dependency), delay: d.opts.EndpointDelay, window: Offset(sample(d.opts.Rate, 1))}
}

// conclude adds the result of a fault to the report.
func (d *drill) conclude(f Fault, t *target, all []evidence) *Result {
	told := soundOf(all)
	if len(told) == 0 {
		told = all // the verdict is that they say nothing
	}
	r := &Result{
		Fault: f.Word, Title: f.Title(), Side: f.Side(), Workload: t.Name, Container: f.Container, Dependency: f.Dependency, Expected: expected(f, &t.Workload),
		Measured: measured(told), Verdicts: judge(all),
	}
	for _, e := range all {
		r.Repetitions = append(r.Repetitions, e.Repetition)
	}
	for _, e := range told {
		during := e.fromBegin().Requests
		r.Requests += len(during)
		for _, q := range during {
			if q.Failed {
				r.Lost++
			}
		}
	}
	r.Remarks = remarks(all)
	d.noteSurvivors(t, all)
	d.report.Results = append(d.report.Results, r)
	return r
}

// remarks are facts that are no verdicts.
func remarks(all []evidence) (remarks []string) {
	if cost := backOffRemark(all); cost != "" {
		remarks = append(remarks, cost)
	}
	if short := shortRemark(all); short != "" {
		remarks = append(remarks, short)
	}
	if means := all[0].Means; means != "" {
		remarks = append(remarks, means)
	}
	return remarks
}

// noteSurvivors notes which classes of requests were answered without a dependency.
func (d *drill) noteSurvivors(t *target, all []evidence) {
	for _, e := range all {
		if e.fault.Kind != KindDependency || e.Tainted || e.fault.Mode == "slow" {
			continue
		}
		for i := range d.report.Classes {
			c := &d.report.Classes[i]
			if c.Workload == t.Name && slices.Contains(e.survivors(), c.Name) && !slices.Contains(c.Survives, e.fault.Dependency) {
				c.Survives = append(c.Survives, e.fault.Dependency)
			}
		}
	}
}

// expected is what should become of a fault, in a few words.
func expected(f Fault, w *Workload) string {
	switch {
	case f.Side() == SideInside && w.liveness() == nil:
		return "a restart"
	case f.Side() == SideInside:
		var parts []string
		if r := w.readiness(); r != nil {
			parts = append(parts, "out "+band(r))
		}
		return strings.Join(append(parts, "kill "+band(w.liveness())), ", ")
	case f.Kind == KindCrash || f.Kind == KindMemory:
		return "back at once"
	case f.Side() == SideEnd:
		return "no request lost"
	case f.AtStart:
		return "starts, unready"
	}
	return "no restart"
}

// band is when a probe acts on silence, at the best and at the worst phase.
func band(p *Probe) string {
	from, to := p.timing().Tolerated(), p.timing().Certain()
	return span([]Offset{Offset(from), Offset(to)})
}

// span is the range of times, as in "7.3–9.6s".
func span(all []Offset) string {
	least, most := slices.Min(all), slices.Max(all)
	seconds := func(o Offset) string {
		return fmt.Sprintf("%.3g", time.Duration(o).Round(100*time.Millisecond).Seconds())
	}
	if a, b := seconds(least), seconds(most); a != b && most < Offset(time.Minute) {
		return a + "-" + b + "s"
	}
	return script.FormatDuration(time.Duration(most).Round(100 * time.Millisecond))
}

// measured is what became of a fault, in a few words.
func measured(all []evidence) string {
	var parts []string
	collect := func(word string, moment func(m Moments) *Offset) {
		var times []Offset
		for _, e := range all {
			if o := moment(e.Measured); o != nil {
				times = append(times, *o)
			}
		}
		if len(times) > 0 {
			parts = append(parts, word+" "+span(times))
		}
	}
	if all[0].fault.Kind == KindBaseline {
		if all[0].workload.Start == 0 {
			return ""
		}
		return "ready after " + text(all[0].workload.Start)
	}
	collect("out", func(m Moments) *Offset { return m.Unready })
	collect("kill", func(m Moments) *Offset { return m.Killed })
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, ", ")
}
