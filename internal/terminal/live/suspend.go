package live

import (
	"io"

	tea "charm.land/bubbletea/v2"

	"github.com/probity-run/probity/internal/process"
)

// suspension gives the terminal back and stops this process group, as Ctrl-Z does elsewhere, until
// a shell continues it. It is a tea.ExecCommand: tea.Suspend waits for ever where the kernel drops
// the signal, as it does for a process group without a shell (POSIX, orphaned process group).
type suspension struct{ window *window }

// Run implements [tea.ExecCommand].
func (s suspension) Run() error {
	s.window.leave()
	defer s.window.enter()
	return process.Suspend()
}

// SetStdin, SetStdout and SetStderr implement [tea.ExecCommand]: nothing is read or written.
func (suspension) SetStdin(io.Reader) {}

// SetStdout is as SetStdin.
func (suspension) SetStdout(io.Writer) {}

// SetStderr is as SetStdin.
func (suspension) SetStderr(io.Writer) {}

// suspend stops this process until it is continued, and says so if that cannot be.
func suspend(w *window) tea.Cmd {
	return tea.Exec(suspension{w}, func(err error) tea.Msg { return resumedMsg{err} })
}
