package drill

import (
	"fmt"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/probity-run/probity/internal/printable"
)

// Exit codes of processes that a signal has ended.
const (
	leastSignalCode = 129
	mostSignalCode  = 159
)

func exitCode(f *Fault, text string) error {
	n, err := strconv.Atoi(text)
	if err != nil || n < leastSignalCode || n > mostSignalCode {
		return fmt.Errorf("%s is no exit code of a signal, %d to %d", printable.Quote(text), leastSignalCode, mostSignalCode)
	}
	if sig := syscall.Signal(n - 128); harmless(sig) {
		return fmt.Errorf("%s is that of signal %d (%v), which ends no process", printable.Quote(text), int(sig), sig)
	}
	f.Number = float64(n)
	return nil
}

// harmless reports whether a signal ends no process that does nothing about it: it stops one, which
// nobody continues, or is ignored.
func harmless(sig syscall.Signal) bool {
	return slices.Contains([]syscall.Signal{
		syscall.SIGCHLD, syscall.SIGCONT, syscall.SIGSTOP, syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU, syscall.SIGURG, syscall.SIGWINCH,
	}, sig)
}

// signal is the one that a crash sends.
func (f Fault) signal() syscall.Signal { return syscall.Signal(int(f.Number) - 128) }

// lives says that a process has not ended by the signal of a crash.
func (f Fault) lives(after time.Duration) error {
	return fmt.Errorf("its process still runs %s after signal %d (%v): it handles that signal, or ignores it; crash sends one that it cannot handle",
		text(Offset(after)), int(f.signal()), f.signal())
}
