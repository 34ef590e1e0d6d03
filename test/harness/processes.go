package harness

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// newEnvironMark is an environment variable by which the processes of one run are found, whatever
// becomes of their parents, groups and sessions.
func newEnvironMark() string { return "PROBITY_TEST_RUN=" + rand.Text() }

// Processes lists the living processes of the run: probity, its shepherd, and all that came from
// them. Zombies do not count.
func (r *Run) Processes() []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		r.t.Error(err)
		return nil
	}
	var pids []int
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		// if it cannot be read, the process has ended or is a zombie
		environ, err := os.ReadFile(filepath.Join("/proc", entry.Name(), "environ"))
		if err == nil && bytes.Contains(environ, []byte(r.environMark)) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// Shepherd finds the process id of the run's shepherd.
func (r *Run) Shepherd() int {
	r.t.Helper()
	for _, pid := range r.Processes() {
		if IsShepherdOf(pid, r.PID()) {
			return pid
		}
	}
	r.t.Fatal("there is no shepherd")
	return 0
}

// IsShepherdOf reports whether a process is the shepherd of another one.
func IsShepherdOf(pid, probity int) bool {
	return strings.HasPrefix(commandLine(pid), "shepherd of-pid "+strconv.Itoa(probity)+" ")
}

func commandLine(pid int) string {
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return err.Error()
	}
	return string(bytes.ReplaceAll(line, []byte{0}, []byte{' '}))
}

// Memory is the resident memory of a process in bytes, now and at its peak.
func Memory(pid int) (now, peak int64, err error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(data)) {
		name, rest, _ := strings.Cut(line, ":")
		var kb int64
		switch name {
		case "VmRSS", "VmHWM":
			if _, err := fmt.Sscan(rest, &kb); err != nil {
				return 0, 0, err
			}
		}
		if name == "VmRSS" {
			now = kb << 10
		} else if name == "VmHWM" {
			peak = kb << 10
		}
	}
	return now, peak, nil
}

// Descriptors counts the open files of a process.
func Descriptors(pid int) (int, error) {
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	return len(entries), err
}
