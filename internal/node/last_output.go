package node

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/process"
)

// lastOutputBytes is how much of the end of a log is read for its last line.
const lastOutputBytes = 32 << 10

// LastOutput is the last line that an instance of a container printed and that is not empty, "" if
// there is none. dir is the state folder; restarts counts the instances before. The text is what
// the program wrote: any bytes.
func LastOutput(dir string, pod *corev1.Pod, container string, restarts int) (string, error) {
	lines, err := lastLines(filepath.Join(podDir(dir, pod), container), restarts, 1)
	if err != nil {
		return "", fmt.Errorf("cannot read what container %s printed: %w", container, err)
	}
	return strings.Join(lines, ""), nil
}

// lastLines are the last lines that an instance of a container printed and that are not empty, at
// most n of them, oldest first. dir is the container's folder.
func lastLines(dir string, restarts, n int) ([]string, error) {
	files, err := process.LogFiles(dir, restarts)
	if err != nil || len(files) == 0 {
		return nil, err
	}
	data, err := tail(files[len(files)-1], lastOutputBytes)
	if errors.Is(err, fs.ErrNotExist) { // it was rotated
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var last []string
	lines := bytes.Split(data, []byte{'\n'})
	for i := len(lines) - 1; i >= 0 && len(last) < n; i-- {
		// the first may be the end of a longer line
		if entry, err := process.ParseLogEntry(lines[i]); err == nil && len(bytes.TrimSpace(entry.Text)) > 0 {
			last = append(last, string(entry.Text))
		}
	}
	slices.Reverse(last)
	return last, nil
}

// tail reads the end of a file.
func tail(path string, size int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	end, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	if _, err := file.Seek(max(end-size, 0), io.SeekStart); err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(file, size))
}
