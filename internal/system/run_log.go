package system

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
)

const (
	runLogName = "run.log" // what a run says that nobody watches
	// A file of it has at most maxRunLogSize bytes and a line, and runLogFiles are kept, the one
	// that is written included: as of a container's log.
	maxRunLogSize = 10 << 20
	runLogFiles   = 5
)

// RunLog is where a run writes what it says that nobody watches: run.log, and run.log.1 and so on,
// which were full, the newest first. It is not safe for concurrent use.
type RunLog struct {
	root   *os.Root
	opened func(*os.File) error
	max    int64

	file *os.File
	size int64
}

// CreateRunLog makes the log in the state folder; that of the last run is replaced. opened is
// called with each file that is begun, and may let others write to it. The caller closes the log.
func (s *System) CreateRunLog(opened func(*os.File) error) (*RunLog, error) {
	return createRunLog(s.state.root, maxRunLogSize, opened)
}

func createRunLog(root *os.Root, size int64, opened func(*os.File) error) (*RunLog, error) {
	for _, name := range runLogNames() {
		if err := root.RemoveAll(name); err != nil {
			return nil, err
		}
	}
	l := &RunLog{root: root, opened: opened, max: size}
	return l, l.begin()
}

// runLogNames are those of all files, the newest first.
func runLogNames() []string {
	names := []string{runLogName}
	for n := 1; n < runLogFiles; n++ {
		names = append(names, runLogName+"."+strconv.Itoa(n))
	}
	return names
}

// begin begins a file.
func (l *RunLog) begin() error {
	file, err := l.root.OpenFile(runLogName, os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	if err := l.opened(file); err != nil {
		return errors.Join(err, file.Close())
	}
	l.file, l.size = file, 0
	return nil
}

// Name is the path of the file that is written.
func (l *RunLog) Name() string { return l.file.Name() }

// Write appends to the log. A file that is full is put aside before; if that fails, the log goes on
// in it and says so, and it is tried again when as much has come once more.
func (l *RunLog) Write(p []byte) (int, error) {
	if l.size > 0 && l.size+int64(len(p)) > l.max {
		if err := l.rotate(); err != nil {
			l.size = 0
			if _, err := fmt.Fprintf(l.file, "probity: cannot begin another file of this log: %v\n", err); err != nil {
				return 0, err
			}
		}
	}
	n, err := l.file.Write(p)
	l.size += int64(n)
	return n, err
}

// rotate gives each file the name of the next older one and begins another.
func (l *RunLog) rotate() error {
	names := runLogNames()
	for i, to := range slices.Backward(names[1:]) {
		if err := l.root.Rename(names[i], to); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	full := l.file
	if err := l.begin(); err != nil {
		return err
	}
	return full.Close()
}

// Close closes the log.
func (l *RunLog) Close() error { return l.file.Close() }
