package render

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/simulate"
	"github.com/probity-run/probity/internal/simulate/script"
	"github.com/probity-run/probity/internal/timeline"
)

// LaneOptions say what a picture of a simulation shows.
type LaneOptions struct {
	// Pods is how many are drawn at most; more would not be read. Default 8.
	Pods int
	// Rotation adds a lane to each Pod: whether requests are sent to it.
	Rotation bool
	// Services adds a group with a lane for each Service.
	Services bool
}

// Picture makes a picture of a timeline, up to its end; left is how many more Pods there are.
func Picture(entries []simulate.Entry, end time.Duration, opts LaneOptions) (p timeline.Picture, left int) {
	p = timeline.Picture{To: end}
	var pods []*podLane
	if opts.Pods == 0 {
		opts.Pods = 8
	}
	pods, left = podLanes(entries, end, opts)
	for _, l := range pods {
		p.Groups = append(p.Groups, l.group(opts.Rotation))
	}
	for i := range entries {
		if e := &entries[i]; e.Pod == "" && e.Kind == simulate.EntryFault {
			p.Labels = append(p.Labels, timeline.Label{At: time.Duration(e.At), Text: e.Text, Fault: true})
		}
	}
	if opts.Services {
		if g := serviceGroup(entries, end); len(g.Lanes) > 0 {
			p.Groups = append(p.Groups, g)
		}
	}
	return p, left
}

// podLane is what is drawn of a Pod.
type podLane struct {
	name       string
	containers []*containerLane
	grounds    []timeline.Ground
	labels     []timeline.Label
	rotation   []timeline.Span
	inRotation bool
}

// containerLane is what is drawn of a container.
type containerLane struct {
	name     string
	spans    []timeline.Span
	cuts     []timeline.Cut
	probes   []*probeLane
	open     timeline.Span // the state now; without a word there is none
	instance int
	// started and ready say whether the instance has ever been
	started, ready bool
}

type probeLane struct {
	probe    lifecycle.ProbeType
	attempts []timeline.Attempt
}

// podLanes sorts the entries into Pods, the first few of them; left is how many more there are.
func podLanes(entries []simulate.Entry, end time.Duration, opts LaneOptions) (pods []*podLane, left int) {
	skipped := map[string]bool{}
	for i := range entries {
		e := &entries[i]
		if e.Endpoints != nil {
			for _, p := range pods {
				p.rotate(e)
			}
			continue
		}
		if e.Pod == "" {
			continue
		}
		at := slices.IndexFunc(pods, func(p *podLane) bool { return p.name == e.Pod })
		switch {
		case at < 0 && len(pods) == opts.Pods:
			skipped[e.Pod] = true
			continue
		case at < 0:
			pods, at = append(pods, &podLane{name: e.Pod}), len(pods)
		}
		pods[at].add(e)
	}
	for _, p := range pods {
		p.close(end)
	}
	return pods, len(skipped)
}

// group is the Pod as it is drawn: of each container its state, and its probes below.
func (p *podLane) group(rotation bool) timeline.Group {
	g := timeline.Group{Name: p.name, Grounds: p.grounds, Labels: p.labels}
	for i, c := range p.containers {
		g.Lanes = append(g.Lanes, timeline.Lane{Name: c.name, Spans: c.spans, Cuts: c.cuts})
		if rotation && i == 0 {
			g.Lanes = append(g.Lanes, timeline.Lane{Name: "rotation", Minor: true, Spans: p.rotation})
		}
		for _, q := range c.probes {
			g.Lanes = append(g.Lanes, timeline.Lane{Name: script.ProbeName(q.probe), Minor: true, Attempts: q.attempts})
		}
	}
	return g
}

// rotate notes whether requests are sent to the Pod.
func (p *podLane) rotate(e *simulate.Entry) {
	at := time.Duration(e.At)
	switch in := slices.Contains(e.Endpoints.Ready, p.name); {
	case in == p.inRotation:
	case in:
		p.inRotation = true
		p.rotation = append(p.rotation, timeline.Span{From: at, State: timeline.Ready, Word: "takes requests"})
	default:
		p.inRotation = false
		p.rotation[len(p.rotation)-1].To = at
	}
}

