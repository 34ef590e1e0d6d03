package live

import (
	"os"
	"strconv"
	"strings"

	"github.com/charmbracelet/colorprofile"

	"github.com/probity-run/probity/internal/terminal/screen"
)

// Settings are how a person wants the view.
type Settings struct {
	// ASCII asks for signs of ASCII only.
	ASCII bool
	// Environ looks up a variable of the environment. Default: os.LookupEnv.
	Environ func(name string) (string, bool)
}

func (s Settings) get(name string) string {
	look := s.Environ
	if look == nil {
		look = os.LookupEnv
	}
	value, _ := look(name)
	return value
}

// number is a variable that is a positive number, else 0.
func (s Settings) number(name string) int {
	n, err := strconv.Atoi(s.get(name))
	if err != nil {
		return 0
	}
	return max(n, 0)
}

// ascii reports whether the terminal can be trusted with ASCII only: it was asked for, the charset
// is another one than UTF-8, or signs may be as wide as two columns there.
func (s Settings) ascii() bool {
	if s.ASCII || s.get("TERM") == "linux" || s.get("RUNEWIDTH_EASTASIAN") == "1" {
		return true
	}
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if charset := strings.ToLower(s.get(name)); charset != "" { // the first that is set counts
			return !strings.Contains(charset, "utf-8") && !strings.Contains(charset, "utf8")
		}
	}
	return false // nobody says; most terminals are
}

// background is what is known of the terminal's background.
type background int

const (
	unknown background = iota
	darkGround
	lightGround
)

// theme chooses the colours: what the person says, else what the terminal can do and answers.
func (s Settings) theme(profile colorprofile.Profile, ground background) screen.Theme {
	theme := screen.Basic()
	switch {
	case s.get("NO_COLOR") != "" || profile <= colorprofile.ASCII && profile != colorprofile.Unknown:
		theme = screen.Plain()
	case s.get("PROBITY_THEME") == "dark":
		theme = screen.Dark()
	case s.get("PROBITY_THEME") == "light":
		theme = screen.Light()
	case s.get("PROBITY_THEME") == "basic" || profile <= colorprofile.ANSI:
	case ground == darkGround:
		theme = screen.Dark()
	case ground == lightGround:
		theme = screen.Light()
	}
	if s.ascii() {
		theme = theme.ASCII()
	}
	return theme
}

// asksFrames reports whether the terminal may be asked if it can show frames at once: the one of
// Apple shows the question, and over SSH the answer may come when nobody reads it any more.
func (s Settings) asksFrames() bool {
	return s.get("SSH_TTY") == "" && !strings.Contains(s.get("TERM_PROGRAM"), "Apple")
}

// asks reports whether the terminal is to be asked for its background.
func (s Settings) asks() bool { return s.get("PROBITY_THEME") == "" && s.get("NO_COLOR") == "" }
