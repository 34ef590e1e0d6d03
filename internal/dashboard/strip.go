package dashboard

import (
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/history"
)

// slots is how many a strip has, whatever time it shows.
const slots = 60

// windows are the times that strips can show, with the key for each.
func windows() []time.Duration {
	return []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour}
}

// The marks of a slot, the worse the later. A success is '0' to '6', by how much of the timeout it
// took.
const (
	noMark     = '.'
	warnMark   = 'm'
	errMark    = 'n' // not evaluated
	yetMark    = 'p' // failed while nobody has a right to expect a success
	failedMark = 'x'
	lateMark   = 'z' // timed out
)

// strip is the past of a probe on one axis of time. The last slot ends with the one that has now in
// it.
type strip struct {
	first   int64 // number of the first slot: its time, in slots
	slot    time.Duration
	marks   [slots]byte
	results [slots]byte // what was acted upon: u, d, or ?
	cuts    []int       // slots with a restart
	counts  stripCounts
}

// stripCounts are what a strip says in words.
type stripCounts struct {
	attempts, failures int
	since              time.Time // of the first failure
	last               history.Attempt
}

// newStrip is an empty strip.
func newStrip(now time.Time, window time.Duration) *strip {
	s := &strip{slot: window / slots}
	s.first = now.UnixNano()/int64(s.slot) - slots + 1
	for i := range slots {
		s.marks[i], s.results[i] = noMark, noMark
	}
	return s
}

// at is the slot of an instant; false if that is not shown.
func (s *strip) at(t time.Time) (int, bool) {
	i := t.UnixNano()/int64(s.slot) - s.first
	return int(i), i >= 0 && i < slots
}

// add shows an attempt.
func (s *strip) add(a history.Attempt, timeout time.Duration) {
	i, ok := s.at(a.Time)
	if !ok {
		return
	}
	s.counts.attempts++
	if failed(a) {
		if s.counts.failures == 0 {
			s.counts.since = a.Time
		}
		s.counts.failures++
	}
	s.counts.last = a
	s.marks[i] = max(s.marks[i], markOf(a.Outcome, a.NotYet, a.Took, timeout))
	if !a.Told {
		s.results[i] = resultMark(a.Result)
	}
}

// addMinute shows the attempts of a minute, of which only the worst is known, in all its slots.
func (s *strip) addMinute(m history.Minute, timeout time.Duration) {
	for t := m.Start; t.Before(m.Start.Add(time.Minute)); t = t.Add(s.slot) {
		if i, ok := s.at(t); ok {
			s.marks[i] = max(s.marks[i], markOf(m.Worst, m.NotYet, m.Max, timeout))
		}
	}
}

func markOf(o history.Outcome, notYet bool, took, timeout time.Duration) byte {
	switch o {
	case history.Answered:
		return '0' + level(took, timeout)
	case history.Warning:
		return warnMark
	case history.NoVerdict:
		return errMark
	case history.TimedOut:
		if !notYet {
			return lateMark
		}
	}
	if notYet {
		return yetMark
	}
	return failedMark
}

// level is how high the bar of a success is: by its share of the timeout, in the steps of the
// terminal.
func level(took, timeout time.Duration) byte {
	if timeout <= 0 {
		timeout = time.Second
	}
	share := float64(took) / float64(timeout) * 100
	for i, step := range []float64{2, 5, 10, 20, 40, 70} {
		if share <= step {
			return byte(i)
		}
	}
	return 6
}

func resultMark(r history.Result) byte {
	switch r {
	case history.Passing:
		return 'u'
	case history.Failing:
		return 'd'
	}
	return '?'
}

// stripOf reads the strip of a probe.
func (s *Server) stripOf(pod types.UID, key history.Key, timeout time.Duration, end time.Time, window time.Duration) *strip {
	out := newStrip(end, window)
	for _, m := range s.opts.History.Minutes(pod, key) {
		out.addMinute(m, timeout)
	}
	for _, a := range s.opts.History.Attempts(pod, key, 0) {
		out.add(a, timeout)
	}
	for _, in := range s.opts.History.Instances(pod) {
		if i, ok := out.at(in.Started); ok && in.Container == key.Container && in.Number > 0 {
			out.cuts = append(out.cuts, i)
		}
	}
	return out
}

// sentence says what the strip of a probe shows.
func (v *probeView) sentence(s *strip, window time.Duration) string {
	if v.Told {
		return s.toldSentence(v.Label, window)
	}
	return s.sentence(v.Label, window)
}

// sentence says what a strip shows.
func (s *strip) sentence(probe string, window time.Duration) string {
	what := probe + ", last " + windowText(window) + ": "
	c := s.counts
	switch {
	case c.attempts == 0:
		return what + "no attempt"
	case c.failures == 0:
		return what + "all " + strconv.Itoa(c.attempts) + " attempts succeeded"
	}
	said := what + strconv.Itoa(c.failures) + " of " + strconv.Itoa(c.attempts) + " attempts failed, the first at " + c.since.Local().Format(time.TimeOnly)
	if c.last.Message != "" {
		said += "; the last said " + c.last.Message
	}
	return said
}

func windowText(d time.Duration) string {
	switch d {
	case time.Minute:
		return "minute"
	case time.Hour:
		return "hour"
	}
	return strconv.Itoa(int(d.Minutes())) + " minutes"
}

// markup is a strip for scripts to draw: its marks in attributes, as nothing of it is text.
func (s *strip) markup(label string) item {
	var cuts strings.Builder
	for _, c := range s.cuts {
		cuts.WriteString(strconv.Itoa(c) + " ")
	}
	return e("svg.strip", at("viewBox", "0 0 360 24"), at("preserveAspectRatio", "none"), at("role", "img"), at("aria-label", label),
		at("data-first", strconv.FormatInt(s.first, 10)), at("data-slot", strconv.FormatInt(s.slot.Milliseconds(), 10)),
		at("data-marks", string(s.marks[:])), at("data-results", string(s.results[:])), when(len(s.cuts) > 0, at("data-cuts", strings.TrimSpace(cuts.String()))))
}
