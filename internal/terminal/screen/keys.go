package screen

import (
	"unicode/utf8"

	"github.com/probity-run/probity/internal/diagnosis"
)

// Action is what a key asks for beyond what is shown.
type Action struct {
	Kind ActionKind
	Pod  string // the ID
	Text string // what to copy
}

// ActionKind is what to do.
type ActionKind int

// The actions.
const (
	Nothing   ActionKind = iota
	StopAll              // delete every Pod with its grace period
	Interrupt            // what SIGINT does: stop, and kill if it is asked for again
	KillAll              // kill every process now
	Suspend              // stop Probity itself until SIGCONT
	Restart              // the containers of the Pod
	Delete               // the Pod
	TakeOut              // the Pod gets no requests
	BringBack            // it gets requests again
	Copy                 // Text to the clipboard
	SaveLog              // of the Pod
)

// suspendKey and interruptKey come as keys because a terminal in raw mode sends no signals.
const (
	suspendKey   = "ctrl+z"
	interruptKey = "ctrl+c"
)

// Key does what a key asks for, in the notation of bubbletea ("up", "ctrl+c", "G"), and returns
// what is to be done outside.
func (v *View) Key(s *State, key string) Action {
	v.said = ""
	// a terminal that sends ESC and the next key in one piece: tmux, or a slow connection
	if rest, ok := cutAlt(key); ok {
		if a := v.Key(s, "esc"); a.Kind != Nothing {
			return a
		}
		key = rest
	}
	if key == interruptKey {
		v.asks = question{}
		return Action{Kind: Interrupt}
	}
	if v.asks.text != "" {
		return v.answer(key)
	}
	if v.typing {
		v.typed(s, key)
		return Action{}
	}
	if s.Stopping != nil && key == "K" {
		return Action{Kind: KillAll}
	}
	if key == suspendKey {
		v.asks = question{suspendKey, "Probes and Services stand still until fg. Ctrl-Z again suspends", Action{Kind: Suspend}}
		return Action{}
	}
	if v.page() == LogsPage {
		if a, done := v.logKey(s, key); done {
			return a
		}
	}
	if v.move(s, key) {
		return Action{}
	}
	if v.navigate(s, key) {
		return Action{}
	}
	return v.act(s, key)
}

func cutAlt(key string) (rest string, ok bool) {
	const prefix = "alt+"
	if len(key) > len(prefix) && key[:len(prefix)] == prefix {
		return key[len(prefix):], true
	}
	return key, false
}

// answer takes the answer to a question: the same key once more, y or Enter mean yes.
func (v *View) answer(key string) Action {
	asked := v.asks
	v.asks = question{}
	if key == asked.key || key == "y" && asked.key != suspendKey || key == "enter" && asked.key != suspendKey {
		return asked.action
	}
	return Action{}
}

// typed takes a key of a text that is being typed.
func (v *View) typed(s *State, key string) {
	text := &v.filter
	if v.page() == LogsPage {
		text = &v.log.search
	}
	switch key {
	case "esc":
		*text, v.typing = "", false
	case "enter":
		v.typing = false
		if v.page() == LogsPage {
			v.searchIn(s.Log, false)
		}
	case "backspace":
		_, size := utf8.DecodeLastRuneInString(*text)
		*text = (*text)[:len(*text)-size]
	case "space":
		*text += " "
	case "up", "down":
		v.move(s, key)
	default:
		if utf8.RuneCountInString(key) == 1 && widthOf(key) > 0 {
			*text += key
		}
	}
}

// steps are how far keys move: lines, or pages if they are as large as that.
func (v *View) step(key string) (n int, ok bool) {
	const far = 1 << 20
	switch key {
	case "up", "k":
		return -1, true
	case "down", "j":
		return 1, true
	case "pgup":
		return -max(v.room-1, 1), true
	case "pgdown":
		return max(v.room-1, 1), true
	case "home", "g":
		return -far, true
	case "end", "G":
		return far, true
	}
	return 0, false
}

func (v *View) move(s *State, key string) bool {
	n, ok := v.step(key)
	if !ok {
		return false
	}
	switch v.page() {
	case Pods:
		list := v.order(s)
		at := v.selectIn(list)
		if at >= 0 {
			at = min(max(at+n, 0), len(list)-1)
			v.selected, v.index, v.moved = list[at].ID, at, true
		}
	case LogsPage:
		v.moveLog(s.Log, n)
	case ServicesPage:
		v.service = min(max(v.service+n, 0), max(len(s.Services)-1, 0))
		v.offset += n
	default:
		v.offset += n
	}
	return true
}

