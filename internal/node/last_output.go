package node

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/process"
)

// lastOutputBytes is how much of the end of a log is read for its last line.
const lastOutputBytes = 32 << 10

// LastOutput is the last line that an instance of a container printed and that is not empty, "" if
// there is none. dir is the state folder; restarts counts the instances before. The text is what
// the program wrote: any bytes.
func LastOutput(dir string, pod *corev1.Pod, container string, restarts int) (string, error) {
	files, err := process.LogFiles(filepath.Join(podDir(dir, pod), container), restarts)
	if err != nil || len(files) == 0 {
		return "", err
	}
	data, err := tail(files[len(files)-1], lastOutputBytes)
	if errors.Is(err, fs.ErrNotExist) { // it was rotated
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("cannot read what container %s printed: %w", container, err)
	}
	lines := bytes.Split(data, []byte{'\n'})
	for i := len(lines) - 1; i >= 0; i-- {
		// the first may be the end of a longer line
		if entry, err := process.ParseLogEntry(lines[i]); err == nil && len(bytes.TrimSpace(entry.Text)) > 0 {
			return string(entry.Text), nil
		}
	}
	return "", nil
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
