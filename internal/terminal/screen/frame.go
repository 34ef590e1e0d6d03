package screen

import (
	"strings"
	"unicode/utf8"

	"github.com/probity-run/probity/internal/diagnosis"
)

const (
	// smallHeight and smallWidth are those of windows that have no room for headlines.
	smallHeight, smallWidth = 20, 60
	// tinyHeight and tinyWidth are those of windows that have room for a list only.
	tinyHeight, tinyWidth = 8, 30
)

// frame is what a picture is made of.
type frame struct {
	*State
	v             *View
	width, height int
	theme         *Theme
}

// Frame is the picture of a state in a window: at most height lines of at most width columns. What
// the person chose is brought up to date with the state: a Pod that went is not selected any more.
func (v *View) Frame(s *State, width, height int, theme Theme) string {
	f := &frame{State: s, v: v, width: max(width, 1), height: max(height, 1), theme: &theme}
	list := v.order(s)
	at := v.selectIn(list)
	var lines []line
	switch page := v.page(); {
	case f.height < tinyHeight || f.width < tinyWidth:
		lines = f.tiny(list)
	case page == Pods:
		lines = f.pods(list, at)
	case page == DetailsPage:
		lines = f.scrolled(f.crumbs(f.podName()), f.details(), "↑↓ scroll  l logs  p probe in full  v env  r restart  o out  ? keys  Esc back", f.detailsRest)
	case page == LogsPage:
		lines = f.logs()
	case page == EventsPage:
		lines = f.scrolledFromEnd(f.crumbs("Events"), f.allEvents(), "↑↓ scroll  End newest  ? keys  Esc back")
	case page == ServicesPage:
		lines = f.scrolled(f.crumbs("Services"), f.allServices(), "↑↓ select  y copy address  ? keys  Esc back", nil)
	case page == NoticesPage:
		lines = f.scrolled(f.crumbs("Notices"), f.allNotices(), "↑↓ scroll  x hides the first  ? keys  Esc back", nil)
	default:
		lines = f.scrolled(f.crumbs("Keys"), f.help(), "Esc back  ↑↓ scroll", nil)
	}
	if len(lines) > f.height {
		lines = lines[:f.height]
	}
	return render(lines, f.width, &theme)
}

func (f *frame) small() bool { return f.height < smallHeight || f.width < smallWidth }

func (f *frame) podName() string {
	if p := f.v.pod(f.State); p != nil {
		return p.Name
	}
	return "the Pod is gone"
}

// counts are how many Pods are ready, how many could be, which those are not that have done their
// work, and how many need attention.
func (s *State) counts() (ready, all, attention int) {
	for i := range s.Pods {
		d := &s.Pods[i].Diagnosis
		if d.State != diagnosis.Complete {
			all++
		}
		if d.State == diagnosis.Ready {
			ready++
		}
		if d.Attention {
			attention++
		}
	}
	return ready, all, attention
}

// summary is the state of everything in a sign and a few words.
func (s *State) summary() (sign string, role Role, ready, attention string) {
	r, all, bad := s.counts()
	ready = itoa(r) + "/" + itoa(all) + " ready"
	switch {
	case bad > 0:
		attention = itoa(bad) + " need attention"
		if bad == 1 {
			attention = "1 needs attention"
		}
		return "◐", Bad, ready, attention
	case r < all || len(s.Pods) == 0:
		return "◌", Wait, ready, ""
	}
	return "●", Ok, ready, ""
}

// header is the first line: what runs, how it is, what time it is. What there is no room for is
// left out, the least important first.
func (f *frame) header() line {
	sign, role, ready, attention := f.summary()
	var left line
	left.add(Accent, "probity")
	for _, with := range [][2]bool{{true, true}, {true, false}, {false, false}} {
		var right line
		right.add(role, sign+" ")
		if attention != "" && with[0] {
			right.add(role, attention+"  ")
		}
		right.add(role, ready)
		if with[1] {
			right.add(Muted, "  up "+diagnosis.Age(f.Now.Sub(f.Started)))
		}
		right.add(Muted, "  "+f.Now.Format("15:04:05"))
		room := f.width - right.width - left.width - 4
		if room < 4 && (with[0] || with[1]) {
			continue
		}
		if room >= 4 {
			left.add(Normal, "  "+cut(f.Title, room))
		}
		return *left.right(f.width, right)
	}
	return left
}

// crumbs are the first line of a page that is not the first one.
func (f *frame) crumbs(names ...string) line {
	sign, role, ready, _ := f.summary()
	var right line
	right.add(role, sign+" "+ready).add(Muted, "  "+f.Now.Format("15:04:05"))
	var l line
	l.add(Accent, "probity")
	room := f.width - l.width - right.width - 2
	for _, name := range names {
		name = middle(name, max(room-3, 8))
		l.add(Muted, " › ").add(Normal, name)
		room -= 3 + widthOf(name)
	}
	return *l.right(f.width, right)
}

