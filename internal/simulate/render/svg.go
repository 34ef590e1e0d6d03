package render

import (
	"bufio"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/probity-run/probity/internal/simulate"
	"github.com/probity-run/probity/internal/simulate/script"
)

// The picture's measures, in pixels.
const (
	svgWidth  = 1200
	svgLeft   = 190 // of the time axis; lane names stand before it
	svgRight  = 1180
	svgHead   = 26 // height of a Pod's title
	svgLane   = 22 // of a lane
	svgBar    = 14 // of a bar in a lane
	svgMargin = 20
	svgPods   = 8 // that are drawn; more would not be read
)

// The colours of the picture. It brings its own background, so that it looks the same on a light
// and on a dark page.
const (
	inkText   = "#1f2328"
	inkFaint  = "#656d76"
	inkGrid   = "#d8dee4"
	paper     = "#ffffff"
	paperLane = "#f6f8fa"
	good      = "#2da44e"
	goodSoft  = "#aceebb"
	wait      = "#d4a72c"
	bad       = "#cf222e"
	badSoft   = "#ffe0dd"
	stopping  = "#8250df"
	idle      = "#afb8c1"
	backoff   = "#6e7781"
	warn      = "#bc4c00"
	restarted = "#1f2328"
)

// canvas collects the elements of a picture.
type canvas struct {
	b      strings.Builder
	y      float64
	end    time.Duration
	begins time.Duration
	drawn  map[drawnKey]float64
}

// drawnKey is a place and a colour; what lies before the end of what was drawn there is hidden.
type drawnKey struct {
	y    float64
	fill string
}

// covered reports whether a rectangle would be hidden by what was drawn in the same place in the
// same colour: a month has more spans than pixels.
func (c *canvas) covered(x2, y float64, fill string) bool {
	if x2 <= c.drawn[drawnKey{y, fill}]+0.9 {
		return true
	}
	c.drawn[drawnKey{y, fill}] = x2
	return false
}

// x is where a time stands.
func (c *canvas) x(at simulate.Offset) float64 {
	return svgLeft + (svgRight-svgLeft)*float64(time.Duration(at)-c.begins)/float64(c.end-c.begins)
}

func (c *canvas) add(format string, args ...any) { fmt.Fprintf(&c.b, format+"\n", args...) }

func (c *canvas) rect(x1, x2, y, height float64, fill, title string) {
	x2 = max(x2, x1+0.5)
	if c.covered(x2, y, fill) {
		return
	}
	c.add(`<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s">%s</rect>`, x1, y, x2-x1, height, fill, tooltip(title))
}

func tooltip(title string) string {
	if title == "" {
		return ""
	}
	return "<title>" + escaped(title) + "</title>"
}

// text writes a line; class is one of the styles of the head.
func (c *canvas) text(x, y float64, class, text string) {
	c.add(`<text x="%.1f" y="%.1f" class="%s">%s</text>`, x, y, class, escaped(text))
}

// name writes what a lane or a Pod is called, as long as it fits; the whole of it is its tooltip.
func (c *canvas) name(x, y float64, class, text, style string) {
	short := fitted(text, svgLeft-2*svgMargin)
	title := ""
	if short != text {
		title = text
	}
	c.add(`<text x="%.1f" y="%.1f" class="%s"%s>%s%s</text>`, x, y, class, style, tooltip(title), escaped(short))
}

func (c *canvas) line(x1, y1, x2, y2 float64, colour string) {
	c.add(`<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s"/>`, x1, y1, x2, y2, colour)
}

func escaped(s string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(s)); err != nil {
		return "" // a builder does not fail
	}
	return b.String()
}

// SVG draws the timeline: lanes for each container's state and each probe, Events, and the
// endpoints of each Service. It stands for itself and needs nothing else. rate is how many requests
// a second are imagined.
func SVG(out io.Writer, r *simulate.Result, rate float64) error {
	c := &canvas{y: svgMargin, end: time.Duration(r.Summary.Horizon), drawn: map[drawnKey]float64{}}
	c.title(&r.Summary, rate)
	if r.Timeline.Lost() > 0 {
		c.text(svgMargin, c.y-8, "faint", "the timeline is too long to be drawn to its end")
		c.y += 14
	}
	pods, left := podLanes(r.Timeline.Entries(), c.end)
	top := c.y
	c.y += 18 // for the axis
	c.marks(r.Timeline.Entries())
	for _, p := range pods {
		c.pod(p)
	}
	if left > 0 {
		c.text(svgMargin, c.y+14, "faint", fmt.Sprintf("%d more pods are not drawn", left))
		c.y += svgLane
	}
	c.endpoints(r.Timeline.Entries())
	bottom := c.y
	c.legend()
	b := bufio.NewWriter(out)
	c.write(b, top, bottom)
	return b.Flush()
}

