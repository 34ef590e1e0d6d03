package screen

// card is what is to be known of the selected Pod, in at most so many lines: a rule, then why it is
// so, what follows, what to do next, and where it is. In small windows what to do comes before what
// follows. The first line is a place for the rule.
func (f *frame) card(list []*Pod, at, room int) []line {
	if at < 0 || room < 2 {
		return nil
	}
	p := list[at]
	lines := append([]line{{}}, f.cardText(p, f.small())...)
	if len(lines) <= room {
		return lines
	}
	if !f.small() { // without where it is, then in the order that leaves the most important
		lines = append([]line{{}}, f.sentences(p, false)...)
		if len(lines) <= room {
			return lines
		}
		lines = append([]line{{}}, f.sentences(p, true)...)
	}
	if len(lines) > room {
		lines = append(lines[:room-1:room-1], plain(Muted, cut(" … Enter shows the rest", f.width)))
	}
	return lines
}

func (f *frame) cardText(p *Pod, nextFirst bool) []line {
	lines := f.sentences(p, nextFirst)
	if p.At != "" {
		lines = append(lines, f.sentence("at", Muted, p.At)...)
	}
	return lines
}

// sentences are why, so and next.
func (f *frame) sentences(p *Pod, nextFirst bool) []line {
	d := &p.Diagnosis
	_, role := stateMark(d.State)
	if !d.Attention {
		role = Normal
	}
	lines := f.sentence("why", role, d.Why)
	so, next := f.sentence("so", Normal, d.So), f.sentence("next", Accent, d.Next)
	if nextFirst {
		return append(append(lines, next...), so...)
	}
	return append(append(lines, so...), next...)
}

// sentence is a text with its label before it; narrow windows have no room for that.
func (f *frame) sentence(label string, role Role, text string) []line {
	if text == "" {
		return nil
	}
	indent := 7
	if f.width < smallWidth {
		indent, label = 3, ""
	}
	var lines []line
	for i, part := range wrap(text, f.width-indent-1) {
		var l line
		if i == 0 && label != "" {
			l.add(Muted, " "+label)
		}
		lines = append(lines, *l.column(indent).add(role, part))
	}
	return lines
}

// cardRule is the rule above the card: which Pod it is about, and where that is in the list.
func (f *frame) cardRule(list []*Pod, at int, h hidden) line {
	where := itoa(at+1) + " of " + itoa(len(list))
	if h.above > 0 || h.below > 0 {
		where = "↑" + itoa(h.above) + " ↓" + itoa(h.below)
	}
	var l line
	l.add(Rule, "─ ").add(Muted, middle(list[at].Name, f.width-widthOf(where)-6)).add(Normal, " ")
	l.rule(f.width - widthOf(where) - 2)
	return *l.add(Muted, " "+where)
}
