package simulate

import (
	"slices"
	"time"

	"github.com/probity-run/probity/internal/lifecycle"
)

// Probe implements [Service]: what an attempt finds, given all that is going to happen until its
// timeout.
func (s *scripted) Probe(a Attempt) Answer {
	p := s.programs[a.Instance.Container]
	q := p.asked[a.Type]
	if q.words.nowhere != "" {
		return Answer{lifecycle.OutcomeErrorUnknown, q.words.nowhere, 0}
	}
	latency, bad := q.next()
	if r, until := q.closed(p, a.At); r.Kind != Good {
		return q.refused(r, a.At, until, latency)
	}
	latency += q.extra(a.At)
	end := a.At + q.timeout
	done := paused(q.ofKind(FaultHang), a.At, latency, end)
	switch {
	case done > end:
		return Answer{Outcome: lifecycle.OutcomeFailure, Output: q.words.silent, After: q.timeout}
	case bad:
		outcome, output := q.words.answered(500)
		return Answer{outcome, output, done - a.At}
	default:
		outcome, output := q.words.failure(q.reply(done))
		return Answer{outcome, output, done - a.At}
	}
}

// next draws what the program by itself does with an attempt: how long it takes, and whether the
// answer is bad.
func (q *asked) next() (latency time.Duration, bad bool) {
	u := uniformAt(q.key, q.attempts)
	q.attempts++
	if q.untilBad > 0 {
		q.untilBad--
		return q.latency.Quantile(u * q.within), false
	}
	tooSlow := q.chance.Float64()*q.bad < q.slow
	q.untilBad = q.chance.gap(q.bad)
	if tooSlow {
		return max(q.latency.Quantile(q.within+u*q.slow), q.timeout+1), false
	}
	return q.latency.Quantile(u * q.within), true
}

// closed says whether the program takes no connection at a time, or takes it and says nothing
// useful because it is still starting; until is when that ends.
func (q *asked) closed(p *program, at time.Duration) (r Reply, until time.Duration) {
	if at < p.up {
		if q.kernel && p.Before.Kind != Refused {
			return Reply{}, 0
		}
		return p.Before, p.up
	}
	for _, s := range q.strikes {
		if s.fault.Kind != FaultRefuse {
			continue
		}
		if w, ok := s.at(at); ok {
			return Reply{Kind: Refused}, w.end
		}
	}
	return Reply{}, 0
}

// refused is the answer of a program that is closed. What waits for a connection, or for an answer,
// gets it if the program opens in time.
func (q *asked) refused(r Reply, at, until, latency time.Duration) Answer {
	end := at + q.timeout
	switch {
	case r.Kind == Refused && q.waits:
		// R93: about every second
		for retry := at + time.Second; retry <= end; retry += time.Second {
			if retry >= until {
				return Answer{After: min(retry+latency, end) - at}
			}
		}
		return Answer{lifecycle.OutcomeFailure, q.words.refused, q.timeout}
	case r.Kind == Refused:
		return Answer{lifecycle.OutcomeFailure, q.words.refused, 0}
	case r.Kind == Silent && until+latency <= end:
		return Answer{After: until + latency - at}
	case r.Kind == Silent:
		return Answer{lifecycle.OutcomeFailure, q.words.silent, q.timeout}
	default:
		outcome, output := q.words.failure(r)
		return Answer{outcome, output, min(latency, q.timeout)}
	}
}

// extra is what slow faults add to the latency of an answer.
func (q *asked) extra(at time.Duration) (sum time.Duration) {
	for _, s := range q.strikes {
		if s.fault.Kind != FaultSlow {
			continue
		}
		if w, ok := s.at(at); ok {
			grown := 1.0
			if ramp := s.fault.Ramp; ramp > 0 {
				grown = min(float64(at-w.begin)/float64(ramp), 1)
			}
			sum += time.Duration(grown * float64(s.fault.Latency))
		}
	}
	return sum
}

// reply is what answers are made of at a time.
func (q *asked) reply(at time.Duration) Reply {
	for _, s := range q.strikes {
		var r Reply
		switch s.fault.Kind {
		case FaultStatus, FaultOutage:
			r = s.fault.Reply
		case FaultError:
			r = Reply{Kind: Broken}
		default:
			continue
		}
		if _, ok := s.at(at); ok {
			return r
		}
	}
	return Reply{}
}

func (q *asked) ofKind(k FaultKind) (found []*strike) {
	for _, s := range q.strikes {
		if s.fault.Kind == k || s.fault.Kind == FaultOutage && s.fault.Reply.Kind == Silent && k == FaultHang {
			found = append(found, s)
		}
	}
	return found
}

// calmUntil implements calmer.
func (s *scripted) calmUntil(container string, t lifecycle.ProbeType, next time.Duration) time.Duration {
	p := s.programs[container]
	q := p.asked[t]
	longest, ok := q.longestNow(next)
	if !ok || longest > q.period || next < p.up || q.words.nowhere != "" {
		return 0
	}
	calm := Never
	if q.untilBad < int(Never/q.period) {
		calm = min(calm, next+time.Duration(q.untilBad)*q.period)
	}
	for _, strike := range q.strikes {
		if w, ok := strike.next(); ok && w.begin <= next && strike.fault.Kind == FaultSlow {
			calm = min(calm, w.end-longest)
		} else if ok {
			calm = min(calm, w.begin-longest)
		}
	}
	return calm
}

// longestNow is how long a good answer takes at most from a tick on, until a fault begins or ends;
// it is not ok if that changes all the time, or if an answer may take too long.
func (q *asked) longestNow(next time.Duration) (longest time.Duration, ok bool) {
	longest = q.longest
	for _, strike := range q.strikes {
		w, some := strike.next()
		if !some || w.begin > next || strike.fault.Kind != FaultSlow {
			continue
		}
		if next < w.begin+strike.fault.Ramp || !q.latency.IsFixed() {
			return 0, false
		}
		longest += strike.fault.Latency
	}
	return longest, longest <= q.timeout
}

// passed implements calmer.
func (s *scripted) passed(container string, t lifecycle.ProbeType, attempts int) {
	q := s.programs[container].asked[t]
	q.untilBad -= attempts
	q.attempts += uint64(attempts)
}

// failing says whether requests to a container fail at a time: it does not answer, or a fault keeps
// it from answering well.
func (s *scripted) failing(container string, at time.Duration) bool {
	p := s.programs[container]
	if !p.running || at < p.up {
		return true
	}
	return slices.ContainsFunc(s.strikes, func(k *strike) bool {
		return k.container == container && k.active != nil && k.fault.stopsRequests()
	})
}