func (v *View) moveLog(log *Log, n int) {
	if log == nil {
		return
	}
	list := v.visible(log)
	if len(list) == 0 {
		return
	}
	at := len(list) - 1
	for i, l := range list {
		if l.Seq >= v.log.top {
			at = i
			break
		}
	}
	atEnd := v.log.bottom >= list[len(list)-1].Seq
	if n > 0 && (v.log.following || atEnd) {
		v.log.following = true
		return
	}
	v.log.following = false
	v.log.top = list[min(max(at+n, 0), len(list)-1)].Seq
	if at+n >= len(list) {
		v.log.following = true
	}
}

// navigate opens and leaves pages.
func (v *View) navigate(s *State, key string) bool {
	switch key {
	case "enter":
		if v.page() == Pods && v.selected != "" {
			v.moved = true
			v.open(DetailsPage)
		}
	case "l":
		if v.selected != "" {
			v.moved = true
			v.open(LogsPage)
		}
	case "e":
		v.open(EventsPage)
	case "s":
		v.open(ServicesPage)
	case "n":
		v.open(NoticesPage)
	case "?":
		v.open(HelpPage)
	case "/":
		if v.page() == Pods || v.page() == LogsPage {
			v.typing = true
		}
	case "esc":
		v.escape()
	case "t":
		v.byWorkload = !v.byWorkload
		v.said = "failing Pods first"
		if v.byWorkload {
			v.said = "by workload"
		}
	case "m":
		v.mouse = !v.mouse
		v.said = "clicks " + onOff(v.mouse)
	case "v":
		v.secrets = !v.secrets
	case "p":
		v.exchange = !v.exchange
	case "x":
		v.hide(s)
	default:
		return false
	}
	return true
}

// escape clears what was chosen, the last thing first.
func (v *View) escape() {
	switch {
	case v.back():
	case v.filter != "":
		v.filter = ""
	default:
		v.moved = false
	}
}

// hide hides the first notice.
func (v *View) hide(s *State) {
	shown := v.notices(s)
	if len(shown) == 0 {
		return
	}
	if v.hidden == nil {
		v.hidden = map[string]bool{}
	}
	v.hidden[shown[0].ID] = true
}

// act does what changes something outside.
func (v *View) act(s *State, key string) Action {
	if key == "q" {
		if !v.back() {
			v.asks = question{"q", "Stop " + count(len(s.Pods), "Pod") + "?", Action{Kind: StopAll}}
		}
		return Action{}
	}
	if key == "y" && v.page() == ServicesPage {
		if services := (&frame{State: s}).servicesInOrder(); v.service < len(services) {
			return v.copy(services[v.service].Address)
		}
		return Action{}
	}
	p := v.pod(s)
	if p == nil {
		return Action{}
	}
	switch key {
	case "y":
		return v.copy(p.Name)
	case "r":
		v.asks = question{"r", "Restart " + middle(p.Name, 24) + "? " + siblings(s, p), Action{Kind: Restart, Pod: p.ID}}
	case "d":
		v.asks = question{"d", "Delete " + middle(p.Name, 24) + "? " + siblings(s, p), Action{Kind: Delete, Pod: p.ID}}
	case "o":
		if p.Diagnosis.State == diagnosis.Out {
			return Action{Kind: BringBack, Pod: p.ID}
		}
		v.asks = question{"o", "Take " + middle(p.Name, 24) + " out of rotation? " + siblings(s, p), Action{Kind: TakeOut, Pod: p.ID}}
	}
	return Action{}
}

func (v *View) copy(text string) Action {
	v.said = "copied " + text
	return Action{Kind: Copy, Text: text}
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return itoa(n) + " " + what + "s"
}

// logKey takes the keys of the log page.
func (v *View) logKey(s *State, key string) (Action, bool) {
	log := &v.log
	switch key {
	case "f":
		log.following = !log.following
	case "w":
		log.wrap = !log.wrap
	case "t":
		log.noTime = !log.noTime
	case "b":
		log.probes = !log.probes
	case "p":
		log.previous, log.following, log.all = !log.previous, true, false
	case "a":
		log.all, log.following, log.previous = !log.all, true, false
	case "n":
		v.searchIn(s.Log, true)
	case "N":
		v.searchIn(s.Log, false)
	case "S":
		return Action{Kind: SaveLog, Pod: v.selected}, true
	case "esc":
		if log.search == "" {
			return Action{}, false
		}
		log.search = ""
	case "enter", "l", "s", "e", "x", "v", "m":
		return Action{}, key == "enter" || key == "l"
	default:
		return Action{}, false
	}
	return Action{}, true
}

// Click selects the Pod in a row of the list, if clicks are on.
func (v *View) Click(s *State, row int) {
	if v.page() != Pods || row < 0 || row >= len(v.clickable) || v.clickable[row] == "" {
		return
	}
	v.selected, v.moved = v.clickable[row], true
}
