package render

import (
	"fmt"
	"strings"

	"github.com/probity-run/probity/internal/simulate"
	"github.com/probity-run/probity/internal/simulate/script"
)

// container draws the lanes of a container: its state, then its probes.
func (c *canvas) container(l *containerLane) {
	c.name(svgLeft-10, c.y+12, "lane", l.name, "")
	for _, s := range l.states {
		c.bar(s)
	}
	for _, r := range l.restarts {
		c.restart(r)
	}
	c.y += svgLane
	for _, p := range l.probes {
		c.name(svgLeft-10, c.y+12, "lane", script.ProbeName(p.probe), ` style="fill:`+inkFaint+`"`)
		c.line(svgLeft, c.y+8, svgRight, c.y+8, inkGrid)
		c.attempts(p)
		c.y += svgLane
	}
}

// bar draws a state, with its name if there is room.
func (c *canvas) bar(s span) {
	x1, x2 := c.x(s.from), c.x(s.to)
	c.rect(x1, x2, c.y+1, svgBar, s.fill, fmt.Sprintf("%s, %v to %v", s.word, s.from, s.to))
	word := s.word
	if textWidth(word)+8 > x2-x1 {
		word, _, _ = strings.Cut(word, " ") // 2/3 of "2/3 ready"
	}
	if textWidth(word)+6 < x2-x1 && (word == s.word || strings.Contains(word, "/")) {
		class := "on"
		if s.fill == goodSoft || s.fill == idle || s.fill == wait || s.fill == badSoft {
			class = "dark"
		}
		c.text(x1+4, c.y+11.5, class, word)
	}
}

// restart marks where a container was started again.
func (c *canvas) restart(r label) {
	x := c.x(r.at)
	if c.covered(x+3, c.y, restarted) {
		return
	}
	c.add(`<path d="M%.1f %.1fv%dm-3.5 -%dh7l-3.5 5z" stroke="%s" fill="%s">%s</path>`, x, c.y-2, svgBar+6, svgBar+6, restarted, restarted, tooltip(clock(r.at)+" "+r.text))
}

// attempts draws the attempts of a probe: green marks for successes, or a green line where they are
// too close to be told apart; red ones, as long as they took, for failures, with the counter where
// there is room.
func (c *canvas) attempts(p *probeLane) {
	free, solid := 0.0, 0.0 // where the last counter, and the last failure, ends
	for i := range p.attempts {
		e := &p.attempts[i]
		x := c.x(e.At)
		if e.Probe.Outcome == "success" {
			c.successes(e)
			continue
		}
		fill := bad
		if e.Probe.Outcome != "failure" {
			fill = warn
		}
		end := max(c.x(e.At+e.Probe.Took), x+2.5)
		if end < solid { // it would be hidden by the one before
			continue
		}
		solid = end
		c.rect(x, end, c.y+2, 12, fill, attemptTitle(e))
		counter := fmt.Sprintf("%d/%d", min(e.Probe.Run, e.Probe.Threshold), e.Probe.Threshold)
		if c.roomFor(p, i, end, counter) && x > free && e.Probe.Outcome == "failure" && e.Probe.Threshold > 1 {
			c.text(end+2, c.y+11.5, "dark", counter)
			free = end + 2 + textWidth(counter)
		}
	}
}

// roomFor reports whether a counter fits between an attempt and the next one.
func (c *canvas) roomFor(p *probeLane, i int, end float64, counter string) bool {
	if i+1 == len(p.attempts) {
		return end+textWidth(counter) < svgRight
	}
	return c.x(p.attempts[i+1].At) > end+2+textWidth(counter)
}

// successes draws one or more successes.
func (c *canvas) successes(e *simulate.Entry) {
	const apart = 5
	x := c.x(e.At)
	if e.Probe.Times == 1 {
		c.rect(x, x+2, c.y+4, 8, good, attemptTitle(e))
		return
	}
	last := c.x(e.At + simulate.Offset(e.Probe.Times-1)*e.Probe.Every)
	step := (last - x) / float64(e.Probe.Times-1)
	if step < apart {
		c.rect(x, last+2, c.y+6.5, 3, good, attemptTitle(e))
		return
	}
	for i := range e.Probe.Times {
		at := x + float64(i)*step
		c.rect(at, at+2, c.y+4, 8, good, "")
	}
}

func attemptTitle(e *simulate.Entry) string {
	l := line{Entry: *e, times: e.Probe.Times, every: e.Probe.Every, run: e.Probe.Run}
	return clock(e.At) + " " + l.attempts()
}

// endpoints draws what each Service routes to.
func (c *canvas) endpoints(entries []simulate.Entry) {
	var services []string
	lanes, used := map[string][]span{}, map[string]bool{}
	for i := range entries {
		e := &entries[i]
		if e.Endpoints == nil {
			continue
		}
		name := e.Endpoints.Service
		if lanes[name] == nil {
			services = append(services, name)
		} else {
			lanes[name][len(lanes[name])-1].to = e.At
		}
		lanes[name] = append(lanes[name], endpointSpan(e, used[name]))
		used[name] = used[name] || len(e.Endpoints.Ready) > 0
	}
	if len(services) > 0 {
		c.y += 14
	}
	for _, name := range services {
		title := "endpoints of " + name
		if name == "" {
			title = "ready pods"
		}
		c.name(svgLeft-10, c.y+12, "lane", title, "")
		lanes[name][len(lanes[name])-1].to = simulate.Offset(c.end)
		for _, s := range lanes[name] {
			if s.to > s.from {
				c.bar(s)
			}
		}
		c.y += svgLane
	}
}

// endpointSpan is red if there is nobody to send to; before there ever was somebody, that is no
// outage.
func endpointSpan(e *simulate.Entry, used bool) span {
	ready, all := len(e.Endpoints.Ready), len(e.Endpoints.Ready)+len(e.Endpoints.NotReady)
	s := span{from: e.At, fill: good, word: fmt.Sprintf("%d/%d ready", ready, all)}
	switch {
	case ready == 0 && len(e.Endpoints.Draining) > 0:
		s.fill, s.word = wait, "draining "+strings.Join(e.Endpoints.Draining, " ")
	case ready == 0 && !used:
		s.fill, s.word = idle, "nobody yet"
	case ready == 0:
		s.fill, s.word = bad, "nobody"
	case ready < all:
		s.fill = wait
	}
	return s
}
