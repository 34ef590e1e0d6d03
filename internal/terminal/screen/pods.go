package screen

import (
	"cmp"
	"strings"
)

const podKeys = "↑↓ select  ⏎ details  l logs  e events  / filter  r restart  o out  d delete  ? keys  q stop"

// pods is the first page: header, notices, Services, the list, the card of the selected Pod, what
// it printed, Events, keys. The card stands at the bottom, so that moving does not shift rows.
func (f *frame) pods(list []*Pod, at int) []line {
	lines := append([]line{f.header()}, f.topNotices()...)
	lines = append(lines, f.topServices()...)
	c := f.columns(list)
	if !f.small() {
		lines = append(lines, f.heads(c))
	}
	rows := f.list(list, at, c)
	room := f.height - len(lines) - 1
	wanted := f.card(list, at, room)
	listRoom := min(len(rows.lines), max(room-len(wanted), 0))
	least := min(len(rows.lines), f.leastRows())
	if listRoom < least {
		listRoom = least
		wanted = f.card(list, at, room-listRoom)
	}
	if f.v.filter != "" {
		listRoom = max(listRoom, min(6, room-len(wanted)))
	}
	left := max(room-listRoom-len(wanted), 0)
	below := f.below(left)
	f.v.room = max(listRoom, 1)
	hidden := rows.window(listRoom)
	f.v.clickable = make([]string, len(lines), len(lines)+len(rows.lines))
	for _, pod := range rows.pods {
		id := ""
		if pod >= 0 {
			id = list[pod].ID
		}
		f.v.clickable = append(f.v.clickable, id)
	}
	lines = append(lines, rows.lines...)
	lines = f.fill(lines, f.height-1-len(wanted)-len(below))
	if len(wanted) > 0 {
		wanted[0] = f.cardRule(list, at, hidden)
	}
	lines = append(append(lines, wanted...), below...)
	return append(lines, f.keyLine(podKeys))
}

// leastRows is how many rows of the list are shown whatever the card needs.
func (f *frame) leastRows() int {
	switch {
	case f.height < 12:
		return 1
	case f.small():
		return 3
	}
	return 6
}

// topNotices are the notices above the list.
func (f *frame) topNotices() []line {
	most := 3
	if f.small() {
		most = 1
	}
	shown := f.v.notices(f.State)
	var lines []line
	for i, n := range shown {
		high := 4
		if f.small() {
			if n.Short != "" {
				n.Text = n.Short
			}
			if n.Role != Bad {
				high = 1
			}
		}
		if n.Role == Muted {
			break // what is only to be known is on its page
		}
		if i == most {
			if !f.small() {
				lines = append(lines, plain(Muted, cut("   "+itoa(len(shown)-i)+" more notices · n lists all", f.width)))
			}
			break
		}
		lines = append(lines, f.notice(n, high, i == 0 && !f.small())...)
	}
	return lines
}

// notice is one notice in at most so many lines.
func (f *frame) notice(n Notice, high int, hides bool) []line {
	width := f.width - 4
	if hides {
		width = f.width - 12
	}
	wrapped := wrap(n.Text, width)
	if len(wrapped) > high {
		wrapped = append(wrapped[:high-1:high-1], cut(strings.Join(wrapped[high-1:], " "), width))
	}
	var lines []line
	for i, text := range wrapped {
		var l line
		l.add(Normal, "   ")
		if i == 0 {
			l = plain(n.Role, " ! ")
		}
		l.add(n.Role, text)
		if i == 0 && hides {
			l.right(f.width, plain(Muted, "x hides"))
		}
		lines = append(lines, l)
	}
	return lines
}

