package tune

import (
	"cmp"
	"fmt"
	"slices"
)

// readiness chooses the numbers of the readiness probe: a replica that hangs is to be out of the
// Service before liveness can kill it, or as soon as was asked for.
func (r *recommendation) readiness() {
	now := r.today.Readiness
	if now == nil {
		return
	}
	limit, why := r.objectives.Drain, "what was asked for"
	if live := r.advice.Choice("liveness"); live != nil && (limit == 0 || live.Next.Tolerated() < limit) {
		limit, why = live.Next.Tolerated(), "before liveness can kill it"
	}
	least := timeout(r.container.Endpoint("readiness"), now)
	delay := r.objectives.EndpointDelay
	fits := func(s Setting) bool {
		return s.Timeout >= least && (limit == 0 || s.Certain()+delay <= limit) && (r.today.Replicas < crowd || s.Period >= calmPeriod)
	}
	next, ok := *now, fits(*now)
	if !ok { // no slower than today, if that is possible
		next, ok = calmest(now.Certain(), func(s Setting) bool { return s.Failures > 1 && fits(s) })
	}
	switch {
	case ok:
	case limit == 0:
		next, ok = soonest(fits)
	default:
		next, ok = calmest(limit-delay, fits)
	}
	if !ok {
		r.promise(Promise{Objective: "drain", Basis: Missed, Text: missedDrain(limit, why, least)})
		r.choose("readiness", now, *now)
		return
	}
	r.choose("readiness", now, next)
	text := fmt.Sprintf("a replica that hangs gets no requests after %d s at the latest", next.Certain()+delay)
	if limit > 0 {
		text += ", " + why
	}
	if delay > 0 {
		text += fmt.Sprintf("; of that %d s are assumed for the change to reach those who send them", delay)
	} else {
		text += "; that the change reaches those who send them at once is assumed"
	}
	p := Promise{Objective: "drain", Basis: Assumed, Text: text}
	if r.objectives.Drain > 0 {
		p.Wanted = fmt.Sprintf("%d s", r.objectives.Drain)
	}
	r.promise(p)
	r.promiseTimeout("readiness", r.container.Endpoint("readiness"), next.Timeout)
}

// missedDrain says why there are no numbers.
func missedDrain(limit int, why string, least int) string {
	if limit == 0 {
		return fmt.Sprintf("no numbers of readiness have the timeout of %d s that its answers need: it stays as it is", least)
	}
	return fmt.Sprintf("no numbers of readiness take a hung replica out within %d s (%s): it stays as it is", limit, why)
}

// soonest is the fastest setting that fits, where nothing limits it. One failure alone takes no
// replica out.
func soonest(fits func(Setting) bool) (Setting, bool) {
	for s := range settings(0) {
		if s.Failures > 1 && fits(s) {
			return s, true
		}
	}
	return Setting{}, false
}

// calmest is the setting that probes least, and tolerates most of those, among those that fit and
// act within a limit. One failure alone takes a replica out only if nothing else fits.
func calmest(limit int, fits func(Setting) bool) (best Setting, ok bool) {
	var all []Setting
	for s := range settings(max(limit, 1)) {
		if fits(s) {
			all = append(all, s)
		}
	}
	if len(all) == 0 {
		return best, false
	}
	return slices.MaxFunc(all, func(a, b Setting) int {
		return cmp.Or(cmp.Compare(min(a.Failures, 2), min(b.Failures, 2)), cmp.Compare(a.Period, b.Period), cmp.Compare(a.Tolerated(), b.Tolerated()))
	}), true
}
