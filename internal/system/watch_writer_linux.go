package system

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// isBeingWritten reports whether some process has a file open to write to it. The kernel knows
// that when it is asked for a lease to read, which it gives nobody then (fcntl(2), F_SETLEASE); the
// lease is given back at once. Where it cannot be asked, as on a network, nobody writes.
func isBeingWritten(path string) bool {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return false
	}
	defer f.Close() // only opened to ask
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return false
	}
	_, err = unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_RDLCK)
	if err == nil {
		_, err = unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_UNLCK)
	}
	return errors.Is(err, unix.EAGAIN)
}