// below is what the selected Pod printed, and Events, in so many lines.
func (f *frame) below(room int) []line {
	events := min(len(f.Events), max(room-1, 0), max(3, room/5))
	if events == 0 || f.small() {
		return nil
	}
	left := room - events - 1
	var lines []line
	if output := min(len(f.Output), left-1, max(4, left/2)); output > 0 {
		lines = append(lines, f.sectionRule("output", "l all"))
		for _, entry := range f.Output[len(f.Output)-output:] {
			var l line
			l.add(Normal, " ")
			if entry.From != "" {
				l.add(Muted, entry.From+" ")
			}
			lines = append(lines, *l.span(entry.Text...))
		}
	}
	lines = append(lines, f.sectionRule("events", "e all"))
	for _, e := range f.Events[len(f.Events)-events:] {
		lines = append(lines, f.event(&e))
	}
	return lines
}

// sectionRule is a rule with a title and what leads to the rest.
func (f *frame) sectionRule(title, more string) line {
	var l line
	l.add(Rule, "─ ").add(Muted, title).add(Normal, " ")
	l.rule(f.width - 2 - widthOf(more))
	return *l.add(Muted, " "+more)
}

// event is one Event on one line.
func (f *frame) event(e *Event) line {
	var l line
	mark, role := " ", Normal
	if e.Warning {
		mark, role = "!", Warn
	}
	l.add(Muted, " "+e.At.Format("15:04:05")+" ").add(role, mark+" ")
	reason := e.Reason
	if e.Count > 1 {
		reason += " ×" + itoa(e.Count)
	}
	object := 15
	if f.width >= 115 {
		object = 26
	}
	if widthOf(reason) > 14 && widthOf(e.Object) < object {
		l.add(role, reason+" ").cell(Normal, middle(e.Object, object), max(object+15-widthOf(reason)-1, 1))
	} else {
		l.cell(role, reason, 15).add(Normal, " ").cell(Normal, middle(e.Object, object), object)
	}
	return *l.add(Normal, cut("  "+cmp.Or(e.Short, e.Message), f.width-l.width))
}

// topServices are the Services above the list, failing ones first.
func (f *frame) topServices() []line {
	most := 3
	switch {
	case f.small():
		most = 1
	case f.height >= 36:
		most = 8
	}
	services := f.servicesInOrder()
	if len(services) == 0 {
		return nil
	}
	shown := services[:min(most, len(services))]
	names, addresses := 0, 0
	for _, s := range shown {
		names, addresses = max(names, widthOf(s.Name)), max(addresses, widthOf(s.Address))
	}
	names = min(names, max(f.width/4, 8))
	var lines []line
	for _, s := range shown {
		lines = append(lines, f.service(s, names, addresses))
	}
	if left := len(services) - len(shown); left > 0 && !f.small() {
		last := &lines[len(lines)-1]
		last.right(f.width, plain(Muted, "s "+itoa(left)+" more"))
	}
	return lines
}

// servicesInOrder puts those first that have too few Pods.
func (f *frame) servicesInOrder() []*Service {
	var failing, well []*Service
	for i := range f.Services {
		if s := &f.Services[i]; s.Ready < s.Total || s.Total == 0 {
			failing = append(failing, s)
		} else {
			well = append(well, s)
		}
	}
	return append(failing, well...)
}

func (s *Service) sign() (string, Role) {
	switch {
	case s.Total == 0 || s.Ready == 0:
		return "✖", Bad
	case s.Ready < s.Total:
		return "◐", Warn
	}
	return "●", Ok
}

func (f *frame) service(s *Service, names, addresses int) line {
	sign, role := s.sign()
	var l line
	l.add(Normal, "  ").cell(Normal, middle(s.Name, names), names).add(Normal, "  ").cell(Accent, s.Address, addresses)
	l.add(role, "  "+sign+" "+itoa(s.Ready)+"/"+itoa(s.Total))
	if f.width >= smallWidth {
		l.add(role, " ready")
	}
	rest := []string{s.Rate, s.Lost}
	if s.Ready == 0 {
		rest = []string{"no ready Pod: requests are refused"}
	}
	if s.Also != "" {
		rest = append(rest, "also "+s.Also)
	}
	for _, text := range rest {
		if text != "" && l.width+2+min(widthOf(text), 12) <= f.width {
			l.add(Muted, cut("  "+text, f.width-l.width))
		}
	}
	return l
}
