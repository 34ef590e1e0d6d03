package process

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"syscall"
)

// DefaultAction reports whether a signal has its default action in a process: it is neither caught
// nor ignored, nor blocked to be waited for. The first process of a PID namespace, as a container's
// main process is, never gets such a signal (pid_namespaces(7)). The error matches fs.ErrNotExist
// if there is no such process.
func DefaultAction(pid int, sig syscall.Signal) (bool, error) {
	data, err := os.ReadFile(procPath(pid, "status"))
	if errors.Is(err, syscall.ESRCH) {
		err = fs.ErrNotExist // it ended between open and read
	}
	if err != nil {
		return false, fmt.Errorf("cannot read the signal handlers of process %d: %w", pid, err)
	}
	other, err := parseSignals(data)
	if err != nil {
		return false, fmt.Errorf("cannot read the signal handlers of process %d: %w", pid, err)
	}
	return other>>(sig-1)&1 == 0, nil
}

var errBadStatus = errors.New("malformed /proc/<pid>/status")

// parseSignals reads /proc/<pid>/status for the signals that are blocked, ignored or caught, as one
// set: bit n-1 is signal n.
func parseSignals(data []byte) (set uint64, err error) {
	found := 0
	for line := range bytes.Lines(data) {
		name, value, _ := bytes.Cut(line, []byte{':'})
		switch string(name) {
		case "SigBlk", "SigIgn", "SigCgt":
			some, err := strconv.ParseUint(string(bytes.TrimSpace(value)), 16, 64)
			if err != nil {
				return 0, errBadStatus
			}
			set |= some
			found++
		}
	}
	if found != 3 {
		return 0, errBadStatus
	}
	return set, nil
}

// Command is the name of a process, "" if it has ended.
func Command(pid int) string {
	stat, err := readStat(pid)
	if err != nil {
		return ""
	}
	return stat.command
}
