package live

import (
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	tea "charm.land/bubbletea/v2"
)

// resumeTime is how long this process waits to be stopped by its own signal, and then once more for
// the signal that continued it.
const resumeTime = 100 * time.Millisecond

// errNoJobControl is why a run cannot be suspended.
var errNoJobControl = errors.New("it cannot be suspended here: no shell could continue it")

// suspension gives the terminal back and stops this process group, as Ctrl-Z does elsewhere, until
// a shell continues it. It is a tea.ExecCommand: tea.Suspend waits for ever where the kernel drops
// the signal, as it does for a process group without a shell (POSIX, orphaned process group).
type suspension struct{ window *window }

// Run implements [tea.ExecCommand].
func (s suspension) Run() error {
	if signal.Ignored(syscall.SIGTSTP) {
		return errNoJobControl
	}
	s.window.leave()
	defer s.window.enter()
	continued := make(chan os.Signal, 1)
	signal.Notify(continued, syscall.SIGCONT)
	defer signal.Stop(continued)
	_ = syscall.Kill(0, syscall.SIGTSTP) // its own group is always there
	for range 2 {                        // the time is up at once after a long stop
		select {
		case <-continued:
			return nil
		case <-time.After(resumeTime):
		}
	}
	return errNoJobControl
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