// title writes what the picture is about, and the most important of the summary.
func (c *canvas) title(s *simulate.Summary, rate float64) {
	c.y += 16
	for i, line := range wrapped(fmt.Sprintf("%s: %v simulated, seed %d", strings.Join(s.Workloads, "; "), s.Horizon, s.Seed), "title") {
		c.y += 20 * float64(min(i, 1))
		c.text(svgMargin, c.y, "title", line)
	}
	c.y += 8
	for _, fact := range facts(s, rate) {
		for _, line := range wrapped(fact, "fact") {
			c.y += 16
			c.text(svgMargin, c.y, "fact", line)
		}
	}
	c.y += 22
}

// facts are the most important of the summary.
func facts(s *simulate.Summary, rate float64) []string {
	const few = 4
	lines := []string{"first ready " + readyText(s) + " · restarts " + restartText(s)}
	for _, l := range s.Loops {
		if l.Verdict != simulate.LoopSafe {
			lines = append(lines, "restart loop "+loopText(l))
		}
	}
	faults := faultTexts(s)
	lines = append(lines, faults[:min(len(faults), few)]...)
	for _, r := range s.Routes {
		all := rate * time.Duration(s.Horizon).Seconds()
		lines = append(lines, fmt.Sprintf("unavailable %s · failed requests %.0f of %.0f at %g/s", routeText(r, s.Horizon), r.Failed(rate), all, rate))
	}
	return lines
}

const svgStart = `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%.0f" viewBox="0 0 %d %.0f"
  font-family="system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif">
<style>
text{fill:%s}
.title{font-size:16px;font-weight:600}
.fact{font-size:12px}
.pod{font-size:13px;font-weight:600}
.lane{font-size:11px;text-anchor:end}
.small{font-size:11px}
.faint{font-size:11px;fill:%s}
.axis{font-size:11px;fill:%s;text-anchor:middle}
.on{font-size:10px;fill:#fff}
.dark{font-size:10px}
</style>
<rect width="%d" height="%.0f" rx="8" fill="%s" stroke="%s"/>
`

// write puts the picture together: paper, grid, what was drawn.
func (c *canvas) write(b io.Writer, top, bottom float64) {
	height := c.y + svgMargin
	fmt.Fprintf(b, svgStart, svgWidth, height, svgWidth, height, inkText, inkFaint, inkFaint, svgWidth, height, paper, inkGrid)
	for at := time.Duration(0); at <= c.end; at += gridStep(c.end) {
		x := c.x(simulate.Offset(at))
		fmt.Fprintf(b, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\"/>\n", x, top+6, x, bottom, inkGrid)
		fmt.Fprintf(b, "<text x=\"%.1f\" y=\"%.1f\" class=\"axis\">%s</text>\n", x, top, script.FormatDuration(at))
	}
	fmt.Fprint(b, c.b.String(), "</svg>\n")
}

// gridStep is a round time so that there are at most a dozen lines.
func gridStep(horizon time.Duration) time.Duration {
	round := []time.Duration{
		time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute,
		10 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour, 6 * time.Hour, 12 * time.Hour,
		script.Day, 2 * script.Day, 5 * script.Day, 10 * script.Day, 30 * script.Day,
	}
	if i := slices.IndexFunc(round, func(d time.Duration) bool { return horizon/d <= 12 }); i >= 0 {
		return round[i]
	}
	return 365 * script.Day
}

// legend explains the colours.
func (c *canvas) legend() {
	c.y += 24
	x := float64(svgLeft)
	for _, item := range []struct{ colour, word string }{
		{good, "ready"}, {goodSoft, "not ready"}, {wait, "starting"}, {stopping, "stopping"}, {backoff, "back-off"}, {idle, "waiting or ended"},
		{bad, "probe failed"}, {restarted, "restart"}, {warn, "warning, error or cancelled"}, {badSoft, "fault"},
	} {
		c.rect(x, x+12, c.y-10, 12, item.colour, "")
		c.text(x+17, c.y, "small", item.word)
		x += 17 + textWidth(item.word) + 16
	}
}
