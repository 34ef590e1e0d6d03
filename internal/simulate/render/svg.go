package render

import (
	"bufio"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/probity-run/probity/internal/simulate"
	"github.com/probity-run/probity/internal/simulate/script"
	"github.com/probity-run/probity/internal/timeline"
)

// The picture's measures, in pixels.
const (
	svgWidth  = 1200
	svgLeft   = 190 // of the time axis; names stand before it
	svgRight  = 1180
	svgLane   = 22
	svgMargin = 20
)

// The colours of the picture. It brings its own background, so that it looks the same on a light
// and on a dark page.
const (
	inkGrid = "#d8dee4"
	paper   = "#ffffff"
)

// svgStyle is what a page's stylesheet is to a picture in a page.
const svgStyle = `<style>
text{fill:#1f2328;font-size:11px}
.m{fill:#656d76}.e{text-anchor:end}.c{text-anchor:middle}.b{font-size:13px;font-weight:600}
.title{font-size:16px;font-weight:600}.fact{font-size:12px}
.grid{stroke:#d8dee4}.l-group{fill:#f6f8fa;fill-opacity:.6}.l-fault{fill:#ffe0dd}
.l-ready{fill:#2da44e}.l-not{fill:#aceebb}.l-start,.l-some{fill:#d4a72c}.l-stop{fill:#8250df}.l-back{fill:#6e7781}.l-off{fill:#afb8c1}.l-none{fill:#cf222e}
.s-ok{fill:#2da44e}.s-bad{fill:#cf222e}.s-yet{fill:#d4a72c}.s-warn,.s-err{fill:#bc4c00}.s-late{fill:#fff;stroke:#cf222e}
.s-cut{stroke:#1f2328;fill:none}.s-cutf{fill:#1f2328}
.t-ok,.t-stop,.t-none{fill:#fff}.t-bad{fill:#cf222e}
</style>
`

func svgLayout(top float64) timeline.Layout {
	return timeline.Layout{
		Width: svgWidth, Left: svgLeft, Right: svgRight, Top: top, Lane: svgLane, Bar: 14, Mark: 14, Head: 26, Gap: 10, Margin: svgMargin, Single: true,
		Axis: script.FormatDuration,
	}
}

// poster collects the elements of a picture that stands for itself.
type poster struct {
	b strings.Builder
	y float64
}

// text writes a line; class is one of the style.
func (c *poster) text(x, y float64, class, text string) {
	fmt.Fprintf(&c.b, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\">%s</text>\n", class, x, y, escaped(text))
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
	c := &poster{y: svgMargin}
	c.title(&r.Summary, rate)
	if r.Timeline.Lost() > 0 {
		c.text(svgMargin, c.y-8, "m", "the timeline is too long to be drawn to its end")
		c.y += 14
	}
	picture, left := Picture(r.Timeline.Entries(), time.Duration(r.Summary.Horizon), LaneOptions{Services: true})
	drawn := timeline.Draw(&picture, svgLayout(c.y))
	c.b.WriteString(drawn.XML())
	c.y = drawn.Bottom
	if left > 0 {
		c.text(svgMargin, c.y+14, "m", fmt.Sprintf("%d more pods are not drawn", left))
		c.y += svgLane
	}
	c.legend()
	b := bufio.NewWriter(out)
	height := c.y + svgMargin
	fmt.Fprintf(b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%.0f" viewBox="0 0 %d %.0f"
  font-family="system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif">
`, svgWidth, height, svgWidth, height)
	fmt.Fprintf(b, "%s<rect width=\"%d\" height=\"%.0f\" rx=\"8\" fill=\"%s\" stroke=\"%s\"/>\n%s</svg>\n", svgStyle, svgWidth, height, paper, inkGrid, c.b.String())
	return b.Flush()
}

// title writes what the picture is about, and the most important of the summary.
func (c *poster) title(s *simulate.Summary, rate float64) {
	c.y += 16
	for i, line := range wrapped(fmt.Sprintf("%s: %v simulated, seed %d", strings.Join(s.Workloads, "; "), s.Horizon, s.Seed), "title") {
		c.y += 20 * float64(min(i, 1))
		c.text(svgMargin, c.y, "title", line)
	}
	c.y += 8
	for _, fact := range Facts(s, rate) {
		for _, line := range wrapped(fact, "fact") {
			c.y += 16
			c.text(svgMargin, c.y, "fact", line)
		}
	}
	c.y += 22
}

// Facts are the most important of the summary, a line each. rate is how many requests a second are
// imagined.
func Facts(s *simulate.Summary, rate float64) []string {
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

// legend explains the colours.
func (c *poster) legend() {
	c.y += 24
	x := float64(svgLeft) / 2
	for _, item := range []struct{ class, word string }{
		{"l-ready", "ready"}, {"l-not", "not ready"}, {"l-start", "starting"}, {"l-stop", "stopping"}, {"l-back", "back-off"}, {"l-off", "waiting or ended"},
		{"s-bad", "probe failed"}, {"s-late", "timed out"}, {"s-cutf", "restart"}, {"s-err", "warning, error or cancelled"}, {"l-fault", "fault"},
	} {
		fmt.Fprintf(&c.b, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"12\" height=\"12\"/>\n", item.class, x, c.y-10)
		c.text(x+17, c.y, "", item.word)
		x += 17 + textWidth(item.word) + 14
	}
}
