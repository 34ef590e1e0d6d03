package render

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/probity-run/probity/internal/drill"
	"github.com/probity-run/probity/internal/timeline"
)

const (
	lead      = 2 * time.Second // that is drawn of the time before a fault
	mostPods  = 4               // that are drawn; the one that is broken is among them
	mostMarks = 240             // of a lane of requests: there are not more pixels
)

// picture is what happened at one repetition, and what had to: times count from the fault.
func picture(r *drill.Result, p *drill.Repetition, w *drill.Workload) *timeline.Picture {
	d := drawn{r, p, w}
	pic := &timeline.Picture{From: -lead, To: max(d.at(p.Until), time.Second)}
	for i, pod := range d.pods() {
		g := timeline.Group{Name: pod}
		if r.Side != drill.SideNone && (pod == p.Pod || p.Pod == "") {
			g.Grounds = []timeline.Ground{{From: 0, To: max(d.at(p.End), 0), Word: r.Title}}
		}
		if i == 0 && r.Side != drill.SideNone {
			g.Lanes = append(g.Lanes, timeline.Lane{Name: "predicted", Spans: d.predicted(pic.To)})
		}
		measured, cuts := d.measured(pod, pic.To)
		g.Lanes = append(g.Lanes, timeline.Lane{Name: "measured", Spans: measured, Cuts: cuts}, timeline.Lane{Name: "requests", Minor: true, Attempts: d.requests(pod, pic)})
		if i == 0 {
			g.Lanes = append(g.Lanes, d.probes(pod)...)
		}
		pic.Groups = append(pic.Groups, g)
	}
	if lost := d.requests("", pic); len(lost) > 0 {
		pic.Groups = append(pic.Groups, timeline.Group{Name: "no replica", Lanes: []timeline.Lane{{Name: "requests", Attempts: lost}}})
	}
	return pic
}

// drawn is a repetition that is drawn.
type drawn struct {
	*drill.Result
	rep      *drill.Repetition
	workload *drill.Workload // nil if it is not known
}

// at is when something was, counted from the fault.
func (d drawn) at(o drill.Offset) time.Duration { return time.Duration(o - d.rep.Begin) }

