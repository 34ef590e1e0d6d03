package screen

import (
	"strings"
	"testing"
	"time"
)

// press sends keys and returns the last action.
func press(v *View, s *State, keys ...string) (a Action) {
	v.Frame(s, 80, 24, Plain())
	for _, key := range keys {
		a = v.Key(s, key)
		v.Frame(s, 80, 24, Plain())
	}
	return a
}

func TestKeys(t *testing.T) {
	first := hung(3).Pods[0]
	for name, test := range map[string]struct {
		keys   []string
		action Action
		shows  string // in the frame after it
	}{
		"the first failing Pod is selected": {nil, Action{}, "▌◐ Not ready calculator-7d9c6b5…-pz4vd"},
		"down":                              {[]string{"down"}, Action{}, "▌● Ready     calculator-7d9c6b5…-g9bts"},
		"end and up":                        {[]string{"G", "k"}, Action{}, "▌● Ready     calculator-7d9c6b5…-g9bts"},
		"details":                           {[]string{"enter"}, Action{}, "probity › calculator-7d9c6b5f4-pz4vd"},
		"attempts":                          {[]string{"enter"}, Action{}, "liveness  □ timeout"},
		"secrets are hidden":                {[]string{"enter", "end"}, Action{}, "DB_URL                    ••••••••"},
		"secrets":                           {[]string{"enter", "v", "end"}, Action{}, "postgres://secret"},
		"an exchange in full":               {[]string{"enter", "p", "down", "down", "down", "down", "down", "down", "down", "down"}, Action{}, "xxxxx"},
		"back":                              {[]string{"enter", "esc"}, Action{}, "▌◐ Not ready"},
		"q goes back":                       {[]string{"enter", "q"}, Action{}, "▌◐ Not ready"},
		"q asks at the top":                 {[]string{"q"}, Action{}, "Stop 3 Pods?  q yes · Esc no"},
		"q is sure":                         {[]string{"q", "q"}, Action{Kind: StopAll}, "q stop"},
		"q is not sure":                     {[]string{"q", "esc"}, Action{}, "q stop"},
		"another key is a no":               {[]string{"q", "j"}, Action{}, "q stop"},
		"Ctrl-C does not ask":               {[]string{"enter", "ctrl+c"}, Action{Kind: Interrupt}, "calculator"},
		"Ctrl-C while a question is open":   {[]string{"q", "ctrl+c"}, Action{Kind: Interrupt}, "q stop"},
		"Ctrl-C while a filter is typed":    {[]string{"/", "ctrl+c"}, Action{Kind: Interrupt}, "calculator"},
		"Ctrl-Z asks":                       {[]string{"ctrl+z"}, Action{}, "Probes and Services stand still until fg"},
		"Ctrl-Z again":                      {[]string{"ctrl+z", "ctrl+z"}, Action{Kind: Suspend}, "q stop"},
		"restart asks":                      {[]string{"r"}, Action{}, "2 of 3 replicas stay"},
		"restart":                           {[]string{"r", "r"}, Action{Kind: Restart, Pod: first.ID}, "q stop"},
		"restart by y":                      {[]string{"r", "y"}, Action{Kind: Restart, Pod: first.ID}, "q stop"},
		"delete":                            {[]string{"d", "enter"}, Action{Kind: Delete, Pod: first.ID}, "q stop"},
		"out of rotation":                   {[]string{"o", "o"}, Action{Kind: TakeOut, Pod: first.ID}, "q stop"},
		"copy":                              {[]string{"y"}, Action{Kind: Copy, Text: first.Name}, "copied " + first.Name},
		"copy an address":                   {[]string{"s", "y"}, Action{Kind: Copy, Text: "127.80.3.17:80"}, "copied 127.80.3.17:80"},
		"events":                            {[]string{"e"}, Action{}, "probity › Events"},
		"services":                          {[]string{"s"}, Action{}, "calculator.default.svc.cluster.local"},
		"help":                              {[]string{"?"}, Action{}, "Ctrl-Z       suspend Probity (asks)"},
		"notices":                           {[]string{"n"}, Action{}, "probity › Notices"},
		"filter":                            {[]string{"/", "g", "9"}, Action{}, "/g9   1 of 3 Pods shown · Esc clears"},
		"filter by word":                    {[]string{"/", "N", "o", "t", "space", "r"}, Action{}, "1 of 3 Pods shown"},
		"filter by reason":                  {[]string{"/", "l", "i", "v", "e", "z"}, Action{}, "1 of 3 Pods shown"},
		"filter with a mistake":             {[]string{"/", "g", "x", "backspace", "9"}, Action{}, "/g9   1 of 3"},
		"filter cleared":                    {[]string{"/", "g", "9", "enter", "esc"}, Action{}, "q stop"},
		"by workload":                       {[]string{"t"}, Action{}, "by workload"},
		"clicks":                            {[]string{"m"}, Action{}, "clicks on"},
		"esc and a key in one piece":        {[]string{"enter", "alt+q"}, Action{}, "Stop 3 Pods?"},
		"logs":                              {[]string{"l"}, Action{}, "following  instance 3, running  p previous (exit 0)  probes on  wrap on"},
		"logs without probes":               {[]string{"l", "b"}, Action{}, "probes off"},
		"logs unwrapped":                    {[]string{"l", "w"}, Action{}, "wrap off"},
		"logs paused":                       {[]string{"l", "up"}, Action{}, "paused f follows"},
		"logs from the start":               {[]string{"l", "g"}, Action{}, "line 0:"},
		"logs followed again":               {[]string{"l", "g", "G"}, Action{}, "following"},
		"logs searched":                     {[]string{"l", "/", "l", "i", "n", "e", "space", "7", "enter"}, Action{}, "line 7:"},
		"what is searched for":              {[]string{"l", "/", "z", "z", "enter"}, Action{}, "following  /zz  instance 3, running  p previous (exit 0)"},
		"a second match":                    {[]string{"l", "/", "l", "i", "n", "e", "space", "7", "enter", "n"}, Action{}, "no more matches of /line 7"},
		"a log saved":                       {[]string{"l", "S"}, Action{Kind: SaveLog, Pod: first.ID}, "logs"},
	} {
		t.Run(name, func(t *testing.T) {
			s, v := full(hung(3)), &View{}
			if got := press(v, s, test.keys...); got != test.action {
				t.Errorf("action %+v, want %+v", got, test.action)
			}
			if frame := stripAll(v.Frame(s, 80, 24, Plain())); !strings.Contains(frame, test.shows) {
				t.Errorf("%q is not in\n%s", test.shows, frame)
			}
		})
	}
}

