package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// withoutUnshare becomes a program that may not make namespaces, as in a container. It returns only
// on failure.
func withoutUnshare(args []string) error {
	runtime.LockOSThread() // the filter is this thread's
	path, err := exec.LookPath(args[0])
	if err != nil {
		return err
	}
	const returnErrno = 0x00050000 // SECCOMP_RET_ERRNO
	const returnAllow = 0x7fff0000 // SECCOMP_RET_ALLOW
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}, // the number of the system call
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: unix.SYS_UNSHARE},
		{Code: unix.BPF_RET | unix.BPF_K, K: returnErrno | uint32(unix.EPERM)},
		{Code: unix.BPF_RET | unix.BPF_K, K: returnAllow},
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("cannot give up privileges: %w", err)
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&program)), 0, 0); err != nil {
		return fmt.Errorf("cannot set the filter: %w", err)
	}
	runtime.KeepAlive(filter)
	return syscall.Exec(path, args, os.Environ())
}
