package live

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
)

// TestTerminalModes: what is set is set back, in a terminal whose keys are read and in one whose
// keys are not.
func TestTerminalModes(t *testing.T) {
	modes := map[string]string{
		"\x1b[?1049h": "\x1b[?1049l", "\x1b[?25l": "\x1b[?25h", "\x1b[?7l": "\x1b[?7h", "\x1b[?2004h": "\x1b[?2004l", "\x1b[?1007h": "\x1b[?1007l",
		"\x1b[?1002h": "\x1b[?1002l", "\x1b[?1006h": "\x1b[?1006l",
	}
	keys := map[string]string{"\x1b[>4;2m": "\x1b[>4m", "\x1b[>1u": "\x1b[<1u"}
	for name, reads := range map[string]bool{"keys are read": true, "keys are not read": false} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			w := &window{out: &out, settings: Settings{Environ: noVariable}}
			if reads {
				file, err := os.Open(os.DevNull) // which has no modes
				if err != nil {
					t.Fatal(err)
				}
				defer file.Close()
				w.keys = file
			}
			w.show("before", 80, colorprofile.TrueColor)
			if out.Len() > 0 {
				t.Errorf("a frame is written to a terminal that is not taken over: %q", out.String())
			}
			w.enter()
			w.setClicks(true)
			on := out.String()
			out.Reset()
			w.leave()
			off := out.String()
			for set, reset := range modes {
				if !strings.Contains(on, set) || !strings.Contains(off, reset) {
					t.Errorf("%q and %q are not in %q and %q", set, reset, on, off)
				}
			}
			for set, reset := range keys {
				if strings.Contains(on, set) != reads || strings.Contains(off, reset) != reads {
					t.Errorf("%q and %q in %q and %q", set, reset, on, off)
				}
			}
			if strings.Contains(on, askFrames) != reads {
				t.Errorf("the terminal is asked or not: %q", on)
			}
		})
	}
}

// TestShow: a terminal gets what it can show, and only what changed.
func TestShow(t *testing.T) {
	const frame = "\x1b[38;5;114mok\x1b[m"
	for name, test := range map[string]struct {
		profile colorprofile.Profile
		atOnce  bool
		want    string
	}{
		"all colours":         {colorprofile.TrueColor, false, clearAll + "\x1b[1;1H" + frame + clearLine},
		"256 colours":         {colorprofile.ANSI256, false, clearAll + "\x1b[1;1H" + frame + clearLine},
		"16 colours":          {colorprofile.ANSI, false, clearAll + "\x1b[1;1H\x1b[92mok\x1b[m" + clearLine},
		"no look at all":      {colorprofile.NoTTY, false, clearAll + "\x1b[1;1Hok" + clearLine},
		"not known yet":       {colorprofile.Unknown, false, clearAll + "\x1b[1;1H" + frame + clearLine},
		"frames come at once": {colorprofile.TrueColor, true, frameBegins + clearAll + "\x1b[1;1H" + frame + clearLine + frameEnds},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			w := &window{out: &out, settings: Settings{Environ: noVariable}}
			w.enter()
			w.atOnce = test.atOnce
			out.Reset()
			w.show(frame, 80, test.profile)
			if got := out.String(); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
			out.Reset()
			if w.show(frame, 80, test.profile); out.Len() > 0 {
				t.Errorf("what is shown is written again: %q", out.String())
			}
		})
	}
}

func TestWindowSize(t *testing.T) {
	for name, test := range map[string]struct {
		environment map[string]string
		want        tea.WindowSizeMsg
	}{
		"nobody knows":    {nil, tea.WindowSizeMsg{Width: defaultWidth, Height: defaultHeight}},
		"the environment": {map[string]string{"COLUMNS": "100", "LINES": "30"}, tea.WindowSizeMsg{Width: 100, Height: 30}},
		"no numbers":      {map[string]string{"COLUMNS": "-1", "LINES": "many"}, tea.WindowSizeMsg{Width: defaultWidth, Height: defaultHeight}},
	} {
		t.Run(name, func(t *testing.T) {
			w := &window{out: io.Discard, settings: Settings{Environ: func(name string) (string, bool) { v, ok := test.environment[name]; return v, ok }}}
			if got := w.size(); got != test.want {
				t.Errorf("%v, want %v", got, test.want)
			}
		})
	}
}

func TestCopy(t *testing.T) {
	var out bytes.Buffer
	w := &window{out: &out}
	w.copy("web-1")
	if got := out.String(); got != "\x1b]52;c;d2ViLTE=\a" {
		t.Errorf("%q", got)
	}
}
