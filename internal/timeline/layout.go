package timeline

import "time"

// Layout are the measures of a picture, in pixels.
type Layout struct {
	// Width is that of the picture; the axis goes from Left to Right, names stand before it.
	Width, Left, Right float64
	// Top is where the picture begins.
	Top float64
	// Lane is the height of a lane, Bar that of a span, Mark the most that a mark has.
	Lane, Bar, Mark float64
	// Head is the height of a group's name and labels; Gap is the room above a group.
	Head, Gap float64
	// Margin is the room at the sides of a group that has a name.
	Margin float64
	// Single gives each attempt an element of its own, with its title and counter; else those of
	// one kind are one element.
	Single bool
	// Axis writes an offset. Default: 40 s, 1:20, 1:02:00, 3d 4:00.
	Axis func(time.Duration) string
}

// Narrowest is the width below which a page has no picture.
const Narrowest = 240

// Page is the layout of a picture in a page. The width is rounded to 20 pixels, so that few
// different ones are asked for.
func Page(width int) Layout {
	w := float64(max(width/20*20, Narrowest))
	left := 76.0
	if w < 400 {
		left = 70
	}
	return Layout{Width: w, Left: left, Right: w - 10, Top: 12, Lane: 24, Bar: 17, Mark: 17, Head: 24, Gap: 4}
}

// For is the layout with room for the names of a picture's lanes, up to a quarter of the width.
func (l Layout) For(p *Picture) Layout {
	longest := 0.0
	for i := range p.Groups {
		for j := range p.Groups[i].Lanes {
			longest = max(longest, textWidth(p.Groups[i].Lanes[j].Name)+14)
		}
	}
	l.Left = max(l.Left, min(longest, l.Width/4))
	return l
}

// fullWidth is how wide a picture is that shows all of its time.
const fullWidth = 560

// Fit is the part of a time that a layout has room for: a narrow picture shows less, it does not
// shrink. About is what is to be seen in any case.
func (l Layout) Fit(from, to, about time.Duration) (time.Duration, time.Duration) {
	if l.Width >= fullWidth {
		return from, to
	}
	length := time.Duration(float64(to-from) * (l.Right - l.Left) / (fullWidth - 86))
	begin := min(max(about-length/3, from), to-length)
	return begin, begin + length
}

// axisText is what stands at a moment of the axis.
func (p *Picture) axisText(l Layout, at time.Duration) string {
	switch {
	case !p.Start.IsZero() && l.gridStep(p.To-p.From)%time.Minute == 0:
		return p.Start.Add(at).Format("15:04")
	case !p.Start.IsZero():
		return p.Start.Add(at).Format("15:04:05")
	case l.Axis != nil:
		return l.Axis(at)
	}
	return Offset(at)
}

// steps are round times.
func steps() []time.Duration {
	const day = 24 * time.Hour
	return []time.Duration{
		time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 20 * time.Second, 30 * time.Second,
		time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
		time.Hour, 2 * time.Hour, 4 * time.Hour, 6 * time.Hour, 12 * time.Hour, day, 2 * day, 5 * day, 10 * day, 30 * day, 100 * day,
	}
}

// gridStep is a round time so that the lines are far enough apart for what is written at them.
func (l Layout) gridStep(length time.Duration) time.Duration {
	const apart = 80
	most := max(int((l.Right-l.Left)/apart), 1)
	for _, step := range steps() {
		if int(length/step) <= most {
			return step
		}
	}
	return length
}

// moments are where the grid has lines: at round times of the axis.
func (p *Picture) moments(l Layout) (all []time.Duration) {
	step := l.gridStep(p.To - p.From)
	first := (p.From + step - 1) / step * step
	if !p.Start.IsZero() { // round on the clock
		first = p.Start.Add(p.From).Add(step - 1).Truncate(step).Sub(p.Start)
	}
	for at := first; at <= p.To; at += step {
		all = append(all, at)
	}
	return all
}
