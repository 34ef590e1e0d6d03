package tune

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// served is a container with 20 minutes of answers within 10 ms, starts of two seconds, and stalls.
func served(stalls ...Stall) *Container {
	latency := make(Sketch, 54)
	latency[53] = 24000 // 10 ms
	starts := slices.Repeat([]Start{{2, Alone}}, 10)
	return &Container{Workload: "deployment/web", Name: "server", Starts: starts, Endpoints: []Endpoint{
		{Probes: []string{"startup", "liveness"}, Request: Request{Text: "GET :http/livez"}, Windows: []Window{{Load: "20/s GET /", Seconds: 1200, Samples: 24000, Latency: latency, Stalls: stalls}}},
		{Probes: []string{"readiness"}, Request: Request{Text: "GET :http/readyz"}, Windows: []Window{{Load: "20/s GET /", Seconds: 1200, Samples: 24000, Latency: latency}}},
	}}
}

func now() Today {
	return Today{Workload: "deployment/web", Container: "server", Replicas: 2, ProgressDeadline: 600,
		Startup: &Setting{1, 1, 30}, Readiness: &Setting{2, 1, 2}, Liveness: &Setting{3, 1, 4}}
}

func promiseOf(a *Advice, objective string) Promise {
	i := slices.IndexFunc(a.Promises, func(p Promise) bool { return p.Objective == objective })
	if i < 0 {
		return Promise{}
	}
	return a.Promises[i]
}

