//go:build linux

package main

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// cpuTime returns the CPU time that this process has used, with its ended children if asked for.
func cpuTime(children bool) time.Duration {
	used := usage(unix.RUSAGE_SELF)
	if children {
		used += usage(unix.RUSAGE_CHILDREN)
	}
	return used
}

func usage(who int) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(who, &u); err != nil {
		return 0 // cannot be, with these arguments
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// resident returns how many MB of memory this process holds; the most that it ever held if there is no descriptor left
// to find that out.
func resident() int {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		var u unix.Rusage
		_ = unix.Getrusage(unix.RUSAGE_SELF, &u) // cannot fail, with these arguments
		return int(u.Maxrss >> 10)
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, _ := strconv.Atoi(strings.Fields(value)[0])
			return kb >> 10
		}
	}
	return 0
}

// onCPU calls start, which starts a process, so that the process may only use that CPU. With fewer CPUs it shares.
func onCPU(cpu int, start func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var all, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		return err
	}
	one.Set(cpu)
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		return start()
	}
	defer func() { _ = unix.SchedSetaffinity(0, &all) }()
	return start()
}
