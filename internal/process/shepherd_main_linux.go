package process

import (
	"os"
	"os/signal"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// The arguments of the shepherd. They deliberately lack the name of the program, so that killing
// all processes of that name ends Probity and lets the shepherd clear up.
const (
	shepherdName = "shepherd"
	shepherdVerb = "of-pid"
	shepherdFD   = 3
)

func shepherdArgs(pid int) []string {
	return []string{shepherdName, shepherdVerb, strconv.Itoa(pid)}
}

// shepherdArgCount is how many arguments come before the folders that are to be removed.
const shepherdArgCount = 3

// IsShepherd reports whether this process was started to be the shepherd, or its reaper. args is
// os.Args.
func IsShepherd(args []string) bool {
	return len(args) >= shepherdArgCount && (args[0] == shepherdName || args[0] == reaperName) && args[1] == shepherdVerb
}

// shepherdThreads are more than the shepherd needs.
const shepherdThreads = 4

// ShepherdMain is all that the shepherd process does; its result is the exit code. The main
// function of every program that calls [NewShepherd], test binaries included, begins with it:
//
//	if process.IsShepherd(os.Args) {
//		os.Exit(process.ShepherdMain())
//	}
func ShepherdMain() int {
	// The parent death signal of the children is tied to this thread.
	runtime.LockOSThread()
	// Signals that a terminal or a service manager sends to all processes are for Probity to
	// handle: it sends requests for those processes that have to end.
	signal.Ignore(unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT, unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU)
	if os.Args[0] == reaperName {
		return reaperMain(os.Args[shepherdArgCount:])
	}
	// Only a name for process lists, where /proc/self/exe would appear as "exe".
	_ = os.WriteFile("/proc/self/comm", []byte(shepherdName), 0)
	s, err := newServer()
	if err != nil {
		os.Stderr.WriteString(err.Error() + "\n")
		return 1
	}
	ReserveThreads(shepherdThreads)
	s.run()
	for _, dir := range os.Args[shepherdArgCount:] {
		if err := os.RemoveAll(dir); err != nil {
			os.Stderr.WriteString(err.Error() + "\n")
			return 1
		}
	}
	return 0
}
