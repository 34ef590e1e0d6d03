package screen

import (
	"unicode/utf8"

	"github.com/probity-run/probity/internal/diagnosis"
)

// Action is what a key asks for beyond what is shown.
type Action struct {
	Kind  ActionKind
	Pod   string // the ID
	Text  string // what to copy, or to search for
	Lines int
	Back  bool
	// Probes says that a search finds attempts of probes, too.
	Probes bool
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
	OlderLog             // load lines before those that are loaded, then [View.MoveLog] by Lines
	NewerLog             // the same after them
	OldestLog            // load the first lines that are kept
	SearchLog            // for Text before what is loaded if Back is set, else after it; then [View.FoundInLog]
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
	if v.asks.key != "" {
		return v.answer(key)
	}
	if v.typing {
		return v.typed(s, key)
	}
	if s.Stopping != nil && key == "K" {
		return Action{Kind: KillAll}
	}
	if key == suspendKey {
		v.asks = question{key: suspendKey, ask: "Probes and Services stand still until fg. Ctrl-Z again suspends", short: "Ctrl-Z again suspends", action: Action{Kind: Suspend}}
		return Action{}
	}
	if v.page() == LogsPage {
		if a, done := v.logKey(s, key); done {
			return a
		}
	}
	if a, done := v.move(s, key); done {
		return a
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
func (v *View) typed(s *State, key string) Action {
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
			return v.searchIn(s.Log, true, v.log.bottom+1)
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
	return Action{}
}

// ToEnd is further than any list is long, as a number of lines.
const ToEnd = 1 << 20

// steps are how far keys move: lines, or pages if they are as large as that.
func (v *View) step(key string) (n int, ok bool) {
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
		return -ToEnd, true
	case "end", "G":
		return ToEnd, true
	}
	return 0, false
}

func (v *View) move(s *State, key string) (Action, bool) {
	n, ok := v.step(key)
	if !ok {
		return Action{}, false
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
		return v.moveLog(s.Log, n), true
	case ServicesPage:
		v.service = min(max(v.service+n, 0), max(len(s.Services)-1, 0))
		v.offset += n
	default:
		v.offset += n
	}
	return Action{}, true
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
			v.asks = question{key: "q", ask: "Stop " + count(len(s.Pods), "Pod") + "?", action: Action{Kind: StopAll}}
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
		v.asks = question{key: "r", ask: "Restart %s?", name: p.Name, rest: siblings(s, p), action: Action{Kind: Restart, Pod: p.ID}}
	case "d":
		v.asks = question{key: "d", ask: "Delete %s?", name: p.Name, rest: siblings(s, p), action: Action{Kind: Delete, Pod: p.ID}}
	case "o":
		if p.Diagnosis.State == diagnosis.Out {
			return Action{Kind: BringBack, Pod: p.ID}
		}
		v.asks = question{key: "o", ask: "Take %s out of rotation?", name: p.Name, rest: siblings(s, p), action: Action{Kind: TakeOut, Pod: p.ID}}
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

// Click selects the Pod in a row of the list, if clicks are on.
func (v *View) Click(s *State, row int) {
	if v.page() != Pods || row < 0 || row >= len(v.clickable) || v.clickable[row] == "" {
		return
	}
	v.selected, v.moved = v.clickable[row], true
}
