package live

import (
	"context"
	"fmt"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"github.com/probity-run/probity/internal/terminal/screen"
)

const (
	// drawPause is the shortest time between two states that changes make.
	drawPause = 100 * time.Millisecond
	// groundTime is how long the first frame waits for what the background is.
	groundTime = 50 * time.Millisecond
	// interruptPause is how long it is until a second interrupt is one of its own: what sends one
	// may send it twice.
	interruptPause = 600 * time.Millisecond
	// logPause is how often a log is read that somebody looks at.
	logPause = 250 * time.Millisecond

	defaultWidth, defaultHeight = 80, 24
)

// Messages to the program.
type (
	changedMsg struct{} // something has changed that is to be shown at once
	secondMsg  struct{} // a second has passed
	logMsg     struct{} // it is time to read the log
	groundMsg  struct{} // the terminal had time enough to answer
	saidMsg    string   // what became of an action
	quitMsg    struct{} // the view ends
	// the process goes on after it was suspended, or could not be
	resumedMsg struct{ err error }
)

// model is the program. It belongs to bubbletea's goroutine.
type model struct {
	ctx       context.Context
	hub       *hub
	settings  Settings
	window    *window
	interrupt func() // does what SIGINT does
	// interrupted is when that was asked for
	interrupted time.Time
	failed      func(reason any)
	gone        func() bool // reports whether there is no terminal any more; nil if nobody can tell

	view          screen.View
	state         *screen.State
	log           logReader
	width, height int
	profile       colorprofile.Profile
	ground        background
	theme         screen.Theme
	ready         bool // the theme is known: frames may be shown
	frame         string
	stale         bool // the frame has to be made anew
	broken        bool
}

// Init implements [tea.Model].
func (m *model) Init() tea.Cmd {
	m.gather()
	m.ready = !m.settings.asks()
	if m.ready {
		return tea.Batch(m.waitForChange(0), second())
	}
	m.window.askGround()
	return tea.Batch(m.waitForChange(0), second(), tea.Tick(groundTime, func(time.Time) tea.Msg { return groundMsg{} }))
}

// waitForChange waits until the hub has something, but not sooner than after a pause.
func (m *model) waitForChange(pause time.Duration) tea.Cmd {
	ctx, hub := m.ctx, m.hub
	return func() tea.Msg {
		timer := time.NewTimer(pause)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return nil
		}
		select {
		case <-hub.changed:
			return changedMsg{}
		case <-ctx.Done():
			return nil
		}
	}
}

// second waits for the next full second: ages and clocks change then.
func second() tea.Cmd { return tea.Every(time.Second, func(time.Time) tea.Msg { return secondMsg{} }) }

// Update implements [tea.Model].
func (m *model) Update(msg tea.Msg) (next tea.Model, cmd tea.Cmd) {
	defer func() {
		if reason := recover(); reason != nil {
			m.breakDown(reason)
			next, cmd = m, tea.Quit
		}
	}()
	if m.broken {
		return m, tea.Quit
	}
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.resize(msg)
	case tea.ModeReportMsg:
		m.window.canDrawAtOnce(msg)
	case tea.ColorProfileMsg:
		m.profile, m.theme, m.stale = msg.Profile, m.settings.theme(msg.Profile, m.ground), true
	case tea.BackgroundColorMsg:
		m.ground = lightGround
		if msg.IsDark() {
			m.ground = darkGround
		}
		m.theme, m.ready, m.stale = m.settings.theme(m.profile, m.ground), true, true
	case groundMsg:
		m.ready, m.stale = true, true
	case changedMsg:
		m.gather()
		return m, m.waitForChange(drawPause)
	case secondMsg:
		if m.gone != nil && m.gone() {
			m.breakDown("the terminal is gone")
			return m, tea.Quit
		}
		m.gather()
		return m, second()
	case logMsg:
		if m.view.Wants().Log == "" {
			return m, nil
		}
		m.gather()
		return m, readLog()
	case resumedMsg:
		return m, m.resumed(msg.err)
	case saidMsg:
		m.view.Say(string(msg))
		m.stale = true
	case searchedMsg:
		m.searched(msg)
	case quitMsg:
		return m, tea.Quit
	case tea.PasteMsg:
		m.paste(msg.Content)
	case tea.MouseClickMsg:
		m.view.Click(m.state, msg.Y)
		m.stale = true
	case tea.KeyPressMsg:
		return m, m.key(msg.String())
	}
	return m, nil
}

// resize draws anew: the terminal may have moved what was there.
func (m *model) resize(size tea.WindowSizeMsg) {
	m.width, m.height, m.stale = size.Width, size.Height, true
	m.window.painter.forget()
}

// resumed draws anew, and says why if the process could not be suspended.
func (m *model) resumed(err error) tea.Cmd {
	if err != nil {
		m.view.Say(err.Error())
	}
	m.gather()
	return m.window.size
}

func readLog() tea.Cmd { return tea.Tick(logPause, func(time.Time) tea.Msg { return logMsg{} }) }

// paste types a text that was pasted, where a text is typed.
func (m *model) paste(text string) {
	if !m.view.Typing() {
		return
	}
	for _, r := range text {
		m.view.Key(m.state, string(r))
	}
	m.stale = true
}

// key does what a key asks for.
func (m *model) key(key string) tea.Cmd {
	before := m.view.Wants()
	action := m.view.Key(m.state, key)
	m.stale = true
	cmd := m.do(action)
	if after := m.view.Wants(); after != before {
		m.gather()
		if after.Log != "" && before.Log == "" {
			return tea.Batch(cmd, readLog())
		}
	}
	return cmd
}

