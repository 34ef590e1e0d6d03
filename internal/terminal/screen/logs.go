package screen

import "strings"

// logView is how the log of a Pod is looked at.
type logView struct {
	following, wrap, probes, noTime bool
	previous, all                   bool
	search                          string
	top                             int // Seq of the first line that is shown, if it does not follow
	bottom                          int // Seq of the last one of the last frame
	shown                           []int
}

// timeWidth is what the time and the mark of a line take.
const timeWidth = 15

// logs is the page of a Pod's log.
func (f *frame) logs() []line {
	v := f.v
	lines := []line{f.crumbs("logs", f.podName()), f.logState()}
	room := f.height - 3
	v.room = max(room, 1)
	log := f.Log
	switch {
	case log == nil || log.ID != v.selected:
		lines = append(lines, plain(Muted, " …"))
	case log.Err != "":
		for _, part := range wrap(log.Err, f.width-2) {
			lines = append(lines, plain(Bad, " "+part))
		}
	default:
		lines = append(lines, f.logLines(log, room)...)
	}
	keys := "f follow  w wrap  p previous  b probes  / search  t time  a all  S save  ? keys  Esc back"
	return append(f.fill(lines, f.height-1), f.keyLine(keys))
}

func (f *frame) logState() line {
	v := &f.v.log
	var l line
	if v.following {
		l.bold(Ok, " following")
	} else {
		l.bold(Warn, " paused").add(Muted, " f follows")
	}
	if v.search != "" {
		l.add(Accent, "  /"+cut(v.search, max(f.width-l.width-3, 1)))
	}
	if f.Log != nil {
		l.add(Normal, "  "+cut(f.Log.Title, max(f.width-l.width-2, 1)))
		if f.Log.Previous != "" && !v.previous {
			l.add(Muted, "  p previous ("+f.Log.Previous+")")
		}
	}
	return *l.add(Muted, "  probes "+onOff(v.probes)+"  wrap "+onOff(v.wrap))
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// visible are the lines that the person wants to see.
func (v *View) visible(log *Log) []*LogLine {
	list := make([]*LogLine, 0, len(log.Lines))
	for i := range log.Lines {
		if l := &log.Lines[i]; v.log.probes || l.Kind != ProbePassed && l.Kind != ProbeFailed {
			list = append(list, l)
		}
	}
	return list
}

// logLines are the newest lines, or those from where the person stopped, as many as there is room
// for.
func (f *frame) logLines(log *Log, room int) []line {
	v := &f.v.log
	list := f.v.visible(log)
	if len(list) == 0 {
		return []line{plain(Muted, " It has printed nothing yet.")}
	}
	var lines []line
	v.shown = v.shown[:0]
	if v.following {
		for i := len(list) - 1; i >= 0 && len(lines) < room; i-- {
			lines = append(f.logLine(list[i]), lines...)
			v.shown = append(v.shown, list[i].Seq)
		}
		lines = lines[max(len(lines)-room, 0):]
		v.top, v.bottom = v.shown[len(v.shown)-1], list[len(list)-1].Seq
		return lines
	}
	for _, l := range list {
		if l.Seq < v.top {
			continue
		}
		if len(lines) >= room {
			break
		}
		lines = append(lines, f.logLine(l)...)
		v.bottom = l.Seq
	}
	if len(lines) == 0 { // what was there is not kept any more, or there is less than before
		v.following = true
		return f.logLines(log, room)
	}
	return lines[:min(len(lines), room)]
}

// logLine is a line of a log, wrapped if that is wanted.
func (f *frame) logLine(l *LogLine) []line {
	v := &f.v.log
	if l.Kind == InstanceEnds {
		return []line{f.titled(text(l.Text), "")}
	}
	indent := 0
	if !v.noTime {
		indent = timeWidth
	}
	room := max(f.width-indent, 1)
	spans := l.Text
	if l.From != "" {
		spans = append([]Span{{Text: l.From + " ", Role: Muted}}, spans...)
	}
	spans = highlight(spans, v.search)
	parts := [][]Span{spans}
	if v.wrap {
		parts = wrapSpans(spans, room)
	}
	var lines []line
	for i, part := range parts {
		var out line
		if i == 0 && indent > 0 {
			mark, role := " ", Normal
			switch l.Kind {
			case ProbePassed:
				mark, role = "┄", Rule
			case ProbeFailed:
				mark, role = "□", Bad
			}
			out.add(Muted, l.At.Format("15:04:05.000")+" ").add(role, mark+" ")
		}
		lines = append(lines, *out.column(indent).span(part...))
	}
	return lines
}

func text(spans []Span) string {
	var b strings.Builder
	for _, s := range spans {
		b.WriteString(s.Text)
	}
	return b.String()
}

// highlight sets what is searched for apart.
func highlight(spans []Span, search string) []Span {
	if search == "" {
		return spans
	}
	var all []Span
	for _, s := range spans {
		rest, lower := s.Text, strings.ToLower(s.Text)
		if len(lower) != len(rest) { // letters whose lower case is of another size
			lower = rest
		}
		for {
			i := strings.Index(lower, strings.ToLower(search))
			if i < 0 {
				break
			}
			all = append(all, Span{rest[:i], s.Role, s.Bold}, Span{rest[i : i+len(search)], Accent, true})
			rest, lower = rest[i+len(search):], lower[i+len(search):]
		}
		all = append(all, Span{rest, s.Role, s.Bold})
	}
	return all
}

// wrapSpans breaks spans at a column.
func wrapSpans(spans []Span, width int) [][]Span {
	var parts [][]Span
	var current []Span
	left := width
	for _, s := range spans {
		rest := s.Text
		for widthOf(rest) > left {
			head := cutHard(rest, left)
			if head != "" {
				current = append(current, Span{head, s.Role, s.Bold})
			}
			if head == "" && left == width { // a character that is wider than the window
				break
			}
			rest = rest[len(head):]
			parts, current, left = append(parts, current), nil, width
		}
		if rest != "" {
			current = append(current, Span{rest, s.Role, s.Bold})
			left -= widthOf(rest)
		}
	}
	if len(current) > 0 || len(parts) == 0 {
		parts = append(parts, current)
	}
	return parts
}
