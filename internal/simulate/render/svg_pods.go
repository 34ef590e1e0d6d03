package render

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/simulate"
	"github.com/probity-run/probity/internal/simulate/script"
)

// podLane is what is drawn of a Pod.
type podLane struct {
	name       string
	containers []*containerLane
	faults     []span
	labels     []label
}

// containerLane is what is drawn of a container.
type containerLane struct {
	name     string
	states   []span
	restarts []label
	probes   []*probeLane
	open     span // the state now
}

type probeLane struct {
	probe    lifecycle.ProbeType
	attempts []simulate.Entry
}

// span is something that lasts.
type span struct {
	from, to   simulate.Offset
	word, fill string
}

// label is a word at a time.
type label struct {
	at     simulate.Offset
	text   string
	colour string
}

// podLanes sorts the entries into Pods, the first few of them; left is how many more there are.
func podLanes(entries []simulate.Entry, end time.Duration) (pods []*podLane, left int) {
	skipped := map[string]bool{}
	for i := range entries {
		e := &entries[i]
		if e.Pod == "" {
			continue
		}
		at := slices.IndexFunc(pods, func(p *podLane) bool { return p.name == e.Pod })
		switch {
		case at < 0 && len(pods) == svgPods:
			skipped[e.Pod] = true
			continue
		case at < 0:
			pods, at = append(pods, &podLane{name: e.Pod}), len(pods)
		}
		pods[at].add(e)
	}
	for _, p := range pods {
		p.close(simulate.Offset(end))
	}
	return pods, len(skipped)
}

func (p *podLane) add(e *simulate.Entry) {
	switch {
	case e.Kind == simulate.EntryFault:
		p.fault(e)
	case e.Kind == simulate.EntryReady && e.Text == simulate.TextGone:
		for _, c := range p.containers {
			c.setState(e.At, "", "")
		}
	case e.Kind == simulate.EntryEvent && e.Event.Reason == "Killing":
		p.labels = append(p.labels, label{e.At, eventWord(e), inkText})
	case e.Container == "":
	case e.Kind == simulate.EntryState:
		p.container(e.Container).state(e)
	case e.Kind == simulate.EntryProcess:
		p.process(e)
	case e.Kind == simulate.EntryProbe:
		c := p.container(e.Container)
		i := slices.IndexFunc(c.probes, func(l *probeLane) bool { return l.probe == e.Probe.Type })
		if i < 0 {
			c.probes, i = append(c.probes, &probeLane{probe: e.Probe.Type}), len(c.probes)
		}
		c.probes[i].attempts = append(c.probes[i].attempts, *e)
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
	switch {
	case e.Begins == nil:
		p.labels = append(p.labels, label{e.At, e.Text, bad})
	case *e.Begins:
		p.faults = append(p.faults, span{from: e.At, to: -1, word: strings.TrimSuffix(e.Text, simulate.SuffixBegins)})
	default:
		word := strings.TrimSuffix(e.Text, simulate.SuffixOver)
		for i := range p.faults {
			if f := &p.faults[i]; f.word == word && f.to < 0 {
				f.to = e.At
			}
		}
	}
}

func (p *podLane) process(e *simulate.Entry) {
	c := p.container(e.Container)
	switch {
	case e.Text == "started" && e.Instance > 1:
		c.restarts = append(c.restarts, label{at: e.At, text: fmt.Sprintf("restart %d", e.Instance-1)})
	case e.Text == "SIGTERM" || e.Text == "PreStop hook":
		c.setState(e.At, "stopping", stopping)
	case strings.HasPrefix(e.Text, "exited"):
		if !strings.HasSuffix(e.Text, "code 0") {
			p.labels = append(p.labels, label{e.At, e.Text, inkText})
		}
		c.setState(e.At, "ended", idle)
	}
}

// state sets the lane to what the status shows, unless the container is being stopped: that ends
// with its exit.
func (c *containerLane) state(e *simulate.Entry) {
	word, fill := "ended", idle
	switch s := e.State; {
	case s.State == "waiting" && s.Reason == "CrashLoopBackOff":
		word, fill = "back-off", backoff
	case s.State == "waiting":
		word, fill = "waiting", idle
	case s.Reason == "Completed":
		word = "done"
	case s.State == "running" && s.Ready:
		word, fill = "ready", good
	case s.State == "running" && s.Started:
		word, fill = "not ready", goodSoft
	case s.State == "running":
		word, fill = "starting", wait
	}
	if c.open.word == "stopping" && e.State.State == "running" {
		return
	}
	c.setState(e.At, word, fill)
}

func (c *containerLane) setState(at simulate.Offset, word, fill string) {
	if c.open.word == word {
		return
	}
	if c.open.word != "" && at > c.open.from {
		c.open.to = at
		c.states = append(c.states, c.open)
	}
	c.open = span{from: at, word: word, fill: fill}
}

// close ends what still lasts.
func (p *podLane) close(end simulate.Offset) {
	for _, c := range p.containers {
		c.open.to = end
		if c.open.word != "" {
			c.states = append(c.states, c.open)
		}
		order := lifecycle.ProbeTypes()
		slices.SortFunc(c.probes, func(a, b *probeLane) int { return slices.Index(order, a.probe) - slices.Index(order, b.probe) })
	}
	for i := range p.faults {
		if p.faults[i].to < 0 {
			p.faults[i].to = end
		}
	}
}

// pod draws a Pod: its name, labels, and the lanes of its containers.
func (c *canvas) pod(p *podLane) {
	c.y += 10
	top := c.y
	height := float64(svgHead)
	for _, l := range p.containers {
		height += float64(svgLane * (1 + len(l.probes)))
	}
	c.add(`<rect x="%d" y="%.1f" width="%d" height="%.1f" fill="%s" fill-opacity="0.6"/>`, svgMargin/2, top, svgWidth-svgMargin, height+4, paperLane)
	for _, f := range p.faults {
		x := c.x(f.from)
		c.rect(x, max(c.x(f.to), x+1.5), top, height+4, badSoft, fmt.Sprintf("%s, %v to %v", f.word, f.from, f.to))
	}
	c.name(svgMargin, top+17, "pod", p.name, "")
	c.labels(p, top+16)
	c.y = top + svgHead
	for _, l := range p.containers {
		c.container(l)
	}
	c.y = top + height + 4
}
