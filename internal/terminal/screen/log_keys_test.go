package screen

import (
	"strings"
	"testing"
)

// longLog is a state whose log has more before and after what is loaded.
func longLog() (*State, *View) {
	s, v := full(hung(3)), &View{}
	s.Log.Older, s.Log.Newer = true, true
	return s, v
}

// TestLongLog: keys that lead out of what is loaded of a log ask for the rest; others do not.
func TestLongLog(t *testing.T) {
	for name, test := range map[string]struct {
		keys   []string
		action Action
	}{
		"up":                      {[]string{"l", "up"}, Action{}},
		"up at the beginning":     {[]string{"l", "f", "k*80"}, Action{Kind: OlderLog, Lines: -1}},
		"a page up":               {[]string{"l", "f", "pgup*8"}, Action{Kind: OlderLog, Lines: -20}},
		"to the first line":       {[]string{"l", "g"}, Action{Kind: OldestLog}},
		"down at the end":         {[]string{"l", "f", "down"}, Action{Kind: NewerLog, Lines: 1}},
		"to the end":              {[]string{"l", "f", "G"}, Action{}},
		"a match that is loaded":  {[]string{"l", "/", "l", "i", "n", "e", "space", "7", "enter"}, Action{}},
		"a match before it":       {[]string{"l", "/", "l", "i", "n", "e", "space", "7", "enter", "N"}, Action{Kind: SearchLog, Text: "line 7", Back: true, Probes: true}},
		"a match after it":        {[]string{"l", "/", "l", "i", "n", "e", "space", "7", "enter", "n*5"}, Action{Kind: SearchLog, Text: "line 7", Probes: true}},
		"a text that is nowhere":  {[]string{"l", "b", "/", "z", "z", "enter"}, Action{Kind: SearchLog, Text: "zz", Back: true}},
		"a text that was removed": {[]string{"l", "/", "z", "backspace", "enter"}, Action{}},
	} {
		t.Run(name, func(t *testing.T) {
			s, v := longLog()
			var keys []string
			for _, key := range test.keys {
				what, times, many := strings.Cut(key, "*")
				keys = append(keys, what)
				for n := 1; many && itoa(n) != times; n++ {
					keys = append(keys, what)
				}
			}
			if got := press(v, s, keys...); got != test.action {
				t.Errorf("action %+v, want %+v", got, test.action)
			}
		})
	}
}

// TestEndOfLongLog: G follows again, which loads the end.
func TestEndOfLongLog(t *testing.T) {
	s, v := longLog()
	press(v, s, "l", "f")
	if !v.Wants().Paused {
		t.Error("it is followed")
	}
	press(v, s, "G")
	if v.Wants().Paused {
		t.Error("it is not followed")
	}
}

// TestFirstSearch: what is on the screen is found first, not what is above it.
func TestFirstSearch(t *testing.T) {
	s, v := longLog()
	press(v, s, "l", "/", "l", "i", "n", "e", "enter")
	if last := s.Log.Lines[len(s.Log.Lines)-1].Seq; v.log.top < last-3 {
		t.Errorf("line %d is shown first, the last one is %d", v.log.top, last)
	}
}

// TestFoundInLog: what was found is the first line that is shown, also if lines before it are new.
func TestFoundInLog(t *testing.T) {
	s, v := longLog()
	press(v, s, "l", "/", "l", "i", "n", "e", "space", "7", "enter")
	first := s.Log.Lines[0].Seq
	v.FoundInLog(s.Log, first)
	frame := strings.Split(stripAll(v.Frame(s, 80, 24, Plain())), "\n")
	if !strings.Contains(frame[2], "line 7:") {
		t.Errorf("the first line is %q", frame[2])
	}
}
