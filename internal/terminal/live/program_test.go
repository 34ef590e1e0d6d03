package live

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/exp/teatest/v2"

	"github.com/probity-run/probity/internal/terminal/screen"
)

func noVariable(string) (string, bool) { return "", false }

// testModel is a model over a hub, whose signals are counted.
func testModel(t *testing.T, h *hub) (m *model, signals chan int) {
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	signals = make(chan int, 10)
	return &model{
		ctx: ctx, hub: h, settings: Settings{Environ: func(name string) (string, bool) {
			if name == "PROBITY_THEME" {
				return "dark", true
			}
			return "", false
		}}, window: &window{out: io.Discard}, width: 80, height: 24, interrupt: func() { signals <- 1 }, failed: func(any) {},
	}, signals
}

// TestKeyPaths types at the application, through bubbletea.
func TestKeyPaths(t *testing.T) {
	h := filled(t)
	restarted := make(chan string, 1)
	h.run.Restart = func(namespace, name string) error {
		restarted <- namespace + "/" + name
		return nil
	}
	m, signals := testModel(t, h)
	tm := teatest.NewTestModel(t, m, teatest.WithInitialTermSize(80, 24))
	var seen bytes.Buffer
	shows := func(text string) {
		t.Helper()
		teatest.WaitFor(t, io.TeeReader(tm.Output(), &seen), func([]byte) bool { return strings.Contains(seen.String(), text) }, teatest.WithDuration(10*time.Second))
		seen.Reset()
	}
	shows("1 needs attention")
	tm.Send(tea.KeyPressMsg{Code: tea.KeyEnter})
	shows("newest first")
	tm.Send(tea.KeyPressMsg{Code: tea.KeyEscape})
	tm.Type("r")
	shows("Restart web-5d8f")
	tm.Type("r")
	if got := <-restarted; got != "default/web-5d8f-x2k9p" {
		t.Errorf("restarted %s", got)
	}
	tm.Type("?")
	shows("suspend Probity")
	tm.Type("q")
	tm.Type("q")
	shows("Stop 1 Pod?")
	tm.Type("q")
	if got := <-signals; got != 1 {
		t.Errorf("q raised %d signals", got)
	}
	tm.Send(tea.KeyPressMsg{Code: 'c', Mod: tea.ModCtrl})
	if got := <-signals; got != 1 {
		t.Errorf("Ctrl-C raised %d signals", got)
	}
	tm.Send(quitMsg{})
	tm.WaitFinished(t, teatest.WithFinalTimeout(10*time.Second))
}

// TestKillKey: K kills also right after Ctrl-C, although signals that come together count as one.
func TestKillKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, signals := testModel(t, filled(t))
		m.do(screen.Action{Kind: screen.Interrupt})
		for _, want := range []time.Duration{interruptPause, 0} {
			before := time.Now()
			m.do(screen.Action{Kind: screen.KillAll})()
			if took := time.Since(before); took != want {
				t.Errorf("it took %v, want %v", took, want)
			}
		}
		if len(signals) != 3 {
			t.Errorf("%d signals", len(signals))
		}
	})
}

// TestPanic: a picture that cannot be made ends the view, and says why; nothing else.
func TestPanic(t *testing.T) {
	for name, broken := range map[string]func(m *model){
		"a frame": func(m *model) { m.state, m.ready, m.stale = nil, true, true; m.View() },
		"a key":   func(m *model) { m.state = nil; m.Update(tea.KeyPressMsg{Code: 'j', Text: "j"}) },
		"a state": func(m *model) { m.hub = nil; m.Update(secondMsg{}) },
	} {
		t.Run(name, func(t *testing.T) {
			m, _ := testModel(t, filled(t))
			m.gather()
			var reason any
			m.failed = func(r any) { reason = r }
			broken(m)
			if reason == nil {
				t.Fatal("nobody was told")
			}
			if _, cmd := m.Update(secondMsg{}); cmd == nil || cmd() != tea.Quit() {
				t.Error("the program goes on")
			}
			if v := m.View(); v.AltScreen {
				t.Error("it keeps the screen")
			}
		})
	}
}

func TestTheme(t *testing.T) {
	for name, test := range map[string]struct {
		env     map[string]string
		profile colorprofile.Profile
		ground  background
		want    screen.Theme
	}{
		"dark":                      {nil, colorprofile.ANSI256, darkGround, screen.Dark()},
		"light":                     {nil, colorprofile.TrueColor, lightGround, screen.Light()},
		"no answer":                 {nil, colorprofile.ANSI256, unknown, screen.Basic()},
		"16 colours":                {nil, colorprofile.ANSI, darkGround, screen.Basic()},
		"NO_COLOR":                  {map[string]string{"NO_COLOR": "1", "PROBITY_THEME": "dark"}, colorprofile.TrueColor, darkGround, screen.Plain()},
		"chosen":                    {map[string]string{"PROBITY_THEME": "light"}, colorprofile.TrueColor, darkGround, screen.Light()},
		"basic is chosen":           {map[string]string{"PROBITY_THEME": "basic"}, colorprofile.TrueColor, darkGround, screen.Basic()},
		"the console of Linux":      {map[string]string{"TERM": "linux"}, colorprofile.ANSI, unknown, screen.Basic().ASCII()},
		"another charset":           {map[string]string{"LC_ALL": "C", "LANG": "de_DE.UTF-8"}, colorprofile.ANSI256, darkGround, screen.Dark().ASCII()},
		"UTF-8":                     {map[string]string{"LANG": "de_DE.utf8"}, colorprofile.ANSI256, darkGround, screen.Dark()},
		"signs may be two columns":  {map[string]string{"RUNEWIDTH_EASTASIAN": "1"}, colorprofile.ANSI256, darkGround, screen.Dark().ASCII()},
		"a terminal without colour": {nil, colorprofile.ASCII, darkGround, screen.Plain()},
	} {
		t.Run(name, func(t *testing.T) {
			s := Settings{Environ: func(name string) (string, bool) { v, ok := test.env[name]; return v, ok }}
			if got := s.theme(test.profile, test.ground); got != test.want {
				t.Errorf("theme %+v, want %+v", got, test.want)
			}
		})
	}
}

// TestSaveLog: what is saved is a copy, as lines come meanwhile.
func TestSaveLog(t *testing.T) {
	t.Chdir(t.TempDir())
	m, _ := testModel(t, filled(t))
	if cmd := m.do(screen.Action{Kind: screen.SaveLog}); cmd() != saidMsg("there is nothing to save") {
		t.Error("a log that is not there was saved")
	}
	m.log.log = &screen.Log{Lines: []screen.LogLine{{Text: []screen.Span{{Text: "first"}}}}}
	save := m.do(screen.Action{Kind: screen.SaveLog})
	said := make(chan tea.Msg)
	go func() { said <- save() }()
	m.log.log.Lines = append(m.log.log.Lines[:0], screen.LogLine{Text: []screen.Span{{Text: "other"}}})
	<-said
	files, err := filepath.Glob("probity-*.log")
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	if text, err := os.ReadFile(files[0]); err != nil || !strings.HasSuffix(string(text), " first\n") {
		t.Errorf("saved %q, %v", text, err)
	}
}
