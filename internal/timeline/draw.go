package timeline

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Drawing is a picture as elements of an SVG. Without a stylesheet it is black.
type Drawing struct {
	Elements []Element
	// Width and Bottom are where it ends.
	Width, Bottom float64
}

// Element is an element of an SVG: a path, a rect or a text. Texts are as they are, not escaped.
type Element struct {
	Tag, Class string
	// Attributes are names and values in turn.
	Attributes []string
	// Title is the tooltip, "" for none; Text is what a text says.
	Title, Text string
}

// XML is the elements, a line each.
func (d Drawing) XML() string {
	var b strings.Builder
	for _, e := range d.Elements {
		fmt.Fprintf(&b, `<%s class="%s"`, e.Tag, e.Class)
		for i := 0; i+1 < len(e.Attributes); i += 2 {
			fmt.Fprintf(&b, ` %s="%s"`, e.Attributes[i], e.Attributes[i+1])
		}
		b.WriteString(">")
		if e.Title != "" {
			fmt.Fprintf(&b, "<title>%s</title>", escaped(e.Title))
		}
		fmt.Fprintf(&b, "%s</%s>\n", escaped(e.Text), e.Tag)
	}
	return b.String()
}

// canvas collects the elements of a picture.
type canvas struct {
	Layout
	p        *Picture
	elements []Element
	y        float64
	drawn    map[drawnKey]float64
	depth    float64 // of the lane that is drawn, with the minor ones below it
}

func (c *canvas) path(class, title, format string, args ...any) {
	c.elements = append(c.elements, Element{Tag: "path", Class: class, Title: title, Attributes: []string{"d", fmt.Sprintf(format, args...)}})
}

func (c *canvas) rect(class, title string, x, y, width, height, round float64) {
	e := Element{Tag: "rect", Class: class, Title: title, Attributes: []string{"x", number(x), "y", number(y), "width", number(width), "height", number(height)}}
	if round > 0 {
		e.Attributes = append(e.Attributes, "rx", number(round))
	}
	c.elements = append(c.elements, e)
}

func (c *canvas) text(class, title string, x, y float64, text string) {
	c.elements = append(c.elements, Element{Tag: "text", Class: class, Title: title, Text: text, Attributes: []string{"x", number(x), "y", number(y)}})
}

func number(x float64) string { return strconv.FormatFloat(x, 'f', 1, 64) }

// drawnKey is a place and a class; what lies before the end of what was drawn there is hidden.
type drawnKey struct {
	y     float64
	class string
}

// covered reports whether something would be hidden by what was drawn in the same place in the same
// class: a month has more spans than pixels.
func (c *canvas) covered(x2, y float64, class string) bool {
	if x2 <= c.drawn[drawnKey{y, class}]+0.9 {
		return true
	}
	c.drawn[drawnKey{y, class}] = x2
	return false
}

// x is where a time stands, within the axis.
func (c *canvas) x(at time.Duration) float64 {
	at = min(max(at, c.p.From), c.p.To)
	return c.Left + (c.Right-c.Left)*float64(at-c.p.From)/float64(max(c.p.To-c.p.From, 1))
}

// sees reports whether something that lasts is on the axis.
func (c *canvas) sees(from, to time.Duration) bool { return to >= c.p.From && from <= c.p.To }

// Draw draws a picture.
func Draw(p *Picture, l Layout) Drawing {
	c := &canvas{Layout: l, p: p, y: l.Top, drawn: map[drawnKey]float64{}}
	c.y += 8 // below the axis' words
	c.topLabels()
	body := c.y
	for i := range p.Groups {
		c.group(&p.Groups[i])
	}
	bottom := c.y
	drawn := c.elements
	c.elements = nil
	c.grid(min(body, l.Top+8), bottom)
	return Drawing{Elements: append(c.elements, drawn...), Width: l.Width, Bottom: bottom + 4}
}

// grid draws the axis.
func (c *canvas) grid(top, bottom float64) {
	end := 0.0
	for _, at := range c.p.moments(c.Layout) {
		x, word := c.x(at), c.p.axisText(c.Layout, at)
		c.path("grid", "", "M%.1f %.1fV%.1f", x, top, bottom)
		middle := min(x, c.Width-textWidth(word)/2)
		if middle-textWidth(word)/2 < end {
			continue
		}
		end = middle + textWidth(word)/2
		c.text("m c k", "", middle, c.Top, word)
	}
}