func stripAll(frame string) string { return escapes.ReplaceAllString(frame, "") }

// TestSelection: it is a Pod, whatever becomes of the lines; if that goes, its neighbour.
func TestSelection(t *testing.T) {
	s, v := hung(3), &View{}
	press(v, s, "down")
	chosen := v.selected
	s.Pods[0].Diagnosis.Attention = false // it moves to its place by name: behind
	v.Frame(s, 80, 24, Plain())
	if v.selected != chosen {
		t.Errorf("selected %s, want %s", v.selected, chosen)
	}
	list := v.order(s)
	next := list[1].ID
	for i := range s.Pods {
		if s.Pods[i].ID == chosen {
			s.Pods = append(s.Pods[:i], s.Pods[i+1:]...)
			break
		}
	}
	v.Frame(s, 80, 24, Plain())
	if v.selected != next {
		t.Errorf("after its end %s is selected, want its neighbour %s", v.selected, next)
	}
	s.Pods = nil
	if frame := v.Frame(s, 80, 24, Plain()); v.selected != "" || frame == "" {
		t.Errorf("selected %q of none", v.selected)
	}
}

// TestOrder: a Pod that needs attention comes first at once, and stays there for ten seconds.
func TestOrder(t *testing.T) {
	s, v := hung(3), &View{}
	s.Pods[0].Diagnosis.Attention, s.Pods[0].Attended = false, s.Now.Add(-9*time.Second)
	if first := v.order(s)[0].ID; first != s.Pods[0].ID {
		t.Errorf("after 9 s %s is first", first)
	}
	s.Now = s.Now.Add(2 * time.Second)
	if first := v.order(s)[0].ID; first == s.Pods[0].ID {
		t.Errorf("after 11 s %s is still first", first)
	}
	s.Pods[2].Diagnosis.Attention = true
	if first := v.order(s)[0].ID; first != s.Pods[2].ID {
		t.Errorf("%s is first, not the one that fails", first)
	}
	v.byWorkload = true
	if first := v.order(s)[0].Name; first != "calculator-7d9c6b5f4-g9bts" {
		t.Errorf("by workload %s is first", first)
	}
}