// keyLine is the last line: a question, what is typed, what the last key did, or the keys.
func (f *frame) keyLine(keys string) line {
	v := f.v
	var l line
	l.add(Normal, " ")
	switch {
	case v.asks.key != "":
		answers := "  " + v.asks.key + " yes · Esc no"
		if v.asks.key == suspendKey {
			answers = " · Esc no"
		}
		return *l.bold(Warn, v.asks.text(max(f.width-1-widthOf(answers), 1))+answers)
	case f.Stopping != nil:
		return *l.bold(Warn, cut(f.Stopping.text(), f.width-1))
	case v.typing && v.page() == LogsPage:
		return f.typed(v.log.search, "⏎ searches · Esc leaves it")
	case v.page() == Pods && (v.typing || v.filter != ""):
		shown := 0
		for i := range f.Pods {
			if matches(&f.Pods[i], v.filter) {
				shown++
			}
		}
		return f.typed(v.filter, itoa(shown)+" of "+itoa(len(f.Pods))+" Pods shown · Esc clears")
	case v.said != "":
		return *l.add(Accent, cut(v.said, f.width-1))
	}
	return f.keys(keys)
}

// typed is a text that is being typed, of which the end is always seen, and what follows from it.
func (f *frame) typed(text, remark string) line {
	room := f.width - 2
	if left := room - 3 - widthOf(remark); widthOf(text) <= left || left > room/2 {
		room = left
	} else {
		remark = ""
	}
	for widthOf(text) > max(room, 1) {
		_, size := utf8.DecodeRuneInString(text)
		text = text[size:]
	}
	var l line
	l.add(Normal, " ").add(Accent, "/"+text)
	if remark != "" {
		l.add(Muted, "   "+remark)
	}
	return l
}

func (s *Stopping) text() string {
	text := "Stopping: " + itoa(s.Left) + " of " + itoa(s.Pods) + " Pods left"
	if s.InFlight > 0 {
		text += ", " + itoa(s.InFlight) + " requests in flight"
	}
	return text + ". K kills them now"
}

// keys are keys and what they do, as many as there is room for. "? keys" and what follows it stay.
func (f *frame) keys(text string) line {
	hints := strings.Split(text, "  ")
	end := len(hints)
	for i, h := range hints {
		if strings.HasPrefix(h, "? ") {
			end = i
		}
	}
	width := func() int {
		n := 0
		for _, h := range hints {
			n += widthOf(h) + 2
		}
		return n
	}
	for end > 0 && width() > f.width {
		end--
		hints = append(hints[:end:end], hints[end+1:]...)
	}
	var l line
	for i, h := range hints {
		key, what, _ := strings.Cut(h, " ")
		if f.theme.ascii && key == "⏎" {
			key = "Enter"
		}
		l.add(Normal, strings.Repeat(" ", min(i+1, 2))).bold(Normal, key).add(Muted, " "+what)
	}
	return l
}

// scrolled is a page of lines that scrolls. rest names what is below, if it is not nil.
func (f *frame) scrolled(head line, lines []line, keys string, rest func(from int) string) []line {
	room := f.height - 2
	f.v.room = room
	f.v.offset = min(max(f.v.offset, 0), max(len(lines)-room, 0))
	shown := lines[f.v.offset:]
	page := []line{head}
	if len(shown) > room {
		more := len(shown) - room + 1
		text := " ↓ " + itoa(more) + " more lines"
		if rest != nil {
			if what := rest(f.v.offset + room - 1); what != "" {
				text += ": " + what
			}
		}
		shown = append(shown[:room-1:room-1], plain(Muted, cut(text, f.width)))
	}
	page = append(page, shown...)
	return append(f.fill(page, f.height-1), f.keyLine(keys))
}

// scrolledFromEnd is a page of lines whose newest is at the end, which is shown first.
func (f *frame) scrolledFromEnd(head line, lines []line, keys string) []line {
	room := f.height - 2
	f.v.room = room
	most := max(len(lines)-room, 0)
	f.v.offset = min(max(f.v.offset, -most), 0)
	from := most + f.v.offset
	page := append([]line{head}, lines[from:min(from+room, len(lines))]...)
	return append(f.fill(page, f.height-1), f.keyLine(keys))
}

// fill adds empty lines up to a height.
func (f *frame) fill(lines []line, height int) []line {
	for len(lines) < height {
		lines = append(lines, line{})
	}
	return lines
}

// tiny is for a window of a few words: how many are ready, and each failing Pod with its reason.
func (f *frame) tiny(list []*Pod) []line {
	sign, role, ready, attention := f.summary()
	text := ready
	if attention != "" {
		text += ", " + attention
	}
	lines := []line{plain(role, sign+" "+text)}
	if f.v.asks.key != "" || f.Stopping != nil {
		lines = append(lines, f.keyLine(""))
	}
	for _, p := range list {
		if p.Diagnosis.Attention {
			mark, role := stateMark(p.Diagnosis.State)
			lines = append(lines, plain(role, mark+" "+middle(p.Name, f.width-2)), plain(Normal, cut("  "+p.Diagnosis.Reason, f.width)))
		}
	}
	return lines
}