func TestRecommend(t *testing.T) {
	short := Stall{Begin: 100, Length: 2}
	for name, c := range map[string]struct {
		change   func(c *Container, t *Today, o *Objectives)
		liveness string // "" for none
		ready    string
		start    string
		survive  Basis
		restarts Basis
		infeasible,
		refused string
	}{
		"today's numbers meet everything": {func(_ *Container, _ *Today, o *Objectives) { o.Detect, o.Survive = 30, 8 },
			"3/1/4", "2/1/2", "1/1/30", Supported, Supported, "", ""},
		"nothing is asked for": {func(*Container, *Today, *Objectives) {}, "3/1/4", "2/1/2", "1/1/30", Assumed, Supported, "", ""},
		"too slow":             {func(_ *Container, _ *Today, o *Objectives) { o.Detect, o.Survive = 10, 8 }, "1/1/8", "2/1/2", "1/1/30", Supported, Supported, "", ""},
		"too quick":            {func(_ *Container, _ *Today, o *Objectives) { o.Survive = 20 }, "1/1/20", "2/1/2", "1/1/30", Supported, Supported, "", ""},
		"longer than 20 of them": {func(_ *Container, _ *Today, o *Objectives) { o.Survive = 30 },
			"2/2/15", "2/1/2", "1/1/30", Supported, Supported, "", ""},
		"twice the longest": {func(c *Container, _ *Today, _ *Objectives) { c.Endpoints[0].Windows[0].Stalls[0].Length = 9.2 },
			"1/1/19", "2/1/2", "1/1/30", Assumed, Supported, "", ""},
		"contradiction": {func(_ *Container, _ *Today, o *Objectives) { o.Detect, o.Survive = 8, 8 }, "", "", "", "", "", "the probe needs 1 s between the two", ""},
		"slow answers": {func(c *Container, t *Today, o *Objectives) {
			c.Endpoints[0].Windows[0].Latency = make(Sketch, 112)
			c.Endpoints[0].Windows[0].Latency[108] = 100 // 1.16 s
			t.Liveness.Failures = 2
			o.Survive = 8
		}, "4/4/2", "2/1/2", "3/3/3", Supported, Supported, "", ""},
		"a rate that is supported": {func(_ *Container, _ *Today, o *Objectives) { o.FalseRestarts = 10 }, "3/1/4", "2/1/2", "1/1/30", Assumed, Supported, "", ""},
		"a rate that is not": {func(_ *Container, _ *Today, o *Objectives) { o.FalseRestarts, o.Survive = 1.0/720, 8 },
			"3/1/4", "2/1/2", "1/1/30", Supported, Unsupported, "", ""},
		"stalls that grow": {func(c *Container, _ *Today, _ *Objectives) {
			c.Endpoints[0].Windows[0] = Window{Seconds: 4000, Stalls: nil, Latency: c.Endpoints[0].Windows[0].Latency}
			for i := range 40 {
				c.Endpoints[0].Windows[0].Stalls = append(c.Endpoints[0].Windows[0].Stalls, Stall{Begin: float64(100 * i), Length: 0.5 + float64(i)/20})
			}
		}, "3/1/4", "2/1/2", "1/1/30", Assumed, Assumed, "", ""},
		"a crowd": {func(_ *Container, t *Today, o *Objectives) { t.Replicas, o.Survive = 50, 20 }, "3/2/7", "9/1/2", "1/1/30", Supported, Supported, "", ""},
		"tainted": {func(c *Container, _ *Today, _ *Objectives) { c.Endpoints[0].Windows[0].Tainted = 4000 },
			"", "", "", "", "", "", "8 % of the samples are tainted"},
		"a start too long for its budget": {func(c *Container, _ *Today, _ *Objectives) { c.Starts[3].Seconds = 20 }, "3/1/4", "2/1/2", "1/1/41", Assumed, Supported, "", ""},
		"a start too long for a rollout": {func(c *Container, t *Today, _ *Objectives) { c.Starts[3].Seconds, t.ProgressDeadline = 20, 30 },
			"", "", "", Assumed, Supported, "progressDeadlineSeconds 30", ""},
		"no startup probe, none needed": {func(_ *Container, t *Today, _ *Objectives) { t.Startup = nil }, "3/1/4", "2/1/2", "", Assumed, Supported, "", ""},
		"no startup probe, one needed":  {func(c *Container, t *Today, _ *Objectives) { t.Startup, c.Starts[0].Seconds = nil, 7 }, "3/1/4", "2/1/2", "1/1/15", Assumed, Supported, "", ""},
		"no startup probe, slow answers of liveness": {func(c *Container, t *Today, _ *Objectives) {
			c.Endpoints[0].Probes = []string{"liveness"}
			c.Endpoints[0].Windows[0].Latency = make(Sketch, 112)
			c.Endpoints[0].Windows[0].Latency[108] = 100 // 1.16 s
			t.Startup, c.Starts[0].Seconds = nil, 7
		}, "3/3/2", "2/1/2", "3/3/6", Assumed, Supported, "", ""},
		"no startup probe, answers of liveness unknown": {func(c *Container, t *Today, _ *Objectives) {
			c.Endpoints = c.Endpoints[1:]
			t.Startup, t.Liveness.Timeout, c.Starts[0].Seconds = nil, 2, 7
		}, "", "", "2/2/8", "", "", "", ""},
		"no liveness probe":               {func(_ *Container, t *Today, _ *Objectives) { t.Liveness = nil }, "", "2/1/2", "1/1/30", "", "", "", ""},
		"readiness too slow for liveness": {func(_ *Container, t *Today, _ *Objectives) { t.Readiness.Failures = 6 }, "3/1/4", "4/1/2", "1/1/30", Assumed, Supported, "", ""},
		"readiness answers slowly, and nothing limits it": {func(c *Container, t *Today, _ *Objectives) {
			c.Endpoints[1].Windows[0].Latency = make(Sketch, 112)
			c.Endpoints[1].Windows[0].Latency[105] = 100 // 0.9 s
			t.Liveness, t.Readiness = nil, &Setting{1, 1, 2}
		}, "", "2/2/2", "1/1/30", "", "", "", ""},
		"drain":                 {func(_ *Container, _ *Today, o *Objectives) { o.Drain = 5 }, "3/1/4", "1/1/3", "1/1/30", Assumed, Supported, "", ""},
		"drain without a delay": {func(_ *Container, _ *Today, o *Objectives) { o.Drain, o.EndpointDelay = 5, 0 }, "3/1/4", "2/1/2", "1/1/30", Assumed, Supported, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			container, today, objectives := served(short), now(), Objectives{EndpointDelay: 1}
			c.change(container, &today, &objectives)
			a := Recommend(container, today, objectives)
			for probe, want := range map[string]string{"liveness": c.liveness, "readiness": c.ready, "startup": c.start} {
				got := ""
				if choice := a.Choice(probe); choice != nil {
					got = choice.Next.String()
				}
				if got != want {
					t.Errorf("%s %s, want %s", probe, got, want)
				}
			}
			if s, r := promiseOf(a, "survive").Basis, promiseOf(a, "false-restarts").Basis; s != c.survive || r != c.restarts {
				t.Errorf("survive %s, false-restarts %s; want %s, %s", s, r, c.survive, c.restarts)
			}
			if !strings.Contains(a.Infeasible, c.infeasible) || (c.infeasible == "") != (a.Infeasible == "") {
				t.Errorf("infeasible %q, want %q", a.Infeasible, c.infeasible)
			}
			if !strings.Contains(a.Refused, c.refused) || (c.refused == "") != (a.Refused == "") {
				t.Errorf("refused %q, want %q", a.Refused, c.refused)
			}
		})
	}
}

