package compose

import (
	"fmt"
	"strings"
	"time"
)

// A Question is what a health check is for.
type Question string

// The questions.
const (
	// Begins is from the start of a program that answers at once until it is healthy, or ready.
	Begins Question = "begins"
	// Fails is from the moment when every check fails at once until it is unhealthy, or gets no
	// more requests.
	Fails Question = "fails"
	// Hangs is the same of a program that does not answer any more.
	Hangs Question = "hangs"
	// Recovers is from the moment when checks succeed again until it is healthy, or ready.
	Recovers Question = "recovers"
	// StartsLong is from the start of a program that refuses every check until it is unhealthy, or
	// is killed by the startup probe.
	StartsLong Question = "starts long"
)

// Questions are all of them.
func Questions() []Question { return []Question{Begins, Fails, Hangs, Recovers, StartsLong} }

// A Span is the shortest and the longest time that something takes. ok of who returns one is false
// for what never happens.
type Span struct{ From, To time.Duration }

// String gives "1m30s", or "1m to 1m30s".
func (s Span) String() string {
	if s.From == s.To {
		return short(s.To)
	}
	return short(s.From) + " to " + short(s.To)
}

// short is a time without what is zero in it: 1m30s, 2m.
func short(d time.Duration) string {
	text := d.Round(time.Millisecond).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// Span is how long it takes Docker, by [Monitor], if checks take no time unless they hang.
func (t Timing) Span(q Question) Span {
	retries := time.Duration(max(t.Retries, 1))
	switch q {
	case Begins:
		first := t.wait(0, Starting)
		return Span{first, first}
	case Fails:
		return Span{(retries - 1) * t.Interval, retries * t.Interval}
	case Hangs:
		return Span{retries*t.Timeout + (retries-1)*t.Interval, retries * (t.Timeout + t.Interval)}
	case Recovers:
		return Span{0, t.Interval}
	}
	first := t.Interval // that counts
	if t.StartPeriod > 0 {
		first = time.Duration(ceil(t.StartPeriod, t.StartInterval)) * t.StartInterval
	}
	at := first + (retries-1)*t.Interval
	return Span{at, at}
}

// late is how much later than it should a kubelet may notice that a container runs.
const late = time.Second

// Span is how long it takes Kubernetes, whatever the phase of the probes. ok is false for what
// never happens: without a startup probe no start is too long.
func (p Probes) Span(q Question) (s Span, ok bool) {
	r := p.Readiness
	period, timeout, failures := seconds(r.Period), seconds(r.Timeout), time.Duration(r.Failures)
	switch q {
	case Begins:
		if p.Startup != nil {
			return Span{0, seconds(p.Startup.Period) + late}, true
		}
		return Span{0, 2 * late}, true // R13: readiness is asked at once, whatever the period
	case Fails:
		return Span{(failures - 1) * period, failures * period}, true
	case Hangs:
		tolerated := (failures-1)*max(period, timeout) + timeout
		return Span{tolerated, tolerated + period}, true
	case Recovers:
		return Span{0, period}, true
	}
	if p.Startup == nil {
		return Span{}, false
	}
	startup := seconds(p.Startup.Period)
	return Span{time.Duration(p.Startup.Failures-1) * startup, time.Duration(p.Startup.Failures) * startup}, true
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

// A Statement is a sentence "Docker would …, Kubernetes will …" about the times of a health check.
type Statement struct {
	Question Question
	// Field is what of the health check it is about.
	Field              string
	Docker, Kubernetes Span
}

// String is the sentence.
func (s Statement) String() string {
	switch s.Question {
	case Begins:
		return fmt.Sprintf("Docker would ask for the first time %v after the start, Kubernetes will within %s: it gets requests sooner", s.Docker, short(s.Kubernetes.To))
	case Fails:
		return fmt.Sprintf("Docker would call it unhealthy %v after checks begin to fail, Kubernetes will send it no requests after %v: its times are whole seconds", s.Docker, s.Kubernetes)
	case Hangs:
		return fmt.Sprintf("Docker would call it unhealthy %v after it hangs, as the interval begins when a check has ended; Kubernetes will send it no requests after %v", s.Docker, s.Kubernetes)
	case Recovers:
		return fmt.Sprintf("Docker would call it healthy again within %s, Kubernetes will send it requests again within %s", short(s.Docker.To), short(s.Kubernetes.To))
	}
	return fmt.Sprintf("Docker would call it unhealthy %v after a start that never ends, and let it run; Kubernetes will kill it after %v and start it again", s.Docker, s.Kubernetes)
}

// Compare says where Kubernetes' times differ from Docker's, by more than a kubelet's lateness.
func Compare(t Timing, p Probes) []Statement {
	var all []Statement
	for _, q := range Questions() {
		docker := t.Span(q)
		kubernetes, ok := p.Span(q)
		s := Statement{q, fieldOf(q, t), docker, kubernetes}
		switch {
		case !ok:
		case q == StartsLong,
			q == Begins && docker.To > kubernetes.To,
			q != Begins && (apart(docker.From, kubernetes.From) || apart(docker.To, kubernetes.To)):
			all = append(all, s)
		}
	}
	return all
}

func apart(a, b time.Duration) bool { return (a - b).Abs() >= late/2 }

// fieldOf is the field that makes the difference.
func fieldOf(q Question, t Timing) string {
	switch {
	case q == Hangs:
		return "timeout"
	case q == StartsLong:
		return "start_period"
	case q == Begins && t.StartPeriod > 0:
		return "start_interval"
	}
	return "interval"
}