// topLabels writes what is about no group in particular.
func (c *canvas) topLabels() {
	if len(c.p.Labels) == 0 {
		return
	}
	c.y += 14
	c.place(c.p.Labels, c.y, nil)
	c.y += 2
}

func (c *canvas) group(g *Group) {
	c.y += c.Gap
	top := c.y
	head := 0.0
	if g.Name != "" {
		head = c.Head
	}
	bottom := top + head + c.Lane*float64(len(g.Lanes))
	if g.Name != "" {
		c.rect("l-group", "", c.Margin/2, top, c.Width-c.Margin, bottom-top+4, 0)
	}
	for _, f := range g.Grounds {
		if c.sees(f.From, f.To) {
			x := c.x(f.From)
			title := fmt.Sprintf("%s, %s to %s", f.Word, c.p.clock(f.From), c.p.clock(f.To))
			c.rect("l-fault", title, x, top, max(c.x(f.To)-x, 1.5), bottom-top+4, 0)
		}
	}
	if g.Name != "" {
		c.head(g, top+17)
	}
	c.y = top + head
	for i := range g.Lanes {
		c.depth = c.Lane
		for n := i + 1; n < len(g.Lanes) && g.Lanes[n].Minor; n++ {
			c.depth += c.Lane
		}
		c.lane(&g.Lanes[i])
	}
	c.y = bottom + 4
}

// head writes what a group is called, before the axis if it can, and its labels behind it.
func (c *canvas) head(g *Group, y float64) {
	const bold = 1.15 // how much wider it is
	room := c.Left - 2*charWidth - c.Margin
	if c.Margin == 0 {
		room = (c.Right - c.Left) / 3
	}
	short, title := fitted(g.Name, room), ""
	if short != g.Name {
		title = g.Name
	}
	c.text("b", title, c.Margin, y, short)
	c.labels(g, y-1, [][2]float64{{0, c.Margin + bold*textWidth(short)}})
}

// name writes what a lane is called, before the axis as long as it fits; all of it is its tooltip.
func (c *canvas) name(class string, y float64, text string) {
	short, title := fitted(text, c.Left-10), ""
	if short != text {
		title = text
	}
	c.text(class, title, c.Left-10, y, short)
}

func (c *canvas) lane(l *Lane) {
	class := "m e k"
	if !l.Minor && c.Single {
		class = "e k"
	}
	c.name(class, c.y+c.Lane/2+4, l.Name)
	for _, s := range l.Spans {
		c.span(s)
	}
	c.attempts(l)
	for _, cut := range l.Cuts {
		c.cut(cut)
	}
	c.y += c.Lane
}

// labels writes the faults' names and other words above the lanes, as long as they do not run into
// each other or into what is taken; faults come first.
func (c *canvas) labels(g *Group, y float64, taken [][2]float64) {
	var faults, others []Label
	for _, l := range g.Labels {
		if l.Fault {
			faults = append(faults, l)
		} else {
			others = append(others, l)
		}
	}
	taken = c.place(slices.Concat(groundLabels(g.Grounds), faults), y, taken)
	c.place(others, y, taken)
}

// groundLabels names faults; one that comes again and again is named once.
func groundLabels(grounds []Ground) (labels []Label) {
	const often = 12
	times := map[string]int{}
	for _, f := range grounds {
		times[f.Word]++
	}
	for _, f := range grounds {
		n := times[f.Word]
		switch {
		case n > often:
			labels = append(labels, Label{f.From, fmt.Sprintf("%s (%d times)", f.Word, n), true})
			times[f.Word] = 0
		case n > 0:
			labels = append(labels, Label{f.From, f.Word, true})
		}
	}
	return labels
}

// place writes those labels for which there is room, and says where all of them now stand.
func (c *canvas) place(labels []Label, y float64, taken [][2]float64) [][2]float64 {
	const apart = 8
	for _, l := range labels {
		width := textWidth(l.Text)
		x := min(c.x(l.At)+2, c.Right-width)
		collides := func(t [2]float64) bool { return x < t[1]+apart && x+width+apart > t[0] }
		if !c.sees(l.At, l.At) || slices.ContainsFunc(taken, collides) {
			continue
		}
		class := "k"
		if l.Fault {
			class = "k t-bad"
		}
		c.text(class, "", x, y, l.Text)
		taken = append(taken, [2]float64{x, x + width})
	}
	return taken
}
