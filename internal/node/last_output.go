package node

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/process"
)

// OpenLog opens what an instance of a container has printed, as far as it is kept: that of the
// running instance and of the one before. dir is the state folder; instance counts the restarts
// before. There need not be any output; close the reader.
func OpenLog(dir string, pod *corev1.Pod, container string, instance int) *process.LogReader {
	return process.OpenLogReader(filepath.Join(podDir(dir, pod), container), instance)
}

// LastOutput is the last line that an instance of a container printed and that is not empty, "" if
// there is none. dir is the state folder; restarts counts the instances before. The text is what
// the program wrote: any bytes.
func LastOutput(dir string, pod *corev1.Pod, container string, restarts int) (string, error) {
	lines, err := lastLines(OpenLog(dir, pod, container, restarts), 1)
	if err != nil {
		return "", fmt.Errorf("cannot read what container %s printed: %w", container, err)
	}
	return strings.Join(lines, ""), nil
}

// maxEntriesBack is how many entries are read from the end of a log for its last lines.
const maxEntriesBack = 1000

// lastLines are the last lines of a log that are not empty, at most n of them, oldest first. It
// closes the reader.
func lastLines(r *process.LogReader, n int) (lines []string, err error) {
	defer func() { err = errors.Join(err, r.Close()) }()
	if err := r.SeekEnd(); err != nil {
		return nil, err
	}
	for range maxEntriesBack {
		entry, err := r.Previous()
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		if err != nil || len(lines) == n {
			break
		}
		if len(bytes.TrimSpace(entry.Text)) > 0 {
			lines = append(lines, string(entry.Text))
		}
	}
	slices.Reverse(lines)
	return lines, nil
}
