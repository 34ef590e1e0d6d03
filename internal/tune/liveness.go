package tune

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// wish is one condition on the numbers of liveness.
type wish struct {
	name  string
	holds func(Setting) bool
	// fails says of a setting why it does not hold.
	fails func(Setting) string
}

// liveness chooses the numbers of the liveness probe.
func (r *recommendation) liveness() {
	if r.today.Liveness == nil {
		r.note("There is no liveness probe: a container that hangs is not restarted, and none is for nothing.")
		return
	}
	survive := r.survive()
	wishes := r.wishes(survive)
	now := r.today.Liveness
	next, ok := *now, meets(*now, wishes)
	if !ok {
		next, ok = r.first(wishes, "")
	}
	if !ok {
		r.cannot(survive, wishes)
		return
	}
	var binding []string
	if next != *now {
		binding = r.binding(next, wishes)
	}
	r.choose("liveness", now, next, binding...)
	r.promises(next, survive)
}

// survive is the stall that must not lead to a restart.
func (r *recommendation) survive() int {
	if s := r.objectives.Survive; s > 0 {
		return s
	}
	return max(int(math.Ceil(2*r.advice.Measured.Longest)), leastSurvive)
}

// supported reports whether the objective of false restarts can be judged by what was measured.
func (r *recommendation) supported() bool {
	return r.objectives.FalseRestarts > 0 && r.objectives.FalseRestarts >= r.advice.Measured.Floor
}

// wishes are the conditions, the cheap ones first.
func (r *recommendation) wishes(survive int) (list []wish) {
	o := r.objectives
	least := timeout(r.container.Endpoint("liveness"), r.today.Liveness)
	list = append(list, wish{"timeout", func(s Setting) bool { return s.Timeout >= least },
		func(s Setting) string { return fmt.Sprintf("timeoutSeconds %d, and %d is needed", s.Timeout, least) }})
	list = append(list, wish{"survive", func(s Setting) bool { return s.Tolerated() >= survive },
		func(s Setting) string {
			return fmt.Sprintf("A = %d s only, and %d s is to be survived", s.Tolerated(), survive)
		}})
	if slow := longestSlow(r.windows); o.Survive == 0 && slow.at(1) > 0 {
		list = append(list, wish{"slow", func(s Setting) bool { return 2*slow.at(s.Timeout) <= float64(s.Tolerated()) },
			func(s Setting) string {
				return fmt.Sprintf("timeoutSeconds %d, for which answers were too slow for %s", s.Timeout, Time(slow.at(s.Timeout)))
			}})
	}
	if o.Detect > 0 {
		list = append(list, wish{"detect", func(s Setting) bool { return s.Certain() <= o.Detect },
			func(s Setting) string { return fmt.Sprintf("A + P = %d s", s.Certain()) }})
	}
	if r.today.Replicas >= crowd {
		list = append(list, wish{"load", func(s Setting) bool { return s.Period >= calmPeriod },
			func(Setting) string { return fmt.Sprintf("more probes than %d replicas should get", r.today.Replicas) }})
	}
	if r.supported() {
		list = append(list, wish{"false-restarts", func(s Setting) bool { return r.judge.Allows(s, o.FalseRestarts) },
			func(s Setting) string { return fmt.Sprintf("up to %s", Rate(r.judge.Bound(s).Upper)) }})
	}
	return list
}

func meets(s Setting, wishes []wish) bool {
	return !slices.ContainsFunc(wishes, func(w wish) bool { return !w.holds(s) })
}

// first is the fastest setting that meets all wishes but the one of that name.
func (r *recommendation) first(wishes []wish, but string) (Setting, bool) {
	latest := 0
	if but != "detect" {
		latest = r.objectives.Detect
	}
	for s := range settings(latest) {
		if !slices.ContainsFunc(wishes, func(w wish) bool { return w.name != but && !w.holds(s) }) {
			return s, true
		}
	}
	return Setting{}, false
}

// binding says which wishes keep a setting from being faster: without such a one, another is. Of
// those the slowest is named, which misses by least.
func (r *recommendation) binding(s Setting, wishes []wish) (lines []string) {
	for _, w := range wishes {
		if other, ok := slowest(s.Certain()-1, wishes, w.name); ok {
			lines = append(lines, fmt.Sprintf("%s: %s has A = %d s; the faster %s has %s", w.name, s, s.Tolerated(), other, w.fails(other)))
		}
	}
	return lines
}

// slowest is the setting that tolerates most among the slowest that act within so many seconds and
// meet all wishes but the one of that name.
func slowest(certain int, wishes []wish, but string) (Setting, bool) {
	for ; certain > 0; certain-- {
		for _, s := range slices.Backward(settingsOf(certain)) {
			if !slices.ContainsFunc(wishes, func(w wish) bool { return w.name != but && !w.holds(s) }) {
				return s, true
			}
		}
	}
	return Setting{}, false
}

// String writes the numbers as period/timeout/failureThreshold, "3/2/3".
func (s Setting) String() string { return fmt.Sprintf("%d/%d/%d", s.Period, s.Timeout, s.Failures) }

// cannot says why there is no setting, and what there is instead.
func (r *recommendation) cannot(survive int, wishes []wish) {
	o := r.objectives
	why := fmt.Sprintf("no numbers of liveness reach %s at the same time", r.colliding(wishes))
	if o.Detect > 0 && o.Detect-survive < 1 {
		why = fmt.Sprintf("a stall of %d s cannot be survived if a hang is to be noticed after %d s: the probe needs 1 s between the two at least", survive, o.Detect)
	}
	var curve []Point
	patient, ok := r.first(wishes, "detect")
	if ok {
		curve = append(curve, r.point(patient))
	}
	if o.Detect > 0 {
		for latest, step := o.Detect, max(1, (patient.Certain()-o.Detect)/4); latest < patient.Certain() && len(curve) < 6; latest += step {
			if s, ok := mostPatient(latest, wishes[0]); ok {
				curve = append(curve, r.point(s))
			}
		}
	}
	slices.SortFunc(curve, func(a, b Point) int { return a.Detects - b.Detects })
	r.infeasible(why, curve...)
}

