package screen

import "strings"

func (f *frame) allEvents() []line {
	if len(f.Events) == 0 {
		return []line{{}, plain(Muted, "  No Events yet.")}
	}
	lines := make([]line, 0, len(f.Events))
	for i := range f.Events {
		e := f.Events[i]
		e.Short = "" // there is room for all of it
		short := f.event(&e)
		text := wrap(e.Message, max(f.width-4, 10))
		if widthOf(e.Message)+33 <= f.width || !e.Warning {
			lines = append(lines, short)
			continue
		}
		// of a Warning nothing is cut off, as its end often says what to do
		head := e
		head.Message = ""
		lines = append(lines, f.event(&head))
		for _, part := range text {
			lines = append(lines, plain(Normal, "   "+part))
		}
	}
	return lines
}

func (f *frame) allNotices() []line {
	shown := f.v.notices(f.State)
	if len(shown) == 0 {
		return []line{{}, plain(Muted, "  No notices.")}
	}
	var lines []line
	for _, n := range shown {
		for i, part := range wrap(n.Text, f.width-4) {
			mark := "   "
			if i == 0 {
				mark = " ! "
			}
			lines = append(lines, plain(n.Role, mark+part))
		}
	}
	return lines
}

// allServices are the Services in full, and the endpoints of the selected one.
func (f *frame) allServices() []line {
	services := f.servicesInOrder()
	if len(services) == 0 {
		return []line{{}, plain(Muted, "  The manifests have no Service.")}
	}
	f.v.service = min(max(f.v.service, 0), len(services)-1)
	var lines []line
	for i, s := range services {
		sign, role := s.sign()
		l := line{selected: i == f.v.service}
		mark := "  "
		if l.selected {
			mark = "▌ "
		}
		l.add(Accent, mark).bold(Normal, pad(middle(s.Name, 16), 18)).cell(Accent, s.Address, 20)
		l.add(role, sign+" "+itoa(s.Ready)+"/"+itoa(s.Total)+" ready")
		for _, text := range []string{s.Rate, s.Lost} {
			if text != "" {
				l.add(Muted, "  "+text)
			}
		}
		lines = append(lines, line{}, l)
		ports := s.Ports
		if s.Also != "" {
			ports += "   also " + s.Also
		}
		for _, fact := range [][2]string{{"ports", ports}, {"flight", "in flight " + itoa(s.InFlight) + "  waiting " + itoa(s.Waiting)}, {"names", s.Names}} {
			if strings.TrimSpace(fact[1]) != "" {
				lines = append(lines, *new(line).add(Muted, "    "+pad(fact[0], 8)).add(Normal, cut(fact[1], f.width-12)))
			}
		}
	}
	return append(lines, f.endpoints(services[f.v.service])...)
}

func (f *frame) endpoints(s *Service) []line {
	name := min(max(f.width-54, 14), 40)
	var head line
	head.add(Muted, "  ").cell(Muted, "ENDPOINT", 23).cell(Muted, "POD", name).number(Muted, "REQUESTS", 14).number(Muted, "FAILED", 8)
	lines := []line{{}, head}
	if len(s.Endpoints) == 0 {
		return append(lines, plain(Muted, cut("  No Pod is an endpoint of "+s.Name+" yet.", f.width)))
	}
	for _, e := range s.Endpoints {
		sign, role := "◐", Bad
		if e.Ready {
			sign, role = "●", Ok
		}
		var l line
		l.add(role, " "+sign+" ").cell(Normal, e.Address, 22).cell(Normal, middle(e.Pod, name), name)
		l.number(Normal, utoa(e.Requests), 14).number(Normal, utoa(e.Failed), 8)
		if e.Note != "" {
			l.add(role, cut("  "+e.Note, f.width-l.width))
		}
		lines = append(lines, l)
	}
	return lines
}

func utoa(n uint64) string { return itoa(int(n)) } // as many as anyone counts to

// helpTexts are the keys and the marks, in two columns.
var helpLeft = [][2]string{
	{"", "Everywhere"}, {"↑ ↓ j k", "move"}, {"PgUp PgDn", "a page"}, {"Home End g G", "first, last"}, {"⏎", "open"}, {"Esc q", "back; q at the top stops"},
	{"/", "filter; Esc clears"}, {"?", "this list"}, {"Ctrl-Z", "suspend Probity (asks)"}, {"Ctrl-C", "stop all Pods"}, {"m", "clicks on and off"},
	{"", "Marks"}, {"● ◐ ◌", "Ready, Not ready, Starting"}, {"◷ ✖ ▼ ⊖", "Back-off Failed Stopping Out"}, {"▁ … ▇", "answered; tall = slow"},
	{"╳ □", "failed, timed out"}, {"◦ ! ?", "not yet, warning, no verdict"}, {"· ↻", "no attempt, restarted"},
}

var helpRight = [][2]string{
	{"", "A Pod"}, {"l", "logs"}, {"r", "restart its containers"}, {"o", "out of rotation, and back"}, {"d", "delete"}, {"y", "copy its name"},
	{"", "Lists"}, {"e", "Events"}, {"s", "Services"}, {"t", "by workload or failing first"}, {"x", "hide the notice"}, {"n", "all notices"},
	{"", "Logs"}, {"f w t b", "follow, wrap, time, probes"}, {"p a", "previous one, all replicas"}, {"/ n N", "search, next, last match"}, {"S", "save to a file"},
}

func (f *frame) help() []line {
	entry := func(l *line, e [2]string, keys, width int) {
		if e[0] == "" {
			l.bold(Normal, " "+pad(e[1], width-1))
			return
		}
		key := e[0]
		if f.theme.ascii {
			key = strings.ReplaceAll(key, "⏎", "Enter")
		}
		width = max(width-keys-2, 1)
		l.bold(Accent, "  "+pad(key, keys)).add(Normal, pad(cut(e[1], width), width))
	}
	var lines []line
	if f.width < 76 {
		for _, e := range append(append([][2]string{}, helpLeft...), helpRight...) {
			var l line
			entry(&l, e, 13, f.width)
			lines = append(lines, l)
		}
		return lines
	}
	for i := range max(len(helpLeft), len(helpRight)) {
		var l line
		if i < len(helpLeft) {
			entry(&l, helpLeft[i], 13, 44)
		}
		l.column(44)
		if i < len(helpRight) {
			entry(&l, helpRight[i], 8, f.width-44)
		}
		lines = append(lines, l)
	}
	return lines
}
