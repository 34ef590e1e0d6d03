package draft

import (
	"cmp"
	"fmt"
	"math"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/simulate"
	"github.com/probity-run/probity/internal/simulate/render"
	"github.com/probity-run/probity/internal/simulate/script"
	"github.com/probity-run/probity/internal/timeline"
)

// Fault is something ready-made that happens to the container.
type Fault struct {
	// ID is what a form sends, Label the words for people.
	ID, Label string
	// fault is as in --fault; a container may be added to it.
	fault string
	// at is when it begins, lasts how long it takes; 0 until a restart.
	at, lasts time.Duration
	word      string // in a sentence: after the hang
}

// At is when it begins.
func (f Fault) At() time.Duration { return f.at }

// Faults are those that one can choose, the first is the default.
func Faults() []Fault {
	return []Fault{
		{"hang", "hangs at 60 s", "hang@60s", time.Minute, 0, "the hang"},
		{"slow-start", "starts slowly: 90 s", "slow-start=90s", 0, 90 * time.Second, "the start"},
		{"stall", "stalls 8 s, as for its garbage", "hang@60s+8s", time.Minute, 8 * time.Second, "the stall"},
		{"database", "loses its database for 2 min", "dependency-outage@60s+120s", time.Minute, 2 * time.Minute, "the outage"},
	}
}

// FaultNamed is the fault of an ID, or the first.
func FaultNamed(id string) Fault {
	for _, f := range Faults() {
		if f.ID == id {
			return f
		}
	}
	return Faults()[0]
}

// Side is one of the two that are compared.
type Side struct {
	Picture timeline.Picture
	// Word is what became of the fault, in a few words.
	Word string
	// Problem is why there is no picture; "" if there is one.
	Problem string
	// FirstReady is when it was ready first, nil if it was not.
	FirstReady *time.Duration
}

// Played is what would happen now and with the draft, under one fault.
type Played struct {
	Fault      Fault
	Horizon    time.Duration
	Now, Draft Side
	// Fact is when the first Pod is ready.
	Fact Fact
}

// Play simulates one Pod of the workload as it is, and of the draft.
func (d *Draft) Play(id string) Played {
	p := Played{Fault: FaultNamed(id)}
	p.Horizon = d.horizon(p.Fault)
	p.Now = d.Workload.play(d.Workload.Resource, p.Fault, p.Horizon)
	if text := d.unplayable(); text != "" {
		p.Draft = Side{Problem: text}
	} else {
		p.Draft = d.Workload.play(d.playable(), p.Fault, p.Horizon)
	}
	p.Fact = readyFact(p.Now, p.Draft)
	return p
}

// unplayable is why a draft cannot be simulated: one of its numbers is none. A success threshold
// that is refused does not matter, since one success is what counts.
func (d *Draft) unplayable() string {
	for _, e := range d.Errors {
		if !strings.HasSuffix(e.Field, ".successThreshold") {
			return "what is wrong above has to be put right first"
		}
	}
	return ""
}

// playable is the draft with a success threshold of 1 where another one is refused.
func (d *Draft) playable() manifest.Resource {
	r := d.Resource.DeepCopyObject().(manifest.Resource)
	c, _, _ := d.Workload.container(r)
	for _, e := range d.Errors {
		probe, _, _ := strings.Cut(e.Field, ".")
		if p := probeOf(c, probe); p != nil {
			p.SuccessThreshold = 1
		}
	}
	return r
}

// horizon is how long is simulated: until both have noticed the fault and are up again, at least
// two minutes and at most half an hour.
func (d *Draft) horizon(f Fault) time.Duration {
	longest := 0.0
	now, _ := d.Workload.Spec()
	next, _, _ := d.Workload.container(d.Resource)
	for _, c := range []*corev1.Container{now, next} {
		for _, p := range []*corev1.Probe{c.ReadinessProbe, c.LivenessProbe} {
			if p != nil {
				_, certain := span(p)
				longest = max(longest, certain)
			}
		}
	}
	length := (f.at + f.lasts).Seconds() + longest + float64(d.Workload.Grace())
	const step = 30
	length = min(max(math.Ceil(length/step)*step, 120), 1800)
	return time.Duration(length) * time.Second
}

// play simulates one Pod.
func (w Workload) play(r manifest.Resource, f Fault, horizon time.Duration) Side {
	c, _, _ := w.container(r)
	sc := &script.Script{Programs: map[string]script.Program{}}
	if err := sc.ParseFault(f.fault + ":" + c.Name); err != nil {
		return Side{Problem: err.Error()}
	}
	result, err := simulate.Run([]manifest.Object{{Resource: r}}, sc, simulate.Options{Horizon: horizon, Replicas: 1})
	if err != nil {
		return Side{Problem: err.Error()}
	}
	picture, _ := render.Picture(result.Timeline.Entries(), horizon, render.LaneOptions{Pods: 1, Rotation: true})
	for i := range picture.Groups {
		g := &picture.Groups[i]
		g.Name, g.Labels = "", nil
		single := len(w.Containers()) == 1
		for j := range g.Lanes {
			if l := &g.Lanes[j]; single && !l.Minor {
				l.Name = "state"
			}
		}
	}
	s := Side{Picture: picture, Word: outcome(&result.Summary, f)}
	if at := result.Summary.FirstReady; at != nil {
		s.FirstReady = new(time.Duration(*at))
	}
	return s
}