func (p *podLane) add(e *simulate.Entry) {
	switch {
	case e.Kind == simulate.EntryFault:
		p.fault(e)
	case e.Kind == simulate.EntryReady && e.Text == simulate.TextGone:
		for _, c := range p.containers {
			c.setState(e.At, timeline.Idle, "")
		}
	case e.Kind == simulate.EntryEvent && e.Event.Reason == "Killing":
		p.labels = append(p.labels, timeline.Label{At: time.Duration(e.At), Text: eventWord(e)})
	case e.Container == "":
	case e.Kind == simulate.EntryState:
		p.container(e.Container).state(e)
	case e.Kind == simulate.EntryProcess:
		p.process(e)
	case e.Kind == simulate.EntryProbe:
		p.container(e.Container).attempt(e)
	}
}

func eventWord(e *simulate.Entry) string {
	for _, t := range lifecycle.ProbeTypes() {
		if strings.Contains(e.Event.Message, script.ProbeName(t)+" probe") {
			return "killed by " + script.ProbeName(t)
		}
	}
	return "stopped"
}

func (p *podLane) container(name string) *containerLane {
	for _, c := range p.containers {
		if c.name == name {
			return c
		}
	}
	p.containers = append(p.containers, &containerLane{name: name})
	return p.containers[len(p.containers)-1]
}

func (p *podLane) fault(e *simulate.Entry) {
	at := time.Duration(e.At)
	switch {
	case e.Begins == nil:
		p.labels = append(p.labels, timeline.Label{At: at, Text: e.Text, Fault: true})
	case *e.Begins:
		p.grounds = append(p.grounds, timeline.Ground{From: at, To: -1, Word: strings.TrimSuffix(e.Text, simulate.SuffixBegins)})
	default:
		word := strings.TrimSuffix(e.Text, simulate.SuffixOver)
		for i := range p.grounds {
			if f := &p.grounds[i]; f.Word == word && f.To < 0 {
				f.To = at
			}
		}
	}
}

func (p *podLane) process(e *simulate.Entry) {
	c := p.container(e.Container)
	switch {
	case e.Text == "started":
		c.instance, c.started, c.ready = e.Instance, false, false
		if e.Instance > 1 {
			c.cuts = append(c.cuts, timeline.Cut{At: time.Duration(e.At), Title: fmt.Sprintf("restart %d", e.Instance-1)})
		}
	case e.Text == "SIGTERM" || e.Text == "PreStop hook":
		c.setState(e.At, timeline.Stopping, "stopping")
	case strings.HasPrefix(e.Text, "exited"):
		if !strings.HasSuffix(e.Text, "code 0") {
			p.labels = append(p.labels, timeline.Label{At: time.Duration(e.At), Text: e.Text})
		}
		c.setState(e.At, timeline.Idle, "ended")
	}
}

// state sets the lane to what the status shows, unless the container is being stopped: that ends
// with its exit.
func (c *containerLane) state(e *simulate.Entry) {
	state, word := timeline.Idle, "ended"
	switch s := e.State; {
	case s.State == "waiting" && s.Reason == "CrashLoopBackOff":
		state, word = timeline.BackOff, "back-off"
	case s.State == "waiting":
		word = "waiting"
	case s.Reason == "Completed":
		word = "done"
	case s.State == "running" && s.Ready:
		state, word = timeline.Ready, "ready"
		c.started, c.ready = true, true
	case s.State == "running" && s.Started:
		state, word = timeline.NotReady, "not ready"
		c.started = true
	case s.State == "running":
		state, word = timeline.Starting, "starting"
	}
	if c.open.Word == "stopping" && e.State.State == "running" {
		return
	}
	c.setState(e.At, state, word)
}

func (c *containerLane) setState(at simulate.Offset, state timeline.State, word string) {
	if c.open.Word == word {
		return
	}
	if c.open.Word != "" && time.Duration(at) > c.open.From {
		c.open.To = time.Duration(at)
		c.spans = append(c.spans, c.open)
	}
	c.open = timeline.Span{From: time.Duration(at), State: state, Word: word}
}

