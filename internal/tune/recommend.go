package tune

import (
	"fmt"
	"math"
	"time"
)

// mostTainted is the share of tainted samples above which nothing is recommended.
const mostTainted = 0.05

// crowd is of how many replicas on probes every second count as a flood, as for the rule
// probe-flooding of probity check; from then on a liveness probe comes each calmPeriod seconds at
// most.
const (
	crowd      = 25
	calmPeriod = 3
)

// leastSurvive is the shortest stall that is assumed to have to be survived.
const leastSurvive = 5

// recommendation is one in the making.
type recommendation struct {
	objectives Objectives
	today      Today
	container  *Container
	windows    []Window // of the endpoint that is decisive
	judge      *Judge   // of these
	advice     *Advice
}

// Recommend chooses the numbers of the probes of one container by what was measured of it.
// container is nil if that is nothing.
func Recommend(container *Container, today Today, o Objectives) *Advice {
	a := &Advice{Workload: today.Workload, Container: today.Container}
	if container == nil {
		a.Refused = "nothing was measured of it"
		return a
	}
	r := &recommendation{objectives: o, today: today, container: container, advice: a}
	if e := r.decisive(); e != nil {
		r.windows = e.Windows
	}
	r.judge = NewJudge(r.windows)
	a.Measured = r.summary()
	m := a.Measured
	switch {
	case m.Samples > 0 && float64(m.Tainted) > mostTainted*float64(m.Samples):
		a.Refused = fmt.Sprintf("%.0f %% of the samples are tainted: Probity itself was late by more than 20 ms, so that nothing is known of the service; measure again while less runs on this machine",
			100*float64(m.Tainted)/float64(m.Samples))
	case m.Hours == 0 && len(container.Starts) == 0 && len(container.Counts) == 0:
		a.Refused = "nothing was measured of it"
	}
	if a.Refused != "" {
		return a
	}
	if m.Hours > 0 {
		r.liveness()
	} else {
		r.note("No answers of what decides about restarts were measured: liveness and readiness stay as they are.")
	}
	if a.Infeasible == "" && m.Hours > 0 {
		r.readiness()
	}
	if a.Infeasible == "" {
		r.startup()
	}
	r.counts()
	return a
}

func (r *recommendation) promise(p Promise) { r.advice.Promises = append(r.advice.Promises, p) }

func (r *recommendation) note(text string) { r.advice.Notes = append(r.advice.Notes, text) }

func (r *recommendation) infeasible(why string, curve ...Point) {
	r.advice.Infeasible, r.advice.Curve, r.advice.Choices = why, curve, nil
}

func (r *recommendation) choose(probe string, now *Setting, next Setting, binding ...string) {
	r.advice.Choices = append(r.advice.Choices, Choice{Probe: probe, Now: now, Next: next, Binding: binding})
}

// decisive is the endpoint whose stalls count: that of liveness, or of readiness if there is no
// liveness probe. What another endpoint did says nothing of restarts.
func (r *recommendation) decisive() *Endpoint {
	if r.today.Liveness != nil {
		return r.container.Endpoint("liveness")
	}
	return r.container.Endpoint("readiness")
}

func (r *recommendation) summary() (m Summary) {
	for _, e := range r.container.Endpoints {
		for _, w := range e.Windows {
			m.Samples, m.Tainted = m.Samples+w.Samples, m.Tainted+w.Tainted
		}
	}
	for _, w := range r.windows {
		m.Hours += w.Seconds / time.Hour.Seconds()
		m.Stalls += len(w.Stalls)
		for _, s := range w.Stalls {
			m.Longest = max(m.Longest, s.Length)
		}
	}
	if m.Hours > 0 {
		m.Floor = r.judge.Floor()
	}
	m.Starts, m.StartShare = len(r.container.Starts), startShare(r.container.Starts)
	for _, s := range r.container.Starts {
		m.LongestStart = max(m.LongestStart, s.Seconds)
	}
	return m
}

// leastTimeout is 2 × p99.9 of the answers of an endpoint, as a rule for its timeout, rounded up to
// seconds; under load, if that was measured.
func leastTimeout(e *Endpoint) (timeout int, p999 float64, answers int, loaded bool) {
	if e == nil {
		return 1, 0, 0, false
	}
	var all, underLoad Sketch
	for _, w := range e.Windows {
		all.Join(w.Latency)
		if w.Load != "" {
			underLoad.Join(w.Latency)
		}
	}
	if underLoad.Count() > 0 {
		all, loaded = underLoad, true
	}
	p999 = all.Quantile(0.999)
	return max(1, int(math.Ceil(2*p999))), p999, all.Count(), loaded
}

// timeout is the least timeoutSeconds for a probe that asks an endpoint. What is not measured keeps
// today's.
func timeout(e *Endpoint, now *Setting) int {
	if e == nil && now != nil {
		return now.Timeout
	}
	least, _, _, _ := leastTimeout(e)
	return least
}

// promiseTimeout says what the timeout of a probe that asks an endpoint rests on.
func (r *recommendation) promiseTimeout(probe string, e *Endpoint, timeout int) {
	_, p999, answers, loaded := leastTimeout(e)
	if answers == 0 {
		r.promise(Promise{Objective: "timeout", Basis: Assumed, Text: fmt.Sprintf("%s has timeoutSeconds %d: no answer of it was measured", probe, timeout)})
		return
	}
	when := "idle"
	if loaded {
		when = "under load"
	}
	r.promise(Promise{Objective: "timeout", Basis: Measured, Text: fmt.Sprintf(
		"%s has timeoutSeconds %d: 99.9 %% of %d answers came within %s %s, and twice that is allowed", probe, timeout, answers, Time(p999), when)})
}

// Time writes seconds as people read them: "740 ms", "2.1 s", "20 min", "36 h".
func Time(seconds float64) string {
	switch {
	case seconds < 0.01:
		return fmt.Sprintf("%.2g ms", seconds*1000)
	case seconds < 1:
		return fmt.Sprintf("%.0f ms", seconds*1000)
	case seconds < 10:
		return fmt.Sprintf("%.1f s", seconds)
	case seconds < 120:
		return fmt.Sprintf("%.0f s", seconds)
	case seconds < 2*3600:
		return fmt.Sprintf("%.0f min", seconds/60)
	}
	return fmt.Sprintf("%.0f h", seconds/3600)
}

// Rate writes a number an hour: "9 an hour", "1 in 30 h", "1 in 30 days".
func Rate(perHour float64) string {
	switch every := 1 / perHour; {
	case perHour == 0:
		return "none"
	case perHour >= 99.5:
		return fmt.Sprintf("%.0f an hour", perHour)
	case perHour >= 1:
		return fmt.Sprintf("%.2g an hour", perHour)
	case every < 99.5:
		return fmt.Sprintf("1 in %.2g h", every)
	case every < 2*365*24:
		return fmt.Sprintf("1 in %.0f days", every/24)
	default:
		return fmt.Sprintf("1 in %.0f years", every/24/365)
	}
}