// colliding names the wishes that contradict others: without such a one there would be numbers. If
// there would be none without any of them, all are named.
func (r *recommendation) colliding(wishes []wish) string {
	var names, all []string
	for _, w := range wishes {
		all = append(all, w.name)
		if _, ok := r.first(wishes, w.name); ok {
			names = append(names, w.name)
		}
	}
	if len(names) == 0 {
		names = all
	}
	return strings.Join(names, " and ")
}

// mostPatient is the setting that tolerates most among those that detect in time.
func mostPatient(latest int, timeout wish) (best Setting, ok bool) {
	for s := range settings(latest) {
		if timeout.holds(s) && (!ok || s.Tolerated() > best.Tolerated()) {
			best, ok = s, true
		}
	}
	return best, ok
}

func (r *recommendation) point(s Setting) Point {
	return Point{Setting: s, Tolerates: s.Tolerated(), Detects: s.Certain(), Limit: r.judge.Bound(s).Upper}
}

// promises says what the numbers of liveness do about each objective.
func (r *recommendation) promises(s Setting, survive int) {
	m, o := r.advice.Measured, r.objectives
	detect := Promise{Objective: "detect", Basis: Supported, Text: fmt.Sprintf("a hang is noticed after %d s at the latest (A + P)", s.Certain())}
	if o.Detect > 0 {
		detect.Wanted = fmt.Sprintf("%d s", o.Detect)
	}
	r.promise(detect)
	seen := fmt.Sprintf("of %d stalls in %s the longest took %s", m.Stalls, Time(m.Hours*3600), Time(m.Longest))
	if m.Stalls == 0 {
		seen = fmt.Sprintf("no stall was seen in %s", Time(m.Hours*3600))
	}
	p := Promise{Objective: "survive", Basis: Supported, Wanted: fmt.Sprintf("%d s", survive),
		Text: fmt.Sprintf("a stall of up to %d s never leads to a restart (A); %s", s.Tolerated(), seen)}
	if o.Survive == 0 {
		p.Wanted, p.Basis = "", Assumed
		p.Text = fmt.Sprintf("a stall of up to %d s never leads to a restart (A): nothing was asked for, so it is twice the longest measured, and %d s at least; %s",
			s.Tolerated(), leastSurvive, seen)
	} else if m.Longest > float64(s.Tolerated()) {
		p.Text += ", which this does not survive for sure"
	}
	r.promise(p)
	r.promiseRestarts(s)
	r.noteSlow(s)
	r.promiseTimeout("liveness", r.container.Endpoint("liveness"), s.Timeout)
}

// noteSlow says how long answers were too slow, which is no stall: for the timeout of a setting, or
// for the shortest one.
func (r *recommendation) noteSlow(s Setting) {
	slow := longestSlow(r.windows)
	if mostSlow := slow.at(s.Timeout); mostSlow > 0 {
		r.note(fmt.Sprintf("All answers took longer than timeoutSeconds %d for %s at a time, though they came: attempts fail as long as that.", s.Timeout, Time(mostSlow)))
	} else if slow.at(1) > 0 {
		r.note(fmt.Sprintf("All answers took longer than 1 s for %s at a time, though they came; timeoutSeconds %d waits for them.", Time(slow.at(1)), s.Timeout))
	}
}

// promiseRestarts says which rate of false restarts is excluded, and which cannot be.
func (r *recommendation) promiseRestarts(s Setting) {
	m, o := r.advice.Measured, r.objectives
	b := r.judge.Bound(s)
	outcome := Replay(r.windows, s)
	p := Promise{Objective: "false-restarts", Basis: Supported}
	if o.FalseRestarts > 0 {
		p.Wanted = Rate(o.FalseRestarts)
	}
	played := "restarts nothing at any phase"
	if outcome.Most > 0 {
		played = fmt.Sprintf("restarts %s, %d times in all at the worst phase", Rate(b.Rate), outcome.Most)
	}
	p.Text = fmt.Sprintf("played on what was measured it %s; with 95 %% confidence the rate is at most %s", played, Rate(b.Upper))
	if !r.judge.Known {
		p.Text += "; that stalls come independently of each other is assumed, for there are too few to tell"
	}
	if r.judge.Memory > 1 {
		p.Text += "; stalls are like those before them, so much less is known than their number says"
	}
	if r.judge.Growing {
		p.Basis = Assumed
		p.Text += "; stalls became longer or more frequent while they were measured, as with a leak: that they stay as they were is assumed"
		r.note("Stalls grew while they were measured. No number of a probe holds for what goes on growing: find out why they do, or measure until they no longer do.")
	}
	if o.FalseRestarts > 0 && !r.supported() {
		p.Basis = Unsupported
		p.Text = fmt.Sprintf("%s support %s at best; this takes %s without one: the recommendation rests on the stall to survive alone",
			Time(m.Hours*3600), Rate(m.Floor), hours(r.judge.Needs(o.FalseRestarts)))
	}
	r.promise(p)
}

// hours writes pod-hours.
func hours(h float64) string {
	switch {
	case h*3600 < 120*60:
		return Time(h * time.Hour.Seconds())
	case h < 1000:
		return fmt.Sprintf("%.3g pod-hours", h)
	}
	return fmt.Sprintf("%d,%03d pod-hours", int(h)/1000, int(h)%1000)
}
