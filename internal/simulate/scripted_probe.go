package simulate

import (
	"slices"
	"time"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/simulate/script"
)

// Probe implements [Programs]: what an attempt finds, given all that is going to happen until its
// timeout.
func (s *scripted) Probe(a Attempt) Answer {
	p := s.programs[a.Instance.Container]
	q := p.probes[a.Type]
	if q.handler.missingPort != "" {
		return Answer{lifecycle.OutcomeErrorUnknown, q.handler.missingPort, 0}
	}
	latency, bad := q.next()
	if r, until := q.closed(p, a.At); r.Kind != script.ReplyGood {
		return q.refused(r, a.At, until, latency)
	}
	latency += q.extra(a.At, latency)
	end := a.At + q.timeout
	done := finished(q.stalls(), a.At, latency, end)
	switch {
	case done > end:
		return Answer{Outcome: lifecycle.OutcomeFailure, Output: q.handler.timedOut, After: q.timeout}
	case bad:
		outcome, output := q.handler.answered(500)
		return Answer{outcome, output, done - a.At}
	default:
		outcome, output := q.handler.Outcome(q.reply(done))
		return Answer{outcome, output, done - a.At}
	}
}

// next draws what the program by itself does with an attempt: how long it takes, and whether the
// answer is bad.
func (q *scriptedProbe) next() (latency time.Duration, bad bool) {
	u := uniformAt(q.key, q.attempts)
	q.attempts++
	if q.untilBad > 0 {
		q.untilBad--
		return q.latency.Quantile(u * q.within), false
	}
	tooSlow := q.random.Float64()*q.bad < q.slow
	q.untilBad = q.random.gap(q.bad)
	if tooSlow {
		return max(q.latency.Quantile(q.within+u*q.slow), q.timeout+1), false
	}
	return q.latency.Quantile(u * q.within), true
}

// closed is what the program replies while it does not serve: it takes no connection, or it is
// still starting. until is when that ends; a good reply says that it serves.
func (q *scriptedProbe) closed(p *scriptedProgram, at time.Duration) (r script.Reply, until time.Duration) {
	if at < p.answersFrom {
		if q.connects && p.Before.Kind != script.ReplyRefused {
			return script.Reply{}, 0
		}
		return p.Before, p.answersFrom
	}
	for _, s := range q.faults {
		if !s.effect.Refuses {
			continue
		}
		if w, ok := s.at(at); ok {
			return script.Reply{Kind: script.ReplyRefused}, w.end
		}
	}
	return script.Reply{}, 0
}

// refused is the answer of a program that does not serve. Who waits for a connection, or for an
// answer, gets it if the program serves in time.
func (q *scriptedProbe) refused(r script.Reply, at, until, latency time.Duration) Answer {
	end := at + q.timeout
	switch {
	case r.Kind == script.ReplyRefused && q.retries:
		// R93: about every second
		for retry := at + time.Second; retry <= end; retry += time.Second {
			if retry >= until {
				return Answer{After: min(retry+latency, end) - at}
			}
		}
		return Answer{lifecycle.OutcomeFailure, q.handler.refused, q.timeout}
	case r.Kind == script.ReplyRefused:
		return Answer{lifecycle.OutcomeFailure, q.handler.refused, 0}
	case r.Kind == script.ReplyHang && until+latency <= end:
		return Answer{After: until + latency - at}
	case r.Kind == script.ReplyHang:
		return Answer{lifecycle.OutcomeFailure, q.handler.timedOut, q.timeout}
	default:
		outcome, output := q.handler.Outcome(r)
		return Answer{outcome, output, min(latency, q.timeout)}
	}
}

// extra is what slow faults add to the latency of an answer, which is own by itself.
func (q *scriptedProbe) extra(at, own time.Duration) (sum time.Duration) {
	for _, s := range q.faults {
		if !s.effect.Slows() {
			continue
		}
		if w, ok := s.at(at); ok {
			grown := 1.0
			if ramp := s.effect.Ramp; ramp > 0 {
				grown = min(float64(at-w.begin)/float64(ramp), 1)
			}
			sum += time.Duration(grown*float64(s.effect.Latency)) + slowedBy(s.effect, own)
		}
	}
	return sum
}

// slowedBy is what the factor of a fault adds to a latency. A connection is made by the kernel.
func slowedBy(e script.Effect, own time.Duration) time.Duration {
	if e.Factor <= 1 {
		return 0
	}
	return time.Duration(min((e.Factor-1)*float64(own), float64(script.Infinity)))
}

// reply is what answers are made of at a time.
func (q *scriptedProbe) reply(at time.Duration) script.Reply {
	for _, s := range q.faults {
		if s.effect.Reply.Kind == script.ReplyGood {
			continue
		}
		if _, ok := s.at(at); ok {
			return s.effect.Reply
		}
	}
	return script.Reply{}
}

// stalls are the faults that keep answers back.
func (q *scriptedProbe) stalls() (found []*faultSchedule) {
	for _, s := range q.faults {
		if s.effect.Stalls {
			found = append(found, s)
		}
	}
	return found
}

// succeedsUntil implements [skippable].
func (s *scripted) succeedsUntil(container string, t lifecycle.ProbeType, next time.Duration) time.Duration {
	p := s.programs[container]
	q := p.probes[t]
	longest, ok := q.longestNow(next)
	if !ok || longest > q.period || next < p.answersFrom || q.handler.missingPort != "" {
		return 0
	}
	until := s.end + 1 - longest // whose answer comes later is not seen
	if q.untilBad < int(script.Infinity/q.period) {
		until = min(until, next+time.Duration(q.untilBad)*q.period)
	}
	for _, f := range q.faults {
		if w, ok := f.next(); ok && w.begin <= next && f.effect.Slows() {
			until = min(until, w.end-longest)
		} else if ok {
			until = min(until, w.begin-longest)
		}
	}
	return until
}

// longestNow is how long a good answer takes at most from a tick on, until a fault begins or ends;
// it is not ok if that changes all the time, or if an answer may take too long.
func (q *scriptedProbe) longestNow(next time.Duration) (longest time.Duration, ok bool) {
	longest = q.longest
	for _, f := range q.faults {
		w, some := f.next()
		if !some || w.begin > next || !f.effect.Slows() {
			continue
		}
		if next < w.begin+f.effect.Ramp || !q.latency.IsFixed() {
			return 0, false
		}
		longest += f.effect.Latency + slowedBy(f.effect, q.longest)
	}
	return longest, longest <= q.timeout
}

// skipped implements [skippable].
func (s *scripted) skipped(container string, t lifecycle.ProbeType, attempts int) {
	q := s.programs[container].probes[t]
	q.untilBad -= attempts
	q.attempts += uint64(attempts)
}

// failing reports whether requests to a container fail at a time: it does not answer, or a fault
// keeps it from answering well.
func (s *scripted) failing(container string, at time.Duration) bool {
	p := s.programs[container]
	if !p.running || at < p.answersFrom {
		return true
	}
	return slices.ContainsFunc(s.faults, func(k *faultSchedule) bool {
		return k.container == container && k.active != nil && k.effect.FailsRequests
	})
}