// outcome says what became of the fault.
func outcome(s *simulate.Summary, f Fault) string {
	if len(s.Faults) == 0 { // of a start
		switch {
		case s.Restarts > 0 && s.FirstReady == nil:
			return fmt.Sprintf("restarted %s, never ready", times(s.Restarts))
		case s.Restarts > 0:
			return fmt.Sprintf("restarted %s before it was ready", times(s.Restarts))
		case s.FirstReady == nil:
			return "not ready by then, not restarted"
		}
		return "not restarted, ready after " + round(*s.FirstReady)
	}
	o := s.Faults[0]
	switch {
	case o.Missed:
		return "nothing ran then"
	case o.RunningAgain != nil:
		return fmt.Sprintf("restarted %s after %s", round(*o.RunningAgain), f.word)
	case o.Restarted != nil:
		return fmt.Sprintf("killed %s after %s", round(*o.Restarted), f.word)
	case o.Drained != nil:
		return fmt.Sprintf("out of rotation %s after %s, not restarted", round(*o.Drained), f.word)
	}
	return "nothing happens because of " + f.word
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

func round(o simulate.Offset) string {
	return timeline.Offset(time.Duration(o).Round(100 * time.Millisecond))
}

func readyFact(now, next Side) Fact {
	text := func(s Side) string {
		switch {
		case s.Problem != "":
			return "—"
		case s.FirstReady == nil:
			return "not by then"
		}
		return round(simulate.Offset(*s.FirstReady))
	}
	f := Fact{Name: "First ready", Now: text(now), Draft: text(next)}
	if now.FirstReady == nil || next.FirstReady == nil {
		if f.Mood = Same; now.Problem == "" && next.Problem == "" && now.FirstReady != next.FirstReady {
			if f.Mood = Better; next.FirstReady == nil {
				f.Mood = Worse
			}
		}
		return f
	}
	// Where in their periods the first attempts fall is chance: less than a second says nothing.
	switch delta := (*next.FirstReady - *now.FirstReady).Round(100 * time.Millisecond); {
	case delta.Abs() < time.Second:
	case delta > 0:
		f.Change, f.Mood = round(simulate.Offset(delta))+" later", Worse
	case delta < 0:
		f.Change, f.Mood = round(simulate.Offset(-delta))+" sooner", Better
	}
	return f
}

// The stalls of which false restarts are counted, and how many Pods are simulated for it, how long.
const (
	manyFault   = "gc-stall=8s/1h"
	manyRuns    = 200
	manyHorizon = 2 * script.Day
)

// Many is how often the fleet is restarted for nothing in 30 days, if each Pod stalls once an hour
// for 8 s on average. It simulates 200 Pods of each side and takes far longer than all else: about
// half a second.
func (d *Draft) Many(replicas int) (Fact, error) {
	f := Fact{Name: fmt.Sprintf("Restarts for nothing, %s, 30 days with an 8 s stall an hour", pods(replicas))}
	if text := d.unplayable(); text != "" {
		f.Now, f.Draft = "—", "—"
		return f, nil
	}
	now, err := d.Workload.many(d.Workload.Resource, replicas)
	if err != nil {
		return f, err
	}
	next, err := d.Workload.many(d.playable(), replicas)
	if err != nil {
		return f, err
	}
	f.Now, f.Draft = about(now), about(next)
	switch {
	case f.Now == f.Draft:
	case next < now:
		f.Change, f.Mood = about(now-next)+" fewer", Better
	default:
		f.Change, f.Mood = about(next-now)+" more", Worse
	}
	return f, nil
}

func pods(n int) string {
	if n == 1 {
		return "1 Pod"
	}
	return fmt.Sprintf("%d Pods", n)
}

func (w Workload) many(r manifest.Resource, replicas int) (float64, error) {
	sc := &script.Script{Programs: map[string]script.Program{}}
	c, _, _ := w.container(r)
	if err := sc.ParseFault(manyFault + ":" + c.Name); err != nil {
		return 0, err
	}
	m, err := simulate.RunMany([]manifest.Object{{Resource: r}}, sc, simulate.ManyOptions{Runs: manyRuns, Horizon: manyHorizon, Replicas: cmp.Or(replicas, 1), Workers: 1})
	if err != nil {
		return 0, err
	}
	return float64(m.FalseRestarts), nil
}

// about writes a number with two digits.
func about(x float64) string {
	switch {
	case x == 0:
		return "0"
	case x < 10:
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.0f", x)
}