// do carries out an action. What may take a while is done by a command.
func (m *model) do(a screen.Action) tea.Cmd {
	run := m.hub.run
	switch a.Kind {
	case screen.Interrupt, screen.StopAll: // a second one kills
		m.interrupt()
		m.interrupted = time.Now()
	case screen.KillAll:
		return m.kill()
	case screen.Suspend:
		return suspend(m.ctx, m.window)
	case screen.Copy:
		m.window.copy(a.Text)
	case screen.Restart:
		return m.change(a.Pod, "restarts", run.Restart)
	case screen.Delete:
		return m.change(a.Pod, "is being deleted", run.Delete)
	case screen.TakeOut, screen.BringBack:
		out := a.Kind == screen.TakeOut
		says := "is in rotation again"
		if out {
			says = "is out of rotation"
		}
		if run.SetRotation == nil {
			return m.change(a.Pod, says, nil)
		}
		return m.change(a.Pod, says, func(namespace, name string) error { return run.SetRotation(namespace, name, out) })
	case screen.OlderLog, screen.NewerLog, screen.OldestLog:
		m.loadLog(a)
	case screen.SearchLog:
		return m.searchLog(a)
	case screen.SaveLog:
		var log screen.Log // a copy, as lines are added meanwhile
		if m.log.log != nil {
			log.Lines = slices.Clone(m.log.log.Lines)
		}
		return func() tea.Msg { return saidMsg(saveLog(&log)) }
	}
	return nil
}

// kill interrupts for the second time, but not so soon after the first one that both count as one.
func (m *model) kill() tea.Cmd {
	interrupt := m.interrupt
	return tea.Tick(max(interruptPause-time.Since(m.interrupted), 0), func(time.Time) tea.Msg {
		interrupt()
		return nil
	})
}

// loadLog loads another part of a log, and goes on in it.
func (m *model) loadLog(a screen.Action) {
	if m.log.log == nil {
		return
	}
	switch a.Kind {
	case screen.OlderLog:
		m.log.older(m.hub)
	case screen.NewerLog:
		if !m.log.newer(m.hub) {
			a.Lines = screen.ToEnd
		}
	default:
		m.log.oldest(m.hub)
		a.Lines = -screen.ToEnd
	}
	m.view.MoveLog(m.log.log, a.Lines)
}

// searchLog searches the part of a log that is not loaded.
func (m *model) searchLog(a screen.Action) tea.Cmd {
	search, ctx := m.log.search(m.hub, a.Text, a.Back, a.Probes), m.ctx
	if search == nil {
		return nil
	}
	return func() tea.Msg { return search.run(ctx, searchBytes) }
}

// searched shows what a search has found, unless nobody looks at that log any more.
func (m *model) searched(msg searchedMsg) {
	if m.log.searching != msg.search {
		return
	}
	m.stale = true
	seq, text := m.log.searched(m.hub, msg)
	if text != "" {
		m.view.Say(text)
		return
	}
	m.view.FoundInLog(m.log.log, seq)
}

// change does something to a Pod and tells what became of it.
func (m *model) change(id, says string, do func(namespace, name string) error) tea.Cmd {
	namespace, name, ok := m.hub.nameOf(id)
	return func() tea.Msg {
		switch {
		case !ok:
			return saidMsg("that Pod is gone")
		case do == nil:
			return saidMsg("that cannot be done here")
		}
		if err := do(namespace, name); err != nil {
			return saidMsg(clean(err.Error()))
		}
		return saidMsg(name + " " + says)
	}
}

// gather brings the state up to date.
func (m *model) gather() {
	now := time.Now()
	m.hub.look(m.ctx, now)
	m.state = m.hub.gather(now)
	wants := m.view.Wants()
	if wants.Details != "" {
		m.state.Details = m.hub.details(wants.Details, now)
	}
	switch {
	case wants.Log != "":
		m.state.Log = m.log.read(m.hub, wants)
	case wants.Output != "":
		output := m.log.read(m.hub, screen.Wants{Log: wants.Output})
		m.state.Output = printedTail(output.Lines)
	}
	m.stale = true
}

// maxTail is how many lines of output the first page can show.
const maxTail = 60

// printedTail are the last lines that a program printed itself.
func printedTail(lines []screen.LogLine) []screen.LogLine {
	var tail []screen.LogLine
	for i := len(lines) - 1; i >= 0 && len(tail) < maxTail; i-- {
		if lines[i].Kind == screen.Printed {
			tail = append(tail, lines[i])
		}
	}
	for i, j := 0, len(tail)-1; i < j; i, j = i+1, j-1 {
		tail[i], tail[j] = tail[j], tail[i]
	}
	return tail
}

// View implements [tea.Model]. It shows the frame, too: bubbletea shows nothing in a program
// without its renderer.
func (m *model) View() (view tea.View) {
	defer func() {
		if reason := recover(); reason != nil {
			m.breakDown(reason)
			view = tea.NewView("")
		}
	}()
	if !m.broken {
		m.window.yield()
	}
	if m.stale && m.ready && !m.broken {
		m.frame, m.stale = m.view.Frame(m.state, m.width, m.height, m.theme), false
		m.window.show(m.frame, m.width, m.profile)
	}
	m.window.setClicks(m.view.Mouse())
	view = tea.NewView(m.frame)
	view.AltScreen = !m.broken
	if m.view.Mouse() {
		view.MouseMode = tea.MouseModeCellMotion
	}
	return view
}

// breakDown ends a view whose picture cannot be made. The run goes on, and lines are shown.
func (m *model) breakDown(reason any) {
	if !m.broken {
		m.broken, m.frame = true, ""
		m.failed(fmt.Errorf("%v", reason))
	}
}
