package tune

import "fmt"

// counts says what a cluster has told: failures alone, without lengths, of the numbers it has now.
func (r *recommendation) counts() {
	for _, c := range r.container.Counts {
		if c.PodHours == 0 {
			continue
		}
		b := Limits(ones(c.Restarts), 1, c.PodHours)
		text := fmt.Sprintf("On the cluster: %d restarts for any reason in %.3g pod-hours, so %s at most (95 %%)", c.Restarts, c.PodHours, Rate(b.Upper))
		if c.EventHours > 0 {
			text += fmt.Sprintf("; %d by liveness in the %.3g pod-hours that Events tell of", c.Kills, c.EventHours)
		}
		if c.Exact {
			text += fmt.Sprintf("; %d attempts of liveness failed", c.Failures)
		}
		now := r.today.Liveness
		if c.Liveness != nil && now != nil && *c.Liveness != *now {
			text += fmt.Sprintf("; liveness is %s there", c.Liveness)
		}
		if e := r.container.Endpoint("liveness"); e != nil && c.Request != (Request{}) && !c.same(e.Request) {
			asks, _ := distinct(c.Request, e.Request)
			text += fmt.Sprintf("; liveness asks %s there", asks)
		}
		r.note(text + ". These are counts of failures, which say nothing of how long stalls are.")
	}
}

func ones(n int) []float64 {
	list := make([]float64, min(n, 1_000_000))
	for i := range list {
		list[i] = 1
	}
	return list
}

// Verdict is whether what a cluster tells contradicts a promise.
type Verdict struct {
	Workload  string `json:"workload"`
	Container string `json:"container"`
	// Promised is the most false restarts an hour, Bound what the cluster excludes.
	Promised float64 `json:"promised"`
	Bound    Bound   `json:"seen"`
	Restarts int     `json:"restarts"`
	Hours    float64 `json:"hours"`
	// Holds is false if the lower limit lies above the promise, or if it is Unknown: then nothing
	// is promised of what the probe asks in the cluster.
	Holds   bool   `json:"holds"`
	Unknown bool   `json:"unknown,omitempty"`
	Text    string `json:"text"`
}

// Against holds the rate of false restarts that was measured of a container, for the numbers that
// its liveness probe has in a cluster, against what that has counted. ok is false if it has no such
// probe there. What that asks may not have been measured: then the verdict is Unknown.
func (c *Container) Against(live *Container) (v Verdict, ok bool) {
	onlyCounted := len(c.Endpoints) == 0 && len(c.Counts) > 0 // in a cluster: nothing was ever promised
	if onlyCounted || live == nil || len(live.Counts) == 0 || live.Counts[0].Liveness == nil {
		return Verdict{}, false
	}
	there := live.Counts[0]
	measured := c.Endpoint("liveness")
	e := measured
	if there.Request != (Request{}) {
		now, _ := c.Asked(map[string]Request{"liveness": there.Request})
		e = now.Endpoint("liveness")
	}
	if e == nil || len(e.Windows) == 0 {
		text := notMeasured(there.Request, measured) + ": nothing is promised of that; measure again with what the cluster has"
		return Verdict{Workload: c.Workload, Container: c.Name, Unknown: true, Text: text}, true
	}
	return Verify(c.Workload, c.Name, NewJudge(e.Windows).Bound(*there.Liveness).Upper, live.Counts), true
}

// notMeasured says that what liveness asks in a cluster was not measured, and what was; asks is
// zero if the former is not known, measured nil if nothing was.
func notMeasured(asks Request, measured *Endpoint) string {
	switch {
	case asks == Request{}:
		return "no answer of what liveness asks was measured"
	case measured == nil || measured.same(asks):
		return fmt.Sprintf("liveness asks %s in the cluster, and no answer of that was measured", asks.words())
	}
	there, here := distinct(asks, measured.Request)
	return fmt.Sprintf("liveness asks %s in the cluster, and what was measured for it is %s", there, here)
}

// Verify holds what a cluster has counted against the rate of false restarts that was promised for
// a container. Restarts that were for something count too, so a contradiction is a question to look
// into, and none is a good sign.
func Verify(workload, container string, promised float64, counts []Count) Verdict {
	v := Verdict{Workload: workload, Container: container, Promised: promised, Holds: true}
	for _, c := range counts {
		hours, n := c.PodHours, c.Restarts
		if c.EventHours > 0 { // then it is known what they were for
			hours, n = c.EventHours, c.Kills
		}
		v.Hours, v.Restarts = v.Hours+hours, v.Restarts+n
	}
	if v.Hours == 0 {
		v.Text = "the cluster tells nothing of it"
		return v
	}
	v.Bound = Limits(ones(v.Restarts), 1, v.Hours)
	v.Holds = v.Bound.Lower <= promised
	how := "consistent with"
	if !v.Holds {
		how = "more than"
	}
	v.Text = fmt.Sprintf("%d restarts in %.3g pod-hours, at least %s and at most %s (95 %% each): %s the promised %s",
		v.Restarts, v.Hours, Rate(v.Bound.Lower), Rate(v.Bound.Upper), how, Rate(promised))
	return v
}
