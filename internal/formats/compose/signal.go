package compose

import (
	"slices"
	"strconv"
	"strings"

	"github.com/probity-run/probity/internal/manifest"
)

// stopSignal reads a signal as Docker does: a name in upper or lower case, with SIG or without, or
// a number.
func (d *decoder) stopSignal(v *value, path Path) {
	d.service.SignalAt = v.at
	text := ""
	if d.text(v, path, &text); text == "" {
		return
	}
	name, ok := signalName(text)
	if !ok {
		hint := didYouMean("SIG"+strings.TrimPrefix(strings.ToUpper(text), "SIG"), signals())
		d.fail(v.at, path, manifest.ReasonType, "must be a signal of Linux such as SIGTERM, this is %s%s", v.shown(), hint)
		return
	}
	d.service.StopSignal = name
}

// signalName is how Kubernetes calls a signal. ok is false if there is none.
func signalName(text string) (name string, ok bool) {
	if number, err := strconv.Atoi(text); err == nil {
		return numberedSignal(number)
	}
	name = "SIG" + strings.TrimPrefix(strings.ToUpper(text), "SIG")
	switch name { // other names for the same
	case "SIGCLD":
		name = "SIGCHLD"
	case "SIGIOT":
		name = "SIGABRT"
	case "SIGPOLL":
		name = "SIGIO"
	}
	if slices.Contains(signals(), name) {
		return name, true
	}
	for number := firstRealTime; number <= lastRealTime; number++ {
		if known, _ := numberedSignal(number); known == name {
			return name, true
		}
	}
	return "", false
}

// The real-time signals of Linux. The first half is counted from the lowest, the rest from the
// highest.
const (
	firstRealTime = 34
	lastCountedUp = firstRealTime + 15
	lastRealTime  = 64
)

func numberedSignal(number int) (name string, ok bool) {
	switch all := signals(); {
	case number >= 1 && number <= len(all):
		return all[number-1], true
	case number == firstRealTime:
		return "SIGRTMIN", true
	case number > firstRealTime && number <= lastCountedUp:
		return "SIGRTMIN+" + strconv.Itoa(number-firstRealTime), true
	case number > lastCountedUp && number < lastRealTime:
		return "SIGRTMAX-" + strconv.Itoa(lastRealTime-number), true
	case number == lastRealTime:
		return "SIGRTMAX", true
	}
	return "", false
}

// signals are those of Linux from 1 on. They stand here because a container's are not those of the
// system that Probity may run on.
func signals() []string {
	return []string{"SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGUSR1", "SIGSEGV", "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM",
		"SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG", "SIGXCPU", "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO", "SIGPWR", "SIGSYS"}
}
