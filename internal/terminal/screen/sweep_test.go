package screen

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// hostileText is what others may write, as it is after it was cleaned: wide letters, marks, long
// words.
const hostileText = `数据库不可用：连接被拒绝 👩👩👧 é e\u0301 ` + "e\u0301" + ` \u202eevil\u202c \u001b[2J aVeryLongWordThatHasNoSpaceInItAndGoesOnAndOnAndOnAndOnAndOnAndOn שלום`

// hostile is a state whose texts are as bad as they come.
func hostile() *State {
	s := hung(3)
	for i := range s.Pods {
		p := &s.Pods[i]
		p.Name = "计算器-" + strings.Repeat("名", i*20) + "-" + suffixes[i]
		d := &p.Diagnosis
		d.Reason, d.Why, d.So, d.Next, d.Check = hostileText, strings.Repeat(hostileText+" ", 8), hostileText, hostileText, "数据库不可用"
		p.At, p.Port, p.Took = hostileText, hostileText, hostileText
	}
	s.Title, s.Workloads[0].Name, s.Workloads[0].Rollout = hostileText, hostileText, hostileText
	s.Services[0].Name, s.Services[0].Address, s.Services[0].Also = hostileText, hostileText, hostileText
	s.Services[0].Ports, s.Services[0].Names = hostileText, hostileText
	s.Services[0].Endpoints[0].Note = hostileText
	for i := range s.Events {
		s.Events[i].Reason, s.Events[i].Object, s.Events[i].Message = hostileText, hostileText, hostileText
	}
	s.Notices = []Notice{{ID: "1", Role: Bad, Text: hostileText + hostileText}, {ID: "2", Role: Warn, Text: hostileText}, {ID: "3", Role: Muted, Text: hostileText}, {ID: "4", Role: Muted, Text: hostileText}}
	s.Output = []LogLine{{Text: []Span{{Text: hostileText, Role: Bad}}}}
	return s
}

// full adds what the pages of one Pod show.
func full(s *State) *State {
	id := ""
	if len(s.Pods) > 0 {
		id = s.Pods[0].ID
	}
	long := strings.Repeat("x", 300)
	s.Details = &Details{
		ID:     id,
		Probes: []Probe{{Name: "readiness", Strip: Strip{}, Counter: "1/1 out", Asks: "GET /readyz · every 2 s · timeout 1 s · out after 1 · back after 1", Failing: true}},
		Attempts: []Attempt{
			{At: noon, Probe: "liveness", Slot: TimedOut, Outcome: "timeout", Took: "1.00 s", Counter: "2/3", Text: "connected 0.1 ms, sent, no answer"},
			{At: noon, Probe: "readiness", Slot: Answered1, Outcome: "200", Took: "1.4 ms", Counter: "in", Text: hostileText},
		},
		Exchanged: "last liveness attempt", Exchange: []string{"> GET /livez HTTP/1.1", "> Host: 127.0.0.1:37123", "> User-Agent: kube-probe/1.36", "< nothing within 1 s", long, "a", "b", hostileText},
		History:     []Moment{{At: noon, Text: "Not ready: readiness timed out, out of service/calculator", Role: Bad}, {At: noon, Text: hostileText}},
		Facts:       [][2]string{{"address", "127.80.3.17"}, {"folder", hostileText}},
		Environment: []Variable{{Name: "PORT", Value: "37123"}, {Name: "DB_URL", Value: "postgres://secret", Secret: true, From: "Secret db, key url"}, {Name: hostileText, Value: long}},
	}
	s.Log = &Log{ID: id, Title: "instance 3, running", Previous: "exit 0"}
	for i := range 60 {
		l := LogLine{Seq: i, At: noon.Add(time.Duration(i-60) * time.Second), Text: []Span{{Text: fmt.Sprintf("line %d: ", i)}, {Text: hostileText, Role: Warn}}}
		switch i % 7 {
		case 1:
			l.Kind, l.Text = ProbePassed, []Span{{Text: "GET /livez 200 0.9 ms liveness 0/3", Role: Muted}}
		case 2:
			l.Kind, l.Text = ProbeFailed, []Span{{Text: "GET /livez timeout 1 s liveness 1/3", Role: Bad}}
		case 3:
			l.Kind, l.Text = InstanceEnds, []Span{{Text: "instance 2 ended 12:03:46: liveness failed, exit 0 on SIGTERM"}}
		case 4:
			l.From = "calculator-" + suffixes[i%len(suffixes)]
		}
		s.Log.Lines = append(s.Log.Lines, l)
	}
	return s
}

