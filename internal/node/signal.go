package node

import (
	"syscall"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
)

// signalNumber finds a stop signal by the name that lifecycle.stopSignal uses. Validation lets only
// known names through.
func signalNumber(name corev1.Signal) syscall.Signal {
	if n := unix.SignalNum(string(name)); n != 0 {
		return n
	}
	return syscall.SIGTERM
}