// A new startup probe asks what liveness asks: its timeout rests on those answers, and that is
// said.
func TestTimeoutOfNewStartupProbe(t *testing.T) {
	c, today := served(), now()
	c.Endpoints[0].Probes = []string{"liveness"}
	today.Startup, c.Starts[0].Seconds = nil, 7
	a := Recommend(c, today, Objectives{})
	i := slices.IndexFunc(a.Promises, func(p Promise) bool { return strings.HasPrefix(p.Text, "startup has timeoutSeconds 1: 99.9 %") })
	if i < 0 || a.Promises[i].Objective != "timeout" || a.Promises[i].Basis != Measured {
		t.Errorf("no promise says on what the timeout rests: %+v", a.Promises)
	}
}

// What binds is named with the next faster numbers, and how they miss.
func TestBinding(t *testing.T) {
	a := Recommend(served(), now(), Objectives{Detect: 10, Survive: 8})
	want := "survive: 1/1/8 has A = 8 s; the faster 1/1/7 has A = 7 s only, and 8 s is to be survived"
	if got := a.Choice("liveness").Binding; !slices.Contains(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// The rate of false restarts makes the probe slower than the stall to survive does.
func TestRateBinds(t *testing.T) {
	c := served()
	w := &c.Endpoints[0].Windows[0]
	w.Seconds *= 100
	for i := range 30 {
		w.Stalls = append(w.Stalls, Stall{Begin: 3000*float64(i) + 7, Length: 9 + float64(i*7%30)/30})
	}
	today := now()
	today.Liveness.Failures = 3
	a := Recommend(c, today, Objectives{Survive: 5, FalseRestarts: 0.2})
	live := a.Choice("liveness")
	if live == nil || live.Next.Tolerated() < 9 || live.Next.Certain() > 12 || promiseOf(a, "false-restarts").Basis != Supported {
		t.Fatalf("%+v, %+v", live, promiseOf(a, "false-restarts"))
	}
	if a := Recommend(c, today, Objectives{Survive: 5, FalseRestarts: 0.2, Detect: 7}); !strings.HasPrefix(a.Infeasible, "no numbers of liveness reach detect and false-restarts at") || len(a.Curve) < 2 {
		t.Errorf("a hang noticed within 7 s with as few restarts: %+v", a)
	}
}

// The time that a rate takes is that at which it is the floor, whatever stalls remember.
func TestNeeds(t *testing.T) {
	for _, memory := range []float64{1, 3} {
		j := Judge{Memory: memory, hours: 40}
		if got := j.Needs(j.Floor()); math.Abs(got-40) > 1e-9 {
			t.Errorf("memory %v: the rate that 40 h support takes %v h", memory, got)
		}
	}
}

func TestSupports(t *testing.T) {
	for n, want := range map[int]float64{0: 0, 1: 0.05, 10: 0.741, 59: 0.9505} {
		if got := Supports(n); got < want-0.0005 || got > want+0.0005 {
			t.Errorf("%d starts support %v, want %v", n, got, want)
		}
	}
}

// Starts are reckoned by their kind: ten alone tell nothing of those at once.
func TestStartsByKind(t *testing.T) {
	c := served()
	c.Starts = append(c.Starts, Start{3, Together}, Start{2.5, Together}, Start{2.2, Together})
	a := Recommend(c, now(), Objectives{})
	if got, want := a.Measured.StartShare, Supports(3); got != want {
		t.Errorf("share %v, want %v: the longest is one of three", got, want)
	}
	want := "of 10 alone the longest took 2.0 s, so 74 % of such are as short; of 3 at once the longest took 3.0 s, so 37 % of such are as short (95 % confidence); the budget of 2× the longest is an assumption"
	if got := promiseOf(a, "start").Text; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestParseRate(t *testing.T) {
	for text, want := range map[string]float64{"6/h": 6, "1/day": 1.0 / 24, "1/replica-month": 1.0 / 720, "1/100 replica-months": 1.0 / 72000, "0.5/hour": 0.5, "2/week": 2.0 / 168} {
		if got, err := ParseRate(text); err != nil || got < want*0.999 || got > want*1.001 {
			t.Errorf("%s is %v (%v), want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "6", "0/h", "-1/h", "1/0h", "1/year", "1e9/h", "x/h", "1/h/h", strings.Repeat("9", 400) + "/h"} {
		if got, err := ParseRate(text); err == nil {
			t.Errorf("%q is %v, want an error", text, got)
		}
	}
}

func TestMerge(t *testing.T) {
	one, two := example(), example()
	two.Manifest = "another"
	all := Merge(one, two)
	c := all.Find("deployment/web", "server")
	if c == nil || len(all.Containers) != 1 || len(c.Starts) != 4 || len(c.Endpoints) != 1 || len(c.Endpoint("liveness").Windows) != 4 || len(c.Counts) != 2 || all.Manifest != "" {
		t.Errorf("got %+v", all)
	}
	if len(one.Containers[0].Starts) != 2 || len(one.Containers[0].Endpoints[0].Windows) != 2 {
		t.Error("what was merged has changed")
	}
}

// Names without a namespace are those of the one workload that is called so.
func TestWithNamespaces(t *testing.T) {
	for name, c := range map[string]struct {
		measured string
		manifest []string
		want     string
	}{
		"in another namespace":     {"deployment/web", []string{"shop/deployment/web", "shop/deployment/db"}, "shop/deployment/web"},
		"in two":                   {"deployment/web", []string{"shop/deployment/web", "test/deployment/web"}, "deployment/web"},
		"in default and elsewhere": {"deployment/web", []string{"deployment/web", "shop/deployment/web"}, "deployment/web"},
		"two containers of one":    {"deployment/web", []string{"shop/deployment/web", "shop/deployment/web"}, "shop/deployment/web"},
		"has one":                  {"shop/deployment/web", []string{"shop/deployment/web"}, "shop/deployment/web"},
		"of another kind":          {"statefulset/web", []string{"shop/deployment/web"}, "statefulset/web"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &Series{Containers: []Container{{Workload: c.measured, Name: "server"}}}
			if s.WithNamespaces(c.manifest); s.Containers[0].Workload != c.want {
				t.Errorf("got %s, want %s", s.Containers[0].Workload, c.want)
			}
		})
	}
}

// What liveness asks in a cluster is named if it is another thing than what was measured, and not
// if it is only written otherwise.
func TestCountsSayWhatIsAsked(t *testing.T) {
	const written, line = "exec sh -c a\nb", `exec sh -c a\nb`
	for name, c := range map[string]struct{ measured, there, want string }{
		"the same, from a file":      {line, written, ""},
		"the same, just measured":    {written, written, ""},
		"another":                    {line, "exec c\nd", `; liveness asks exec c\nd there`},
		"it is not known what it is": {line, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			container := served()
			container.Endpoints[0].Text = c.measured
			container.Counts = []Count{{PodHours: 100, Request: Request{Text: c.there}}}
			notes := strings.Join(Recommend(container, now(), Objectives{}).Notes, " ")
			if !strings.Contains(notes, "On the cluster:") || !strings.Contains(notes, c.want) || (c.want == "") == strings.Contains(notes, "liveness asks") {
				t.Errorf("notes %q, want %q", notes, c.want)
			}
		})
	}
}

// TestAgainst: what was measured of an endpoint promises nothing of another one.
func TestAgainst(t *testing.T) {
	numbers := &Setting{3, 1, 4}
	count := func(request string) *Container {
		return &Container{Counts: []Count{{PodHours: 100, Restarts: 1, Liveness: numbers, Request: Request{Text: request}}}}
	}
	for name, c := range map[string]struct {
		live      *Container
		ok, holds bool
		text      string // in the verdict
		change    func(series *Container)
	}{
		"the same":              {count("GET :http/livez"), true, true, "consistent with", nil},
		"another path":          {count("GET :http/healthz"), true, false, "liveness asks GET :http/healthz in the cluster, and what was measured for it is GET :http/livez", nil},
		"another kind":          {count("tcp :http"), true, false, "liveness asks tcp :http in the cluster", nil},
		"measured of readiness": {count("GET :http/readyz"), true, true, "consistent with", nil},
		"not known":             {count(""), true, true, "consistent with", nil},
		"not there":             {nil, false, false, "", nil},
		"no such probe":         {&Container{Counts: []Count{{PodHours: 100}}}, false, false, "", nil},
		"measured without liveness": {count("GET :http/livez"), true, false, "liveness asks GET :http/livez in the cluster, and no answer of that was measured: nothing is promised",
			func(series *Container) { series.Endpoints = series.Endpoints[1:] }},
		"stopped before the answers": {count("GET :http/livez"), true, false, "and no answer of that was measured", func(series *Container) { series.Endpoints[0].Windows = nil }},
		"only counted in a cluster":  {count("GET :http/livez"), false, false, "", func(series *Container) { series.Endpoints, series.Counts = nil, count("GET :http/livez").Counts }},
		"nothing is known":           {count(""), true, false, "no answer of what liveness asks was measured: nothing is promised", func(series *Container) { series.Endpoints = nil }},
	} {
		t.Run(name, func(t *testing.T) {
			series := served()
			if c.change != nil {
				c.change(series)
			}
			v, ok := series.Against(c.live)
			if ok != c.ok || v.Holds != c.holds || v.Unknown != (ok && !c.holds) || !strings.Contains(v.Text, c.text) {
				t.Errorf("%v, %+v, want %v, %v, %q", ok, v, c.ok, c.holds, c.text)
			}
		})
	}
}

func TestVerify(t *testing.T) {
	for name, c := range map[string]struct {
		counts []Count
		holds  bool
		text   string
	}{
		"nothing":          {nil, true, "tells nothing"},
		"as promised":      {[]Count{{PodHours: 100, Restarts: 3}}, true, "at least 1 in 5 days and at most 1 in 13 h (95 % each): consistent with"},
		"more":             {[]Count{{PodHours: 100, Restarts: 30}}, false, "more than the promised"},
		"Events tell why":  {[]Count{{PodHours: 100, EventHours: 10, Restarts: 30, Kills: 0}}, true, "0 restarts in 10 pod-hours"},
		"several clusters": {[]Count{{PodHours: 100, Restarts: 15}, {PodHours: 100, Restarts: 30}}, false, "45 restarts in 200 pod-hours"},
	} {
		t.Run(name, func(t *testing.T) {
			if v := Verify("deployment/web", "server", 0.1, c.counts); v.Holds != c.holds || !strings.Contains(v.Text, c.text) {
				t.Errorf("got %v, %q; want %v, %q", v.Holds, v.Text, c.holds, c.text)
			}
		})
	}
}

// TestMergeByRequest: windows of one endpoint add up, however it is written and whichever version
// has measured it. Those of one measurement do not, as they were at the same time: two endpoints
// may be described alike, since the values of their headers are left out.
func TestMergeByRequest(t *testing.T) {
	of := func(requests ...Request) *Series {
		c := Container{Workload: "pod/web", Name: "web"}
		for i, r := range requests {
			c.Endpoints = append(c.Endpoints, Endpoint{Probes: []string{[]string{"readiness", "liveness"}[i]}, Request: r, Windows: []Window{{Seconds: float64(100 + i)}}})
		}
		return &Series{Containers: []Container{c}}
	}
	old, named, numbered := Request{Text: "GET :http/livez"}, Request{"GET :http/livez", "GET :8080/livez"}, Request{"GET :8080/livez", "GET :8080/livez"}
	for name, c := range map[string]struct {
		list []*Series
		want []int // windows of each endpoint
	}{
		"a name and a number":    {[]*Series{of(named), of(numbered)}, []int{2}},
		"of an older version":    {[]*Series{of(old), of(named), of(numbered)}, []int{3}},
		"another":                {[]*Series{of(named), of(Request{"GET :9090/livez", "GET :9090/livez"})}, []int{1, 1}},
		"alike, in one":          {[]*Series{of(named, named)}, []int{1, 1}},
		"alike, in one, and two": {[]*Series{of(named, named), of(named, named)}, []int{2, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			got := Merge(c.list...).Containers[0].Endpoints
			var windows []int
			for _, e := range got {
				windows = append(windows, len(e.Windows))
				if e.Windows[0].Seconds != e.Windows[len(e.Windows)-1].Seconds {
					t.Errorf("windows of several endpoints in one: %+v", e)
				}
			}
			if !slices.Equal(windows, c.want) || got[0].Resolved == "" {
				t.Errorf("%v windows, want %v: %+v", windows, c.want, got)
			}
		})
	}
}