// pods are those that are drawn, the broken one first.
func (d drawn) pods() []string {
	var names []string
	for _, r := range d.rep.Replicas {
		names = append(names, r.Pod)
	}
	slices.SortStableFunc(names, func(a, b string) int {
		return cmp.Compare(btoi(b == d.rep.Pod), btoi(a == d.rep.Pod))
	})
	return names[:min(len(names), mostPods)]
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// step is a state that begins.
type step struct {
	at    time.Duration
	state timeline.State
	word  string
}

// predicted are the states that a replica had to have.
func (d drawn) predicted(to time.Duration) []timeline.Span {
	steps := []step{{-lead, timeline.Ready, "ready"}}
	m := d.rep.Predicted
	for _, next := range []struct {
		at    *drill.Offset
		state timeline.State
		word  string
	}{
		{m.Unready, timeline.NotReady, "unready"}, {m.Killed, timeline.Stopping, "restart decided"}, {m.Replaced, timeline.Starting, "starts"}, {m.Ready, timeline.Ready, "ready"},
	} {
		if next.at != nil {
			steps = append(steps, step{time.Duration(*next.at), next.state, next.word})
		}
	}
	return spans(steps, to)
}

// spans are the states between steps.
func spans(steps []step, to time.Duration) (all []timeline.Span) {
	slices.SortStableFunc(steps, func(a, b step) int { return cmp.Compare(a.at, b.at) })
	for i, s := range steps {
		end := to
		if i+1 < len(steps) {
			end = steps[i+1].at
		}
		if end > s.at {
			all = append(all, timeline.Span{From: s.at, To: end, Open: i+1 == len(steps), State: s.state, Word: s.word})
		}
	}
	return all
}

// measured are the states that a Pod had, and where it was started again.
func (d drawn) measured(pod string, to time.Duration) ([]timeline.Span, []timeline.Cut) {
	steps := []step{{-lead, timeline.Ready, "ready"}}
	var cuts []timeline.Cut
	for _, c := range d.rep.Changes {
		if c.Pod != pod {
			continue
		}
		at, last := d.at(c.At), steps[len(steps)-1].state
		next := step{at: at, word: string(c.Kind)}
		switch c.Kind {
		case drill.ChangeReady:
			next.state = timeline.Ready
		case drill.ChangeUnready:
			if last != timeline.Ready {
				continue // it stops, or starts
			}
			next.state = timeline.NotReady
		case drill.ChangeDecided, drill.ChangeDeleted:
			next.state = timeline.Stopping
		case drill.ChangeEnded:
			next.state = timeline.Idle
		case drill.ChangeStarted:
			next.state, next.word = timeline.Starting, "starts"
			cuts = append(cuts, timeline.Cut{At: at, Title: "started again"})
		default:
			continue
		}
		if len(steps) == 1 { // how it was before is known by what it became
			steps[0] = before(next, steps[0])
		}
		steps = append(steps, next)
	}
	return spans(steps, to), cuts
}

// before is the state that a first change ends.
func before(first, ready step) step {
	switch first.state {
	case timeline.Ready:
		return step{ready.at, timeline.NotReady, "unready"}
	case timeline.Starting:
		return step{ready.at, timeline.Idle, "not there"}
	}
	return ready
}

// requests are marks for those that a Pod got, or for "" those that got none: one for each piece of
// time, which says the worst of them.
func (d drawn) requests(pod string, pic *timeline.Picture) (marks []timeline.Attempt) {
	piece := max((pic.To-pic.From)/mostMarks, time.Millisecond)
	last := time.Duration(-1) // the piece of the last mark
	for _, r := range d.rep.Requests {
		at := d.at(r.At)
		if r.Pod != pod || at < pic.From || at > pic.To {
			continue
		}
		outcome := timeline.Succeeded
		switch {
		case r.Failed && r.Status == 0 && !r.Refused:
			outcome = timeline.TimedOut
		case r.Failed:
			outcome = timeline.Failed
		}
		n := (at - pic.From) / piece
		if len(marks) > 0 && n == last {
			m := &marks[len(marks)-1]
			m.Outcome = max(m.Outcome, outcome)
			continue
		}
		last = n
		marks = append(marks, timeline.Attempt{At: pic.From + n*piece, Outcome: outcome, Share: 0.3})
	}
	return together(marks, 3*piece)
}

// together joins successes that follow each other at once.
func together(marks []timeline.Attempt, apart time.Duration) (all []timeline.Attempt) {
	for _, m := range marks {
		if n := len(all) - 1; n >= 0 && m.Outcome == timeline.Succeeded && all[n].Outcome == m.Outcome {
			first := &all[n]
			end := first.At + time.Duration(max(first.Times, 1)-1)*first.Every
			if m.At-end <= apart {
				first.Times = max(first.Times, 1) + 1
				first.Every = (m.At - first.At) / time.Duration(first.Times-1)
				continue
			}
		}
		all = append(all, m)
	}
	return all
}

// probes are a lane for each probe of a Pod's broken container that was asked.
func (d drawn) probes(pod string) (lanes []timeline.Lane) {
	container := d.container()
	for _, kind := range []string{"Startup", "Readiness", "Liveness"} {
		lane := timeline.Lane{Name: strings.ToLower(kind)}
		timeout := timeoutOf(container, kind)
		for _, a := range d.rep.Attempts {
			if a.Pod != pod || a.Probe != kind || a.Container != container.Name && container.Name != "" {
				continue
			}
			took := time.Duration(a.Took)
			mark := timeline.Attempt{At: d.at(a.At), Took: took, Title: fmt.Sprintf("%v %s", a.Took, a.Message)}
			switch {
			case a.Success && timeout > 0:
				mark.Share = min(took.Seconds()/timeout.Seconds(), 1)
			case a.Success:
			case timeout > 0 && took >= timeout:
				mark.Outcome = timeline.TimedOut
			default:
				mark.Outcome = timeline.Failed
			}
			lane.Attempts = append(lane.Attempts, mark)
		}
		if len(lane.Attempts) > 0 {
			lanes = append(lanes, lane)
		}
	}
	return lanes
}

// container is the one that the fault happened to; one without a name if that is not known.
func (d drawn) container() drill.Container {
	if d.workload == nil {
		return drill.Container{Name: d.Container}
	}
	for _, c := range d.workload.Beside {
		if c.Name == d.Container {
			return c
		}
	}
	return drill.Container{Name: d.workload.Container, Probes: d.workload.Probes}
}

func timeoutOf(c drill.Container, kind string) time.Duration {
	for _, p := range c.Probes {
		if p.Type == kind {
			return time.Duration(p.Timeout)
		}
	}
	return 0
}
