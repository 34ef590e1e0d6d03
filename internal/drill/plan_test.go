package drill

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func planned(p Plan) (all []string) {
	for _, s := range p.Steps {
		all = append(all, fmt.Sprintf("%s %d", s.Fault.Word, s.Repetitions))
	}
	return all
}

func TestPlan(t *testing.T) {
	w := *newScene(t, "hang").workload
	nothingMissing := func(Fault, string) string { return "" }
	base := planOptions{workloads: []Workload{w}, repetitions: 3, missing: nothingMissing, dependencies: map[string][]string{w.Name: {"db"}}}

	t.Run("the budget is for many first", func(t *testing.T) {
		o := base
		o.budget = 70 * time.Second
		p := newPlan(o)
		got := planned(p)
		if !slices.Equal(got[:4], []string{"dependency-outage:db 1", "hang 1", "hang+6.3s 1", "crash 1"}) {
			t.Errorf("plan %v", got)
		}
		if len(p.LeftOut) == 0 || !strings.Contains(p.LeftOut[0].Reason, "for which the budget has no room") {
			t.Errorf("left out: %+v", p.LeftOut)
		}
	})
	t.Run("a large one repeats", func(t *testing.T) {
		o := base
		o.budget = time.Hour
		for _, line := range planned(newPlan(o)) {
			if !strings.HasSuffix(line, " 3") {
				t.Errorf("%s, want three times", line)
			}
		}
		if got := planned(newPlan(o)); !slices.Contains(got, "dependency-outage:db@start 3") || !slices.Contains(got, "dependency-outage:db=hang 3") || !slices.Contains(got, "dependency-outage:db=dead 3") {
			t.Errorf("plan %v", got)
		}
	})
	t.Run("what was asked for is tried, whatever it takes", func(t *testing.T) {
		o := base
		o.budget = time.Second
		f, _ := ParseFault("hang")
		o.faults = []Fault{f}
		if got := planned(newPlan(o)); !slices.Equal(got, []string{"hang 1"}) {
			t.Errorf("plan %v", got)
		}
	})
	t.Run("what is missing is said", func(t *testing.T) {
		o := base
		o.budget = time.Hour
		o.missing = func(f Fault, _ string) string { return map[bool]string{true: "no such thing here"}[f.Kind == KindFDs] }
		p := newPlan(o)
		if len(p.LeftOut) != 1 || p.LeftOut[0] != (LeftOut{Fault: "fds", Workload: w.Name, Reason: "no such thing here"}) {
			t.Errorf("left out: %+v", p.LeftOut)
		}
	})
	t.Run("only who has the dependency", func(t *testing.T) {
		o := base
		db := w
		db.Name = "deployment/db"
		o.workloads = []Workload{w, db}
		f, _ := ParseFault("dependency-outage:db")
		o.faults = []Fault{f}
		if p := newPlan(o); len(p.Steps) != 1 || p.Steps[0].Workload != w.Name || len(p.LeftOut) != 0 {
			t.Errorf("plan %+v, left out %+v", p.Steps, p.LeftOut)
		}
		if f.Dependency = "other"; len(newPlan(o).Steps) != 1 {
			t.Errorf("plan %+v", newPlan(o).Steps)
		}
	})
	t.Run("another workload", func(t *testing.T) {
		o := base
		f, _ := ParseFault("hang,workload=deployment/other")
		o.faults = []Fault{f}
		if p := newPlan(o); len(p.Steps) != 0 {
			t.Errorf("plan %v", planned(p))
		}
	})
}

// TestCostOfADelay: a fault after which a process starts anew costs the time until it is asked.
func TestCostOfADelay(t *testing.T) {
	quick := *newScene(t, "hang").workload
	waits := quick
	waits.Probes = slices.Clone(quick.Probes)
	waits.Probes[1].Delay = 30 * second
	for fault, want := range map[string]time.Duration{"hang": 31 * time.Second, "crash": 31 * time.Second, "overload=10x": 0} {
		f, err := ParseFault(fault)
		if more := f.cost(&waits, 20) - f.cost(&quick, 20); err != nil || more != want {
			t.Errorf("%s costs %v more, %v, want %v", fault, more, err, want)
		}
	}
}

