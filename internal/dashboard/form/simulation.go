package form

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/probity-run/probity/internal/dashboard/draft"
	"github.com/probity-run/probity/internal/dashboard/markup"
	"github.com/probity-run/probity/internal/dashboard/shape"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/simulate"
	"github.com/probity-run/probity/internal/simulate/render"
	"github.com/probity-run/probity/internal/simulate/script"
	"github.com/probity-run/probity/internal/timeline"
)

const (
	// maxHorizon is the longest time that a page simulates; the command line has no such limit.
	maxHorizon = 24 * time.Hour
	// maxSimulated is how many Pods a page simulates.
	maxSimulated = 20
	// requestRate is how many requests a second are imagined.
	requestRate = 100
)

// DefaultFault and DefaultHorizon are what is simulated when nobody has chosen yet.
const (
	DefaultFault   = "hang@60s"
	DefaultHorizon = "3m"
)

// Simulation is a fault that is played against a workload, as somebody has typed it.
type Simulation struct {
	// Subject names the workload for people.
	Subject string
	// Workload is what is simulated; Others belong to it, as its Services do.
	Workload manifest.Resource
	Others   []manifest.Resource
	// Fault is as in --fault, empty for none; Horizon is how long, as in --horizon.
	Fault, Horizon string
	// Width is how wide the picture may be, in pixels.
	Width int
}

// SimulationFields are the fields that choose the fault and how long is simulated.
func SimulationFields(fault, horizon string) item {
	var faults list
	for _, f := range script.ReadyMadeFaults() {
		for example := range strings.SplitSeq(f.Syntax, ", ") {
			faults = append(faults, e("option", at("value", example), text(f.Text)))
		}
	}
	return list{
		e("div.field", e("label", at("for", "simulated-fault"), text("Fault")), e("input.mono", at("id", "simulated-fault"), at("name", "fault"), at("value", fault), at("list", "faults"), at("aria-describedby", "fault-h"), at("autocomplete", "off")),
			e("datalist", at("id", "faults"), faults), e("p.help", at("id", "fault-h"), text("hang@60s, slow-start=90s, gc-stall=8s/1h …; empty: none."))),
		e("div.field", e("label", at("for", "horizon"), text("How long")), e("input", at("id", "horizon"), at("name", "horizon"), at("value", horizon), at("aria-describedby", "horizon-h")), e("p.help", at("id", "horizon-h"), text("90s, 10m or 2h; at most 24h."))),
	}
}

// Problem is something that cannot be simulated, or shown, as a part of a page.
func Problem(said string) item {
	return e("div.pane", e("p.bad.state", shape.Failed(), text(said)))
}

// Play simulates it and shows the facts and the picture. The error says what is wrong with what was
// typed, or cannot be simulated. A day of many Pods takes seconds.
func (s Simulation) Play() (markup.Item, error) {
	horizon, err := script.ParseDuration(s.Horizon)
	switch {
	case err != nil:
		return nil, fmt.Errorf("cannot use that time: %w", err)
	case horizon <= 0 || horizon > maxHorizon:
		return nil, errors.New("the time has to be more than 0 and at most 24h")
	}
	sc := &script.Script{Programs: map[string]script.Program{}}
	if s.Fault != "" {
		if err := sc.ParseFault(s.Fault); err != nil {
			return nil, err
		}
	}
	objects := []manifest.Object{{Resource: s.Workload}}
	for _, other := range s.Others {
		objects = append(objects, manifest.Object{Resource: other})
	}
	options := simulate.Options{Horizon: horizon}
	var fewer item
	if n := (draft.Workload{Resource: s.Workload}).Replicas(); n > maxSimulated {
		options.Replicas = maxSimulated
		fewer = e("li", text(fmt.Sprintf("%d of %d replicas are simulated here", maxSimulated, n)))
	}
	result, err := simulate.Run(objects, sc, options)
	if err != nil {
		return nil, err
	}
	return s.played(result, horizon, fewer), nil
}

// played shows what came of it; fewer says how many replicas were left out.
func (s Simulation) played(result *simulate.Result, horizon time.Duration, fewer item) item {
	shown, left := render.Picture(result.Timeline.Entries(), horizon, render.LaneOptions{Rotation: true, Services: true})
	whole := shown
	shown.From, shown.To = timeline.Page(s.Width).Fit(0, horizon, time.Minute)
	facts := list{fewer}
	for _, line := range render.Facts(&result.Summary, requestRate) {
		facts = append(facts, e("li", text(line)))
	}
	return list{
		e("div.pane", e("ul.small.said", facts)),
		e("div.pane", markup.Picture(&shown, s.Width, whole.Sentence("Simulation of "+s.Subject+", first Pod")), when(left > 0, e("p.small.muted", text(plural(left, "more Pod")+" not drawn"))), markup.PictureRows(&whole)),
	}
}