// attempt adds an attempt to the lane of its probe.
func (c *containerLane) attempt(e *simulate.Entry) {
	i := slices.IndexFunc(c.probes, func(l *probeLane) bool { return l.probe == e.Probe.Type })
	if i < 0 {
		c.probes, i = append(c.probes, &probeLane{probe: e.Probe.Type}), len(c.probes)
	}
	a := timeline.Attempt{
		At: time.Duration(e.At), Took: time.Duration(e.Probe.Took), Outcome: c.outcome(e.Probe), Times: e.Probe.Times, Every: time.Duration(e.Probe.Every),
		Title: attemptTitle(e),
	}
	if e.Probe.Timeout > 0 {
		a.Share = float64(e.Probe.Took) / float64(e.Probe.Timeout)
	}
	if e.Probe.Outcome == "failure" && e.Probe.Threshold > 1 {
		a.Counter = fmt.Sprintf("%d/%d", min(e.Probe.Run, e.Probe.Threshold), e.Probe.Threshold)
	}
	c.probes[i].attempts = append(c.probes[i].attempts, a)
}

func (c *containerLane) outcome(p *simulate.Attempts) timeline.Outcome {
	notYet := p.Type == lifecycle.Startup && !c.started || p.Type == lifecycle.Readiness && !c.ready
	switch {
	case p.Outcome == "success":
		return timeline.Succeeded
	case p.Outcome == "warning":
		return timeline.Warned
	case p.Outcome != "failure":
		return timeline.NotEvaluated
	case notYet && !(p.Type == lifecycle.Startup && p.Run >= p.Threshold):
		return timeline.FailedYet
	case p.Timeout > 0 && p.Took >= p.Timeout:
		return timeline.TimedOut
	}
	return timeline.Failed
}

func attemptTitle(e *simulate.Entry) string {
	l := line{Entry: *e, times: e.Probe.Times, every: e.Probe.Every, run: e.Probe.Run}
	return clock(e.At) + " " + l.attempts()
}

// close ends what still lasts.
func (p *podLane) close(end time.Duration) {
	for _, c := range p.containers {
		if c.open.Word != "" {
			c.open.To, c.open.Open = end, true
			c.spans = append(c.spans, c.open)
		}
		order := lifecycle.ProbeTypes()
		slices.SortFunc(c.probes, func(a, b *probeLane) int { return slices.Index(order, a.probe) - slices.Index(order, b.probe) })
	}
	for i := range p.grounds {
		if p.grounds[i].To < 0 {
			p.grounds[i].To = end
		}
	}
	if p.inRotation {
		last := &p.rotation[len(p.rotation)-1]
		last.To, last.Open = end, true
	}
}

// serviceGroup has a lane for what each Service routes to.
func serviceGroup(entries []simulate.Entry, end time.Duration) (g timeline.Group) {
	index, used := map[string]int{}, map[string]bool{}
	for i := range entries {
		e := &entries[i]
		if e.Endpoints == nil {
			continue
		}
		name, at := e.Endpoints.Service, time.Duration(e.At)
		n, known := index[name]
		if !known {
			n, index[name] = len(g.Lanes), len(g.Lanes)
			title := "endpoints of " + name
			if name == "" {
				title = "ready pods"
			}
			g.Lanes = append(g.Lanes, timeline.Lane{Name: title})
		} else {
			spans := g.Lanes[n].Spans
			spans[len(spans)-1].To = at
		}
		g.Lanes[n].Spans = append(g.Lanes[n].Spans, endpointSpan(e, used[name]))
		used[name] = used[name] || len(e.Endpoints.Ready) > 0
	}
	for n := range g.Lanes {
		l := &g.Lanes[n]
		last := &l.Spans[len(l.Spans)-1]
		last.To, last.Open = end, true
		l.Spans = slices.DeleteFunc(l.Spans, func(s timeline.Span) bool { return s.To <= s.From })
	}
	return g
}

// endpointSpan is red if there is nobody to send to; before there ever was somebody, that is no
// outage.
func endpointSpan(e *simulate.Entry, used bool) timeline.Span {
	ready, all := len(e.Endpoints.Ready), len(e.Endpoints.Ready)+len(e.Endpoints.NotReady)
	s := timeline.Span{From: time.Duration(e.At), State: timeline.Ready, Word: fmt.Sprintf("%d/%d ready", ready, all)}
	switch {
	case ready == 0 && len(e.Endpoints.Draining) > 0:
		s.State, s.Word = timeline.Some, "draining "+strings.Join(e.Endpoints.Draining, " ")
	case ready == 0 && !used:
		s.State, s.Word = timeline.Idle, "nobody yet"
	case ready == 0:
		s.State, s.Word = timeline.None, "nobody"
	case ready < all:
		s.State = timeline.Some
	}
	return s
}