// TestNotices: what was refused comes first, is hidden by x, and comes back when it is said anew.
func TestNotices(t *testing.T) {
	s, v := hung(1), &View{}
	s.Notices = []Notice{{ID: "a", Text: "not applied here", Role: Muted}, {ID: "b", Text: "refused", Role: Bad}}
	press(v, s, "x")
	if shown := v.notices(s); len(shown) != 1 || shown[0].ID != "a" {
		t.Errorf("shown after x: %v", shown)
	}
	s.Notices = append(s.Notices, Notice{ID: "c", Text: "refused", Role: Bad})
	if shown := v.notices(s); len(shown) != 2 || shown[0].ID != "c" {
		t.Errorf("shown after another refusal: %v", shown)
	}
}

// TestStrip: the worst of a slot wins, and borders stand still while time goes on.
func TestStrip(t *testing.T) {
	var s Strip
	s.Add(noon, Answered2)
	s.Add(noon.Add(time.Second), Failed)
	s.Add(noon.Add(time.Second), Answered7)
	s.Add(noon.Add(-20*time.Minute), TimedOut) // too old
	if cells := s.cells(noon, 60); cells[59] != Failed || cells[58] != NoAttempt {
		t.Errorf("newest cells %v", cells[55:])
	}
	for second := range 300 {
		cells := s.cells(noon.Add(time.Duration(second)*time.Second), 20)
		found := 0
		for _, c := range cells {
			if c == Failed {
				found++
			}
		}
		if found != 1 && second < 285 {
			t.Fatalf("after %d s there are %d failed cells: %v", second, found, cells)
		}
	}
	for share, want := range map[time.Duration]Slot{20: Answered1, 50: Answered2, 100: Answered3, 200: Answered4, 400: Answered5, 700: Answered6, 999: Answered7} {
		if got := Answered(share*time.Millisecond, time.Second); got != want {
			t.Errorf("an answer after %d ms of a second: %v, want %v", share, got, want)
		}
	}
}

// TestQuestion: a question says what stays as long as there is room for it and for a name by which
// the Pod is known, and is never wider than that.
func TestQuestion(t *testing.T) {
	q := question{key: "o", ask: "Take %s out of rotation?", name: "calculator-7d9c6b5f4-pz4vd", rest: "2 of 3 replicas stay"}
	for room, want := range map[int]string{
		80: "Take calculator-7d9c6b5f4-pz4vd out of rotation? 2 of 3 replicas stay",
		62: "Take calculator-7…-pz4vd out of rotation? 2 of 3 replicas stay",
		50: "Take calculator-7d9c6b5f4-pz4vd out of rotation?",
		36: "Take calcula…-pz4vd out of rotation?",
		20: "Take cal… out of ro…",
	} {
		got := q.text(room)
		if widthOf(got) > room {
			t.Errorf("%q is wider than %d columns", got, room)
		}
		if got != want {
			t.Errorf("in %d columns %q, want %q", room, got, want)
		}
	}
}

// TestTypedText: of a long text the end is seen while it is typed, and it never is too wide.
func TestTypedText(t *testing.T) {
	for _, size := range sizes {
		s, v := full(hung(3)), &View{}
		press(v, s, "/")
		for i := range 100 {
			press(v, s, "数", itoa(i%10))
		}
		lines := linesOf(v, s, size[0], size[1])
		last := strings.TrimRight(lines[len(lines)-1], " ")
		if !strings.Contains(last, "数8数9") || widthOf(last) > size[0] {
			t.Errorf("at %d columns the last line is %q", size[0], last)
		}
	}
}

// TestSuspendQuestion: at every size it says which key suspends.
func TestSuspendQuestion(t *testing.T) {
	for _, size := range sizes {
		s, v := hung(3), &View{}
		press(v, s, "ctrl+z")
		lines := linesOf(v, s, size[0], size[1])
		if last := lines[len(lines)-1]; !strings.Contains(last, "Ctrl-Z again suspends") {
			t.Errorf("at %d columns the last line is %q", size[0], last)
		}
	}
}
