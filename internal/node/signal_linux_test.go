package node

import (
	"syscall"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestSignalNumber(t *testing.T) {
	for name, want := range map[corev1.Signal]syscall.Signal{
		corev1.SIGTERM: syscall.SIGTERM, corev1.SIGUSR1: syscall.SIGUSR1, corev1.SIGCLD: syscall.SIGCHLD, corev1.SIGIOT: syscall.SIGABRT, corev1.SIGPOLL: syscall.SIGIO,
		corev1.SIGRTMIN: 34, corev1.SIGRTMINPLUS3: 37, corev1.SIGRTMINPLUS15: 49, corev1.SIGRTMAXMINUS14: 50, corev1.SIGRTMAXMINUS1: 63, corev1.SIGRTMAX: 64,
		"unknown": syscall.SIGTERM, "SIGRTMIN+x": syscall.SIGTERM,
	} {
		if got := signalNumber(name); got != want {
			t.Errorf("signalNumber(%s) = %d, want %d", name, got, want)
		}
	}
}