func TestUntried(t *testing.T) {
	parse := func(text string) Fault {
		f, err := ParseFault(text)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	r := &Report{Results: []*Result{{Fault: "hang"}}, LeftOut: []LeftOut{{Fault: "deadlock", Workload: "deployment/web", Reason: "nothing says how"}}}
	got := r.Untried([]Fault{parse("hang"), parse("deadlock"), parse("stop")})
	if len(got) != 2 || got[0].Fault != "deadlock" || got[0].Reason != "nothing says how" || got[1].Fault != "stop" || got[1].Reason == "" {
		t.Errorf("got %+v", got)
	}
}

// TestPlanContainers: what is inside of a process happens to each container, which may be one that
// nobody asks.
func TestPlanContainers(t *testing.T) {
	w := *newScene(t, "hang").workload
	w.Beside = []Container{{Name: "proxy"}, {Name: "log"}}
	o := planOptions{
		workloads: []Workload{w}, repetitions: 1, budget: time.Hour, missing: func(Fault, string) string { return "" },
		deadlocks: map[string][]string{w.Name: {"web", "log"}},
	}
	for asked, want := range map[string][]string{
		"":                                {"hang 1", "hang,container=proxy 1", "hang,container=log 1", "deadlock 1", "deadlock,container=log 1", "fds 1"},
		"hang":                            {"hang 1", "hang,container=proxy 1", "hang,container=log 1"},
		"hang hang,container=log":         {"hang 1", "hang,container=proxy 1", "hang,container=log 1"},
		"fds":                             {"fds 1", "fds,container=proxy 1", "fds,container=log 1"},
		"hang,container=proxy":            {"hang,container=proxy 1"},
		"crash crash,container=log":       {"crash 1", "crash,container=log 1"},
		"hang,container=none hang+6300ms": {"hang+6300ms 1"},
		"deadlock,container=proxy":        {"deadlock,container=proxy 1"},
		"hang,workload=web,container=web": {"hang,workload=web,container=web 1"},
	} {
		o.faults = nil
		for word := range strings.FieldsSeq(asked) {
			f, err := ParseFault(word)
			if err != nil {
				t.Fatal(err)
			}
			o.faults = append(o.faults, f)
		}
		got := planned(newPlan(o))
		if asked == "" { // the others do not happen to a container that is named
			got = slices.DeleteFunc(got, func(step string) bool {
				f, err := ParseFault(strings.TrimSuffix(step, " 1"))
				return err != nil || f.Side() != SideInside
			})
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: plan %v, want %v", asked, got, want)
		}
	}
}

// TestPlanLater: of a dependency that was found while the drill went on, its outages are planned
// and nothing else; what was left out for want of it is not any more.
func TestPlanLater(t *testing.T) {
	w := *newScene(t, "hang").workload
	o := planOptions{
		workloads: []Workload{w}, repetitions: 1, budget: time.Hour, missing: func(Fault, string) string { return "" }, later: true,
		dependencies: map[string][]string{w.Name: {"spare"}},
	}
	all := []string{"dependency-outage:spare 1", "dependency-outage:spare=hang 1", "dependency-outage:spare=slow:300ms 1", "dependency-outage:spare@start 1", "dependency-outage:spare=dead 1"}
	p := newPlan(o)
	if got := planned(p); !slices.Equal(got, all) {
		t.Errorf("plan %v, want %v", got, all)
	}
	if !p.has(LeftOut{Fault: "dependency-outage:spare=hang", Workload: w.Name}) || p.has(LeftOut{Fault: "hang", Workload: w.Name}) {
		t.Errorf("plan %v has the wrong words", planned(p))
	}
	for _, word := range []string{"hang", "pool:spare", "dependency-outage:db"} {
		f, err := ParseFault(word)
		if err != nil {
			t.Fatal(err)
		}
		o.faults = append(o.faults, f)
	}
	if got := planned(newPlan(o)); !slices.Equal(got, []string{"pool:spare 1"}) {
		t.Errorf("of what was asked for, %v is planned", got)
	}
}
