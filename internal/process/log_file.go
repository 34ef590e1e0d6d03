package process

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// logFile is the file of one container instance with its rotated predecessors: "3.log" is written,
// "3.log.1" is the newest of the full ones. It is not safe for concurrent use.
type logFile struct {
	path     string
	maxSize  int64
	maxFiles int

	file    *os.File // nil while it cannot be opened
	size    int64
	retryAt time.Time // when to open it again
}

// reopenPeriod is how often a file that cannot be opened is tried again.
const reopenPeriod = time.Second

func logPath(dir string, instance int) string {
	return filepath.Join(dir, strconv.Itoa(instance)+".log")
}

// LogFiles lists the files of a container instance in dir that exist, oldest first. Read in this
// order they are the log.
func LogFiles(dir string, instance int) ([]string, error) {
	path := logPath(dir, instance)
	var files []string
	for n := 0; ; n++ {
		name := rotatedPath(path, n)
		if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("cannot list the log files of %s: %w", path, err)
		}
		files = append(files, name)
	}
	slices.Reverse(files)
	return files, nil
}

func rotatedPath(path string, n int) string {
	if n == 0 {
		return path
	}
	return path + "." + strconv.Itoa(n)
}

// write appends whole entries and returns how many: after an error those that were written as a
// whole stay, as somebody may have read them.
func (f *logFile) write(entries []byte) (kept int, err error) {
	if f.file != nil && f.size > 0 && f.size+int64(len(entries)) > f.maxSize {
		if err := f.rotate(); err != nil {
			return 0, err
		}
	}
	if err := f.open(); err != nil {
		return 0, err
	}
	n, err := f.file.Write(entries)
	whole := bytes.LastIndexByte(entries[:n], '\n') + 1
	f.size += int64(whole)
	if whole < n { // behind half an entry the next one could not be read
		err = errors.Join(err, f.file.Truncate(f.size))
	}
	return bytes.Count(entries[:whole], []byte{'\n'}), err
}

func (f *logFile) open() error {
	if f.file != nil {
		return nil
	}
	if now := time.Now(); now.Before(f.retryAt) {
		return errRetryLater
	} else {
		f.retryAt = now.Add(reopenPeriod)
	}
	if err := os.MkdirAll(filepath.Dir(f.path), 0o700); err != nil {
		return err
	}
	// Output may hold secrets: it is for its owner only.
	file, err := os.OpenFile(f.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil {
		return errors.Join(err, file.Close())
	}
	f.file, f.size, f.retryAt = file, info.Size(), time.Time{}
	return nil
}

// errRetryLater stands for the error of the last attempt, which was reported.
var errRetryLater = errors.New("the log file could not be opened a moment ago")

func (f *logFile) rotate() error {
	err := f.close()
	for n := f.maxFiles - 1; n > 0; n-- {
		from, to := rotatedPath(f.path, n-1), rotatedPath(f.path, n)
		if e := os.Rename(from, to); e != nil && !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	if f.maxFiles == 1 {
		err = errors.Join(err, os.Remove(f.path))
	}
	return err
}

func (f *logFile) close() error {
	if f.file == nil {
		return nil
	}
	err := f.file.Close()
	f.file = nil
	return err
}

// removeOld deletes the files of instances before keep.
func removeOld(dir string, keep int) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, entry := range entries {
		number, rest, ok := strings.Cut(entry.Name(), ".")
		n, numberErr := strconv.Atoi(number)
		if ok && numberErr == nil && n < keep && (rest == "log" || strings.HasPrefix(rest, "log.")) {
			err = errors.Join(err, os.Remove(filepath.Join(dir, entry.Name())))
		}
	}
	return err
}
