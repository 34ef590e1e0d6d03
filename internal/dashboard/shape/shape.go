// Package shape has the forms of states: the form carries the meaning, the colour only helps. Each
// is a small picture that stands beside its word.
package shape

import "github.com/probity-run/probity/internal/dashboard/markup"

func svg(items ...markup.Item) markup.Item {
	return markup.E("svg.shape", append([]markup.Item{markup.A("viewBox", "0 0 14 14"), markup.A("aria-hidden", "true")}, items...)...)
}

// Ready is a full disc with a tick.
func Ready() markup.Item {
	return svg(markup.E("circle.f-ok", markup.A("cx", "7"), markup.A("cy", "7"), markup.A("r", "6")), markup.E("path.tick", markup.A("d", "M4 7.2 6.2 9.4 10.2 4.9")))
}

// ring is the outline of a disc, which several forms share.
func ring(class string, more ...markup.Item) markup.Item {
	return markup.E("circle.l-"+class, append([]markup.Item{markup.A("cx", "7"), markup.A("cy", "7"), markup.A("r", "5.2")}, more...)...)
}

// NotReady is a half disc.
func NotReady() markup.Item {
	return svg(ring("warn"), markup.E("path.f-warn", markup.A("d", "M7 1.8a5.2 5.2 0 0 0 0 10.4z")))
}

// Starting is a dashed ring.
func Starting() markup.Item {
	return svg(ring("wait", markup.A("stroke-dasharray", "3 2.4")))
}

// BackOff is a square clock.
func BackOff() markup.Item {
	return svg(markup.E("rect.l-idle", markup.A("x", "1.5"), markup.A("y", "1.5"), markup.A("width", "11"), markup.A("height", "11"), markup.A("rx", "1.5")), markup.E("path.l-idle", markup.A("d", "M7 4v3.2h2.6")))
}

// Failed is an octagon with a cross.
func Failed() markup.Item {
	return svg(markup.E("path.f-bad", markup.A("d", "M4.5 1h5L13 4.5v5L9.5 13h-5L1 9.5v-5z")), markup.E("path.tick", markup.A("d", "M4.8 4.8l4.4 4.4M9.2 4.8 4.8 9.2")))
}

// Stopping is a triangle that points down.
func Stopping() markup.Item { return svg(markup.E("path.f-stop", markup.A("d", "M1 2.5h12L7 12.5z"))) }

// Out is a ring with a bar: out of rotation by hand.
func Out() markup.Item {
	return svg(ring("warn"), markup.E("path.l-warn", markup.A("d", "M4 7h6")))
}

// Warning is a triangle with an exclamation mark.
func Warning() markup.Item {
	return svg(markup.E("path.f-warn", markup.A("d", "M7 1 13.4 12.6H.6z")), markup.E("path.tick", markup.A("d", "M7 5v3.6M7 10v1.4")))
}
