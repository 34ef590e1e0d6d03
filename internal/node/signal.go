package node

import (
	"syscall"

	corev1 "k8s.io/api/core/v1"
	"golang.org/x/sys/unix"
)

// signalNumber finds a stop signal by the name that lifecycle.stopSignal uses. Validation lets only known names through.
func signalNumber(name corev1.Signal) syscall.Signal {
	if n := unix.SignalNum(string(name)); n != 0 {
		return n
	}
	return syscall.SIGTERM
}
