package render

import (
	"fmt"
	"slices"

	"github.com/probity-run/probity/internal/simulate"
)

// labels writes the faults' names and the Events above the lanes, as long as they do not run into
// each other; faults come first.
func (c *canvas) labels(p *podLane, y float64) {
	taken := c.place(faultLabels(p.faults), y, nil)
	c.place(p.labels, y, taken)
}

// faultLabels names faults; one that comes again and again is named once.
func faultLabels(faults []span) (labels []label) {
	const often = 12
	times := map[string]int{}
	for _, f := range faults {
		times[f.word]++
	}
	for _, f := range faults {
		n := times[f.word]
		switch {
		case n > often:
			labels = append(labels, label{f.from, fmt.Sprintf("%s (%d times)", f.word, n), bad})
			times[f.word] = 0
		case n > 0:
			labels = append(labels, label{f.from, f.word, bad})
		}
	}
	return labels
}

// place writes those labels for which there is room, and says where all of them now stand.
func (c *canvas) place(labels []label, y float64, taken [][2]float64) [][2]float64 {
	const apart = 8
	for _, l := range labels {
		width := textWidth(l.text)
		x := min(c.x(l.at)+2, svgRight-width)
		if slices.ContainsFunc(taken, func(t [2]float64) bool { return x < t[1]+apart && x+width+apart > t[0] }) {
			continue
		}
		c.add(`<text x="%.1f" y="%.1f" class="small" style="fill:%s">%s</text>`, x, y, l.colour, escaped(l.text))
		taken = append(taken, [2]float64{x, x + width})
	}
	return taken
}

// marks draws what happened to no Pod in particular: rollouts.
func (c *canvas) marks(entries []simulate.Entry) {
	var all []label
	for i := range entries {
		if e := &entries[i]; e.Pod == "" && e.Kind == simulate.EntryFault {
			all = append(all, label{e.At, e.Text, bad})
		}
	}
	if len(all) == 0 {
		return
	}
	c.y += 6
	c.place(all, c.y, nil)
	c.y += 2
}
