package node

import (
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
)

// The real-time signals of Linux, as the C libraries leave them to programs (signal(7)).
const (
	lowestRealTime  = 34
	highestRealTime = 64
)

// signalNumber finds a stop signal by the name that lifecycle.stopSignal uses. Validation lets only
// known names through. A system without such a signal has SIGTERM for it.
func signalNumber(name corev1.Signal) syscall.Signal {
	switch name { // other names for the same
	case corev1.SIGCLD:
		name = corev1.SIGCHLD
	case corev1.SIGIOT:
		name = corev1.SIGABRT
	case corev1.SIGPOLL:
		name = corev1.SIGIO
	}
	if n := unix.SignalNum(string(name)); n != 0 {
		return n
	}
	if n, ok := realTimeSignal(string(name)); ok && runtime.GOOS == "linux" {
		return n
	}
	return syscall.SIGTERM
}

// realTimeSignal is the number of a name such as SIGRTMIN+3 or SIGRTMAX-1.
func realTimeSignal(name string) (syscall.Signal, bool) {
	for base, number := range map[string]int{"SIGRTMIN": lowestRealTime, "SIGRTMAX": highestRealTime} {
		if distance, ok := strings.CutPrefix(name, base); ok {
			n, err := strconv.Atoi(distance) // with its sign
			return syscall.Signal(number + n), err == nil || distance == ""
		}
	}
	return 0, false
}