// everything are the states and the pages that a sweep looks at.
func everything() (states map[string]*State, views map[string]func(*State) *View) {
	states = map[string]*State{"nothing": {Now: noon, Started: noon}, "hostile": full(hostile())}
	for _, scene := range scenes() {
		states[scene.name] = full(scene.make(3))
	}
	many := full(hung(35))
	many.Stopping = &Stopping{Left: 2, Pods: 35, InFlight: 3}
	states["many"] = many
	views = map[string]func(*State) *View{"pods": func(*State) *View { return &View{} }}
	for name, keys := range map[string][]string{
		"details": {"enter", "p", "v", "down"}, "logs": {"l"}, "logs unwrapped": {"l", "w", "t", "up"}, "logs searched": {"l", "/", "l", "i", "enter"}, "events": {"e"}, "services": {"s", "down"},
		"notices": {"n"}, "help": {"?"}, "filter": {"/", "n", "o"}, "question": {"r"}, "by workload": {"t", "end"},
	} {
		views[name] = func(s *State) *View {
			v := &View{}
			v.Frame(s, 80, 24, Plain())
			for _, key := range keys {
				v.Key(s, key)
			}
			return v
		}
	}
	return states, views
}

// sweep draws everything in the windows of a step: no panic, no line wider than the window, no
// frame higher, nothing in it that a terminal obeys but SGR.
func sweep(t *testing.T, widths, heights []int) {
	states, views := everything()
	themes := []Theme{Dark(), Plain().ASCII()}
	for stateName, s := range states {
		for viewName, view := range views {
			v := view(s)
			for i, width := range widths {
				for _, height := range heights {
					theme := themes[(i+height)%2]
					checkFrame(t, fmt.Sprintf("%s, %s, %dx%d", stateName, viewName, width, height), v.Frame(s, width, height, theme), width, height)
				}
			}
		}
	}
}

func checkFrame(t *testing.T, name, frame string, width, height int) {
	t.Helper()
	lines := strings.Split(frame, "\n")
	if len(lines) > height {
		t.Errorf("%s: %d lines", name, len(lines))
	}
	for _, l := range lines {
		text := stripSGR(l)
		if w := widthOf(text); w > width {
			t.Errorf("%s: a line of %d columns: %q", name, w, text)
		}
		if strings.ContainsAny(text, "\x1b\r\t\x7f\u009b") {
			t.Errorf("%s: a line that a terminal obeys: %q", name, text)
		}
	}
}

// stripSGR is what escapes removes, without the cost of a regular expression.
func stripSGR(l string) string {
	if !strings.Contains(l, "\x1b[") {
		return l
	}
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(l, "\x1b[")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		codes, after, _ := strings.Cut(rest, "m")
		if strings.Trim(codes, "0123456789;") != "" {
			return b.String() + "\x1b[" + rest
		}
		l = after
	}
}

// TestSizes is a sample of all sizes; the tag sweep has all of them.
func TestSizes(t *testing.T) {
	sweep(t, []int{1, 3, 13, 29, 30, 40, 59, 60, 80, 100, 115, 150, 176, 210}, []int{1, 3, 7, 8, 11, 15, 19, 20, 24, 36, 60})
}
