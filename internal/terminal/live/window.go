package live

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"io"
	"os"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"golang.org/x/term"

	"github.com/probity-run/probity/internal/process"
)

// Sequences of terminals. Those that a terminal does not know it leaves out.
const (
	// the other screen, without a cursor and without wrapping: no line may push another one down
	screenOn  = "\x1b[?1049h\x1b[?25l\x1b[?7l"
	screenOff = "\x1b[?7h\x1b[?1049l\x1b[?25h"
	// what is pasted comes as that, and wheels as arrows
	inputOn  = "\x1b[?2004h\x1b[?1007h"
	inputOff = "\x1b[?2004l\x1b[?1007l"
	// every key can be told from every other one: in xterm and in Kitty
	keysOn  = "\x1b[>4;2m\x1b[>1u"
	keysOff = "\x1b[>4m\x1b[<1u"

	clicksOn  = "\x1b[?1002h\x1b[?1006h"
	clicksOff = "\x1b[?1002l\x1b[?1006l"

	// a terminal that can be asked to show what is between them at once
	frameBegins, frameEnds = "\x1b[?2026h", "\x1b[?2026l"
	askFrames              = "\x1b[?2026$p"
	framesMode             = 2026
	askGround              = "\x1b]11;?\a"
)

// window is the terminal that the view is on. bubbletea reads its keys; what is written is written
// here, as bubbletea would keep every cell of the window twice. It belongs to the goroutine of
// bubbletea.
type window struct {
	out      io.Writer
	keys     *os.File // the terminal whose keys are read; nil if there is none
	shared   bool     // with a shell, which says who has it
	settings Settings
	atOnce   bool // frames are shown at once

	before  *term.State // of the terminal
	entered bool
	aside   bool // a shell has put this process into the background, unasked
	clicks  bool
	painter painter
	buffer  []byte
}

// wait waits until the terminal may be taken; false means that the context was done before.
func (w *window) wait(ctx context.Context) bool {
	return !w.shared || process.WaitForForeground(ctx, w.keys)
}

// enter takes the terminal over. If its modes cannot be set, its keys come with the next line. They
// are set first: that stops a process which a shell has just put into the background, and nothing
// of it may be on the terminal then.
func (w *window) enter() {
	if w.entered {
		return
	}
	if w.keys != nil {
		before, _ := term.MakeRaw(int(w.keys.Fd()))
		if !w.aside { // else these are the modes of the shell, or of this view
			w.before = before
		}
	}
	w.entered, w.aside = true, false
	w.painter.forget()
	w.write(screenOn + inputOn)
	if w.keys == nil {
		return
	}
	w.write(keysOn)
	if w.settings.asksFrames() {
		w.write(askFrames)
	}
}

// askGround asks what the background is.
func (w *window) askGround() {
	if w.keys != nil { // else nobody reads the answer
		w.write(askGround)
	}
}

// canDrawAtOnce takes what the terminal answers to askFrames.
func (w *window) canDrawAtOnce(answer tea.ModeReportMsg) {
	if answer.Mode.Mode() == framesMode {
		w.atOnce = answer.Value.IsReset()
	}
}

// size is that of the terminal, as far as it tells.
func (w *window) size() tea.Msg {
	var size tea.WindowSizeMsg
	if file, ok := w.out.(*os.File); ok {
		size.Width, size.Height, _ = term.GetSize(int(file.Fd())) // 0 if it is gone
	}
	size.Width = cmp.Or(size.Width, w.settings.number("COLUMNS"), defaultWidth)
	size.Height = cmp.Or(size.Height, w.settings.number("LINES"), defaultHeight)
	return size
}

// yield gives the terminal to a shell that has taken it unasked: this process was stopped from
// outside, and continued in the background. The modes are the shell's already. It takes the
// terminal again when it has come back to the foreground. Who it is whose terminal that is, is
// asked before each frame: the kernel stops nobody in the background who writes.
func (w *window) yield() {
	if !w.shared || !w.entered && !w.aside {
		return
	}
	switch mine := process.HasForeground(w.keys); {
	case mine && w.aside:
		w.enter()
	case !mine && w.entered:
		w.hide()
		w.aside = true
	}
}

// hide shows the screen that was there before.
func (w *window) hide() {
	w.setClicks(false)
	w.entered = false
	if w.keys != nil {
		w.write(keysOff)
	}
	w.write(inputOff + screenOff)
}

// leave gives it back as it was.
func (w *window) leave() {
	if !w.entered && !w.aside {
		return
	}
	if w.entered {
		w.hide()
	}
	w.aside = false
	if w.before != nil {
		_ = term.Restore(int(w.keys.Fd()), w.before) // nobody could be told
	}
}

// write writes to the terminal. One that is gone is noticed otherwise.
func (w *window) write(text string) { _, _ = io.WriteString(w.out, text) }

// copy puts a text into the clipboard.
func (w *window) copy(text string) {
	w.write("\x1b]52;c;" + base64.StdEncoding.EncodeToString([]byte(text)) + "\a")
}

func (w *window) setClicks(on bool) {
	on = on && w.entered
	switch {
	case on && !w.clicks:
		w.write(clicksOn)
	case !on && w.clicks:
		w.write(clicksOff)
	}
	w.clicks = on
}

// show shows a frame in so many columns, as well as a terminal with these colours can.
func (w *window) show(frame string, width int, profile colorprofile.Profile) {
	if !w.entered {
		return
	}
	if profile != colorprofile.Unknown && profile < colorprofile.ANSI256 {
		var fewer bytes.Buffer
		colours := colorprofile.Writer{Forward: &fewer, Profile: profile}
		_, _ = colours.WriteString(frame) // into memory
		frame = fewer.String()
	}
	out := w.buffer[:0]
	if w.atOnce {
		out = append(out, frameBegins...)
	}
	empty := len(out)
	if out = w.painter.paint(out, frame, width); len(out) == empty {
		return
	}
	if w.atOnce {
		out = append(out, frameEnds...)
	}
	w.buffer = out
	_, _ = w.out.Write(out) // as write
}
