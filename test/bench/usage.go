//go:build linux

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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
		return 0 // cannot happen with these arguments
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// resident returns how many MB of memory this process holds; or the most that it ever held, if
// there is no descriptor left to read that.
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

// memory is what a process holds, in kB.
type memory struct {
	// with all pages of the program, those that it shares with other processes included
	resident     int
	proportional int // where a page shared by two processes counts half
	anonymous    int // without the pages of files, which come and go
}

// memoryOf asks the kernel about a process.
func memoryOf(pid int) (m memory, err error) {
	rollup, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return m, err
	}
	for line := range strings.Lines(string(rollup)) {
		switch name, value, _ := strings.Cut(line, ":"); name {
		case "Rss":
			_, err = fmt.Sscan(value, &m.resident)
		case "Pss":
			_, err = fmt.Sscan(value, &m.proportional)
		case "Anonymous":
			_, err = fmt.Sscan(value, &m.anonymous)
		}
		if err != nil {
			return m, err
		}
	}
	return m, nil
}

func (m memory) plus(o memory) memory {
	return memory{m.resident + o.resident, m.proportional + o.proportional, m.anonymous + o.anonymous}
}

// String gives both in MB.
func (m memory) String() string {
	return fmt.Sprintf("%.1f MB proportional, %.1f MB resident", float64(m.proportional)/1024, float64(m.resident)/1024)
}

// runTimes returns how long the threads of some processes have been running on a CPU.
func runTimes(pids []int) (times []time.Duration, err error) {
	for _, pid := range pids {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
		if err != nil {
			return nil, err
		}
		var all time.Duration
		for _, thread := range threads {
			text, err := os.ReadFile(thread)
			if errors.Is(err, fs.ErrNotExist) {
				continue // the thread has just ended
			}
			var running time.Duration
			if _, err := fmt.Sscan(string(text), &running); err != nil {
				return nil, err
			}
			all += running
		}
		times = append(times, all)
	}
	return times, nil
}

// processTimes returns how much CPU time some processes have used, threads that have ended
// included. The kernel counts in steps of 10 ms.
func processTimes(pids []int) (total time.Duration, err error) {
	for _, pid := range pids {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return 0, err
		}
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		for _, field := range fields[11:13] { // utime and stime, see proc(5)
			ticks, err := strconv.Atoi(field)
			if err != nil {
				return 0, err
			}
			total += time.Duration(ticks) * 10 * time.Millisecond
		}
	}
	return total, nil
}

// onCPU calls start, which starts a process, so that the process may only use that CPU. If there is
// no such CPU, it may use any.
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
