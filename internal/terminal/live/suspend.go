package live

import (
	"context"
	"io"
	"os/signal"
	"syscall"

	tea "charm.land/bubbletea/v2"

	"github.com/probity-run/probity/internal/process"
)

// suspension gives the terminal back and stops this process group, as Ctrl-Z does elsewhere, until
// a shell continues it. It is a tea.ExecCommand: tea.Suspend waits for ever where the kernel drops
// the signal, as it does for a process group without a shell (POSIX, orphaned process group). And
// it takes the terminal when that is this process's again: a shell's bg has the run go on without.
type suspension struct {
	ctx    context.Context // done when the view ends
	window *window
}

// Run implements [tea.ExecCommand].
func (s suspension) Run() error {
	s.window.leave()
	err := process.Suspend()
	if !s.window.wait(s.ctx) {
		signal.Ignore(syscall.SIGTTIN) // until the view has ended: who reads keys gets an error
		return s.ctx.Err()
	}
	s.window.enter()
	return err
}

// SetStdin, SetStdout and SetStderr implement [tea.ExecCommand]: nothing is read or written.
func (suspension) SetStdin(io.Reader) {}

// SetStdout is as SetStdin.
func (suspension) SetStdout(io.Writer) {}

// SetStderr is as SetStdin.
func (suspension) SetStderr(io.Writer) {}

// suspend stops this process until it is continued, and says so if that cannot be.
func suspend(ctx context.Context, w *window) tea.Cmd {
	return tea.Exec(suspension{ctx, w}, func(err error) tea.Msg { return resumedMsg{err} })
}
