package probetest

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"
)

// Main runs the tests of a package and fails if they leave a goroutine or a descriptor behind. It
// ends the process.
func Main(m *testing.M) {
	goroutines, files := runtime.NumGoroutine(), descriptors()
	code := m.Run()
	if flag.Lookup("test.fuzz").Value.String() != "" {
		os.Exit(code) // the fuzzing engine has goroutines of its own
	}
	if err := WaitFor(func() bool { return runtime.NumGoroutine() <= goroutines }); err != nil && code == 0 {
		stacks := make([]byte, 1<<20)
		fmt.Fprintf(os.Stderr, "goroutines left behind:\n%s\n", stacks[:runtime.Stack(stacks, true)])
		code = 1
	}
	const poller = 3 // descriptors of the runtime, from when it is first needed
	if err := WaitFor(func() bool { return descriptors() <= files+poller }); err != nil && code == 0 {
		fmt.Fprintf(os.Stderr, "descriptors left behind: %d before, %d after\n", files, descriptors())
		code = 1
	}
	os.Exit(code)
}

// descriptors counts the open files of this process, where the system tells.
func descriptors() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(entries)
}

// WithLonger makes attempts that are to reach their time-out at a certain stage, which a busy
// machine may not get to so soon: the first with this time-out, each further one with twice as
// much, until one reports that it got there, or had fifteen seconds.
func WithLonger(timeout time.Duration, attempt func(timeout time.Duration) (reached bool)) {
	for !attempt(timeout) && timeout < 15*time.Second {
		timeout *= 2
	}
}

// WaitFor polls until the condition holds, for ten seconds.
func WaitFor(condition func() bool) error {
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if condition() {
			return nil
		}
	}
	return errors.New("condition not met within 10s")
}
