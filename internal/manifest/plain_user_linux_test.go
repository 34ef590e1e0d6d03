package manifest

import (
	"os"
	"runtime"
	"sync"
	"syscall"
	"testing"
)

// asPlainUser calls f, which starts no goroutine, with the rights to files of a plain user.
func asPlainUser(t *testing.T, f func()) {
	t.Helper()
	const nobody = 65534
	if os.Geteuid() != 0 {
		f()
		return
	}
	var done sync.WaitGroup
	done.Go(func() {
		runtime.LockOSThread() // for ever: a thread that is another user is not for others
		if _, _, errno := syscall.RawSyscall(syscall.SYS_SETFSUID, nobody, 0, 0); errno != 0 {
			t.Error("cannot be another user: ", errno)
			return
		}
		f()
	})
	done.Wait()
}
