package process

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// controllingTerminal is the terminal of this process's session; nil if it has none. Also a process
// in the background has it, and may come to the foreground.
func controllingTerminal() *os.File {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return nil
	}
	return tty
}

// HasForeground reports whether this process is in the foreground of a terminal, which may be nil.
// A shell may put it into the background again at any time.
func HasForeground(tty *os.File) bool {
	return tty != nil && foregroundGroup(tty) == unix.Getpgrp()
}

// foregroundPeriod is the time between two looks at who has a terminal: a shell gives it without a
// signal to a job that runs.
const foregroundPeriod = 100 * time.Millisecond

// HasControl reports whether a terminal is that of this process's session, of whose process groups
// only the one in the foreground may take it: the kernel stops others that do.
func HasControl(tty *os.File) bool { return foregroundGroup(tty) != 0 }

// WaitForForeground waits until this process is in the foreground of a terminal. False means that
// the context was done before. A shell may put it into the background again at any time.
func WaitForForeground(ctx context.Context, tty *os.File) bool {
	for !HasForeground(tty) {
		select {
		case <-time.After(foregroundPeriod):
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// foregroundGroup is the process group that has a terminal; 0 if that cannot be said.
func foregroundGroup(tty *os.File) int {
	group, err := unix.IoctlGetInt(int(tty.Fd()), unix.TIOCGPGRP)
	if err != nil {
		return 0
	}
	return group
}

// setForeground gives the terminal to a process group. A terminal that is gone has no use for it.
func setForeground(tty *os.File, group int) {
	_ = unix.IoctlSetPointerInt(int(tty.Fd()), unix.TIOCSPGRP, group)
}

// takeBack takes the terminal, if there is one, back from a process group, or from one of which
// nothing is left. It leaves it to any other group: a shell has it while this process is in the
// background. SIGTTOU has to be ignored.
func takeBack(tty *os.File, group int) {
	if tty == nil {
		return
	}
	now := foregroundGroup(tty)
	dead := now > 0 && errors.Is(syscall.Kill(-now, 0), syscall.ESRCH)
	if now == group || dead {
		setForeground(tty, unix.Getpgrp())
	}
}

// giveUp takes the terminal back from a command that could not be executed: its process was given
// the terminal before that failed.
func giveUp(tty *os.File) {
	signal.Ignore(syscall.SIGTTOU) // not before the start, or the command would inherit it
	defer signal.Reset(syscall.SIGTTOU)
	takeBack(tty, 0)
}

// suspend stops this process like its command, so that the shell gets the terminal. The command
// goes on when the shell continues this process; at once if no shell could, because the kernel does
// not stop a process then.
func (f *Foreground) suspend(tty *os.File, suspended func()) {
	takeBack(tty, f.pid)
	if suspended != nil {
		suspended()
	}
	_ = Suspend() // without job control the command just goes on
	if HasForeground(tty) {
		f.resume(tty)
	}
}

// resume has the command go on, with the terminal if this process was continued in the foreground.
func (f *Foreground) resume(tty *os.File) {
	f.mu.Lock()
	if f.pid != 0 && HasForeground(tty) {
		setForeground(tty, f.pid)
	}
	f.mu.Unlock()
	f.Signal(syscall.SIGCONT)
}
