package dashboard

import (
	"slices"
	"time"

	"github.com/probity-run/probity/internal/dashboard/markup"
	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/timeline"
)

// whatHappened is the picture of a Pod's past, and the same in words.
func (s *Server) whatHappened(p *podView, now time.Time, q podsQuery, width int) item {
	end := q.end(now)
	start := end.Add(-q.window).Local()
	picture := &timeline.Picture{To: q.window, Start: start, Groups: []timeline.Group{{Lanes: s.lanes(p, start, end)}}}
	layout := timeline.Page(width)
	picture.From, picture.To = layout.Fit(beginning(p.Created.Sub(start), q.window), q.window, q.window)
	drawing := timeline.Draw(picture, layout)
	var rows list
	for _, row := range picture.Rows() {
		rows = append(rows, e("li", e("span.mono", text(row.Time)), text(" "+row.What)))
	}
	return e("section.card.pane", at("id", "happened"), e("h2", text("What happened"), e("span.times.small", q.timeChoice(podPath(p.Namespace, p.Name), now, windowText))),
		e("div.scroll", at("id", "timeline"), at("tabindex", "0"), at("role", "region"), at("aria-label", "Timeline"), markup.Drawing(drawing, picture.Sentence(p.Name))),
		e("details.as-text", at("id", "as-text"), e("summary.small", text("as text")), e("ul.small", rows)))
}

// beginning is where the axis begins: a Pod that is younger than the window has no past to show.
func beginning(created, window time.Duration) time.Duration {
	return max(0, min(created-5*time.Second, window-time.Minute)).Truncate(5 * time.Second)
}

// lanes are the lines of the picture: how the Pod was, whether it took requests, and its probes.
func (s *Server) lanes(p *podView, start, now time.Time) []timeline.Lane {
	state, rotation := s.spans(p, start, now)
	cuts := s.cuts(p, start, now)
	lanes := []timeline.Lane{{Name: "state", Spans: state, Cuts: cuts}, {Name: "rotation", Spans: rotation}}
	for _, summary := range s.opts.History.Probes(p.UID) {
		v := p.probe(summary.Key)
		if v == nil {
			continue
		}
		lane := timeline.Lane{Name: v.Label}
		for _, a := range s.opts.History.Attempts(p.UID, summary.Key, 0) {
			if a.Time.Before(start) || a.Time.After(now) {
				continue
			}
			line, _ := message(v.Type, v.Spec, a, history.Detail{})
			lane.Attempts = append(lane.Attempts, timeline.Attempt{At: a.Time.Sub(start), Took: a.Took, Outcome: drawn(a), Share: min(1, a.Took.Seconds()/max(v.Timeout.Seconds(), 1)), Title: line})
		}
		if len(lane.Attempts) > 0 {
			lanes = append(lanes, lane)
		}
	}
	return lanes
}

func drawn(a history.Attempt) timeline.Outcome {
	switch {
	case a.Outcome == history.Answered:
		return timeline.Succeeded
	case a.Outcome == history.Warning:
		return timeline.Warned
	case a.Outcome == history.NoVerdict:
		return timeline.NotEvaluated
	case a.NotYet:
		return timeline.FailedYet
	case a.Outcome == history.TimedOut:
		return timeline.TimedOut
	}
	return timeline.Failed
}

func (s *Server) cuts(p *podView, start, end time.Time) (cuts []timeline.Cut) {
	for _, in := range s.opts.History.Instances(p.UID) {
		if in.Number > 0 && in.Started.After(start) && !in.Started.After(end) {
			cuts = append(cuts, timeline.Cut{At: in.Started.Sub(start), Title: in.Container + " was started again"})
		}
	}
	return cuts
}

// pastState is how a Pod was at a time, as far as changes tell.
type pastState struct {
	ready      bool
	containers map[string]string // State of each
	wasReady   map[string]bool   // by container, in its instance
}

func (p *pastState) take(c history.Change) {
	switch {
	case c.Kind == history.ReadyChanged && c.Container == "":
		p.ready = c.To == "True"
	case c.Kind == history.ReadyChanged && c.To == "True":
		p.wasReady[c.Container] = true
	case c.Kind == history.StateChanged:
		if p.containers[c.Container] = c.To; c.To != "Running" {
			p.wasReady[c.Container] = false
		}
	}
}

func (p *pastState) state() (timeline.State, string) {
	if p.ready {
		return timeline.Ready, "ready"
	}
	state, word := timeline.Idle, ""
	for _, name := range slices.Sorted(keysOf(p.containers)) {
		switch to := p.containers[name]; {
		case to == "CrashLoopBackOff":
			return timeline.BackOff, "back-off"
		case to == "Running" && p.wasReady[name]:
			return timeline.NotReady, "not ready"
		case to == "Running":
			state, word = timeline.Starting, "starting"
		}
	}
	return state, word
}

func keysOf[V any](m map[string]V) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// spans are the states of a Pod, and when it took requests.
func (s *Server) spans(p *podView, start, now time.Time) (state, rotation []timeline.Span) {
	past := &pastState{containers: map[string]string{}, wasReady: map[string]bool{}}
	from := start
	if p.Created.After(start) {
		from = p.Created
	}
	add := func(to time.Time, open bool) {
		if !to.After(from) {
			return
		}
		now, word := past.state()
		span := timeline.Span{From: from.Sub(start), To: to.Sub(start), Open: open, State: now, Word: word}
		state = joined(state, span)
		if past.ready {
			span.State, span.Word = timeline.Ready, "takes requests"
			rotation = joined(rotation, span)
		}
		from = to
	}
	for _, c := range s.opts.History.Changes(p.UID) {
		if c.Time.After(now) {
			break
		}
		if c.Time.After(from) {
			add(c.Time, false)
		}
		past.take(c)
	}
	add(now, true)
	return state, rotation
}

// joined are spans with another one, which may go on with the last.
func joined(spans []timeline.Span, next timeline.Span) []timeline.Span {
	if n := len(spans); n > 0 && spans[n-1].To == next.From && spans[n-1].State == next.State && spans[n-1].Word == next.Word {
		spans[n-1].To, spans[n-1].Open = next.To, next.Open
		return spans
	}
	return append(spans, next)
}
