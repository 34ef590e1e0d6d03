package scrape

import (
	"bytes"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// ticks is how many there are in a second of /proc: USER_HZ, which is the same on every machine
// that Go runs on.
const ticks = 100

// Fields of /proc/self/stat, counted from the one after the command's name.
const (
	statUser     = 11
	statSystem   = 12
	statStart    = 19
	statVirtual  = 20
	statResident = 21
)

// statNumbers are fields of /proc/self/stat.
func statNumbers(fields ...int) (numbers []float64, ok bool) {
	data, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return nil, false
	}
	words := bytes.Fields(data[bytes.LastIndexByte(data, ')')+1:])
	for _, field := range fields {
		if field >= len(words) {
			return nil, false
		}
		n, err := strconv.ParseFloat(string(words[field]), 64)
		if err != nil {
			return nil, false
		}
		numbers = append(numbers, n)
	}
	return numbers, true
}

func cpuSeconds() (float64, bool) {
	n, ok := statNumbers(statUser, statSystem)
	if !ok {
		return 0, false
	}
	return (n[0] + n[1]) / ticks, true
}

func residentBytes() (float64, bool) {
	n, ok := statNumbers(statResident)
	if !ok {
		return 0, false
	}
	return n[0] * float64(os.Getpagesize()), true
}

func virtualBytes() (float64, bool) {
	n, ok := statNumbers(statVirtual)
	if !ok {
		return 0, false
	}
	return n[0], true
}

func startSeconds() (float64, bool) {
	n, ok := statNumbers(statStart)
	if !ok {
		return 0, false
	}
	data, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, false
	}
	_, after, ok := bytes.Cut(data, []byte("\nbtime "))
	line, _, _ := bytes.Cut(after, []byte("\n"))
	booted, err := strconv.ParseFloat(string(line), 64)
	return booted + n[0]/ticks, ok && err == nil
}

// openDescriptors counts them without the one that it needs itself.
func openDescriptors() (float64, bool) {
	folder, err := os.Open("/proc/self/fd")
	if err != nil {
		return 0, false
	}
	names, err := folder.Readdirnames(-1)
	_ = folder.Close() // it was only read
	return float64(len(names) - 1), err == nil
}

func maxDescriptors() (float64, bool) {
	var limit unix.Rlimit
	err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit)
	return float64(limit.Cur), err == nil
}
