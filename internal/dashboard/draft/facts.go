package draft

import (
	"fmt"
	"math"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/timing"
)

// Mood is how a change is to be taken.
type Mood int

// The moods.
const (
	Same Mood = iota
	Better
	Worse
)

// Fact is one figure, of what there is and of the draft.
type Fact struct {
	Name       string
	Now, Draft string
	// Change is the difference in words: 15 s more. Empty if there is none.
	Change string
	Mood   Mood
}

// Facts are those that follow from the numbers alone: when a hang is noticed, which stalls are
// borne, how much is asked.
func (d *Draft) Facts() []Fact {
	now, _ := d.Workload.Spec()
	next, _, _ := d.Workload.container(d.Resource)
	return []Fact{hangFact(now.LivenessProbe, next.LivenessProbe), stallFact(now.LivenessProbe, next.LivenessProbe), rateFact(now, next)}
}

// noticesHang reports whether a probe notices a process that does not answer any more: the kernel
// takes connections for it (R79).
func noticesHang(p *corev1.Probe) bool { return p != nil && p.TCPSocket == nil }

func timingOf(p *corev1.Probe) timing.Probe {
	s := func(n int32) time.Duration { return time.Duration(n) * time.Second }
	return timing.Probe{Delay: s(p.InitialDelaySeconds), Period: s(p.PeriodSeconds), Timeout: s(p.TimeoutSeconds), Failures: int(p.FailureThreshold)}
}

// tooLong is where times stop being told one from another.
const tooLong = 365 * 24 * 3600

// span is A and A + P of a probe in seconds. The numbers may be anything, so it does not overflow.
func span(p *corev1.Probe) (tolerated, certain float64) {
	if float64(p.FailureThreshold)*float64(max(p.PeriodSeconds, p.TimeoutSeconds)) > tooLong {
		return tooLong, tooLong
	}
	t := timingOf(p)
	return t.Tolerated().Seconds(), t.Certain().Seconds()
}

// secondsText writes seconds: 7 s, 1:30 min, more than a year.
func secondsText(s float64) string {
	switch {
	case s >= tooLong:
		return "more than a year"
	case s >= 3600:
		return fmt.Sprintf("%.0f:%02.0f h", math.Floor(s/3600), math.Floor(math.Mod(s, 3600)/60))
	case s >= 300:
		return fmt.Sprintf("%.0f:%02.0f min", math.Floor(s/60), math.Mod(s, 60))
	}
	return strconv.FormatFloat(math.Round(s*10)/10, 'f', -1, 64) + " s"
}

// rangeText writes two times, the unit once.
func rangeText(a, b float64) string {
	if a == b || b >= tooLong {
		return secondsText(b)
	}
	if b < 300 {
		return strconv.FormatFloat(a, 'f', -1, 64) + "–" + secondsText(b)
	}
	return secondsText(a) + " to " + secondsText(b)
}

func hangFact(now, next *corev1.Probe) Fact {
	text := func(p *corev1.Probe) string {
		switch {
		case p == nil:
			return "never"
		case !noticesHang(p):
			return "never: it still takes connections"
		}
		a, b := span(p)
		return rangeText(a, b)
	}
	f := Fact{Name: "A hang is noticed after", Now: text(now), Draft: text(next)}
	switch was, is := noticesHang(now), noticesHang(next); {
	case was && is:
		a, b := span(now)
		c, d := span(next)
		switch {
		case max(b, d) >= tooLong && b != d:
			f.Change, f.Mood = "far later", Worse
			if d < b {
				f.Change, f.Mood = "far sooner", Better
			}
		case c+d > a+b:
			f.Change, f.Mood = rangeText(min(c-a, d-b), max(c-a, d-b))+" later", Worse
		case c+d < a+b:
			f.Change, f.Mood = rangeText(min(a-c, b-d), max(a-c, b-d))+" sooner", Better
		}
	case was:
		f.Change, f.Mood = "no longer", Worse
	case is:
		f.Change, f.Mood = "now it is", Better
	}
	return f
}

func stallFact(now, next *corev1.Probe) Fact {
	text := func(p *corev1.Probe) string {
		if p == nil {
			return "any: nothing restarts it"
		}
		a, _ := span(p)
		return secondsText(a)
	}
	f := Fact{Name: "Survives every stall up to", Now: text(now), Draft: text(next)}
	if now == nil || next == nil {
		return f
	}
	a, _ := span(now)
	b, _ := span(next)
	switch {
	case b >= tooLong && a < b:
		f.Change, f.Mood = "far more", Better
	case b > a:
		f.Change, f.Mood = secondsText(b-a)+" more", Better
	case b < a:
		f.Change, f.Mood = secondsText(a-b)+" less", Worse
	}
	return f
}

// rate is how many attempts a minute there are once the container has started.
func rate(c *corev1.Container) (perMinute float64) {
	for _, p := range []*corev1.Probe{c.ReadinessProbe, c.LivenessProbe} {
		if p != nil && p.PeriodSeconds > 0 {
			perMinute += 60 / float64(p.PeriodSeconds)
		}
	}
	return perMinute
}

func rateFact(now, next *corev1.Container) Fact {
	number := func(x float64) string { return strconv.FormatFloat(math.Round(x*10)/10, 'f', -1, 64) }
	a, b := rate(now), rate(next)
	f := Fact{Name: "Probes per minute and Pod", Now: number(a), Draft: number(b)}
	switch {
	case b < a:
		f.Change, f.Mood = number(a-b)+" fewer", Better
	case b > a:
		f.Change, f.Mood = number(b-a)+" more", Worse
	}
	return f
}
