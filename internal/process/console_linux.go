package process

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// openTerminal makes a terminal of which ours is the side of keyboard and screen, and theirs that
// of the programs.
func openTerminal() (ours, theirs *os.File, err error) {
	// Non-blocking, so that reading waits in the poller and takes deadlines.
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot make a terminal: %w", err)
	}
	ours = os.NewFile(uintptr(fd), "terminal")
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		ours.Close()
		return nil, nil, fmt.Errorf("cannot unlock a terminal: %w", err)
	}
	// By the descriptor, as /dev/pts need not be there or not be the same one.
	other, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.TIOCGPTPEER, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC)
	if errno != 0 {
		ours.Close()
		return nil, nil, fmt.Errorf("cannot open a terminal: %w", errno)
	}
	return ours, os.NewFile(other, "terminal"), nil
}

func setWindowSize(terminal uintptr, size WindowSize) error {
	return unix.IoctlSetWinsize(int(terminal), unix.TIOCSWINSZ, &unix.Winsize{Row: size.Height, Col: size.Width})
}
