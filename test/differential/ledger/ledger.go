// Package ledger is what the player of the differential tests writes down and the tests read: a
// file per Pod, a line per thing that happened to one of its processes. A line is there when the
// thing goes on, whatever becomes of the process.
package ledger

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// The kinds of a [Line].
const (
	Start   = "start"   // the program began
	Listen  = "listen"  // all its ports are open
	Request = "request" // a probe came: Name is the path or the port, Value the answer
	Shape   = "shape"   // how the request of the line before looked
	Exec    = "exec"    // an exec probe or a hook runs: Name is its name, Value what it does
	Done    = "done"    // … and is at its end
	Signal  = "signal"  // SIGTERM came
	Alive   = "alive"   // the program still runs after the signal
	Exit    = "exit"    // the program is about to end by itself: Value is its exit code
)

// EnvDir and EnvPod are the environment variables that tell a player where to write: the folder,
// and the name of the file in it.
const (
	EnvDir = "PLAYER_LEDGER"
	EnvPod = "PLAYER_POD"
)

// Line is one thing that happened.
type Line struct {
	At        int64  `json:"at"` // microseconds since the epoch
	Container string `json:"container"`
	Instance  int    `json:"instance"` // 1 is the container's first process
	Kind      string `json:"kind"`
	Name      string `json:"name,omitempty"`
	Value     string `json:"value,omitempty"`
}

// Time is when it happened.
func (l Line) Time() time.Time { return time.UnixMicro(l.At) }

// Append adds a line to a Pod's file, in one write.
func Append(dir, pod string, line Line) error {
	line.At = time.Now().UnixMicro()
	data, err := json.Marshal(line)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(filepath.Join(dir, pod), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		return fmt.Errorf("cannot open the ledger: %w", err)
	}
	_, err = file.Write(append(data, '\n'))
	return errors.Join(err, file.Close())
}

// Read reads a Pod's file. A Pod of which nothing ran has none, and no lines.
func Read(dir, pod string) ([]Line, error) {
	data, err := os.ReadFile(filepath.Join(dir, pod))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the ledger: %w", err)
	}
	var lines []Line
	for text := range bytes.Lines(data) {
		var line Line
		if err := json.Unmarshal(text, &line); err != nil {
			return nil, fmt.Errorf("cannot read the ledger of %s: %w", pod, err)
		}
		lines = append(lines, line)
	}
	return lines, nil
}

// Instances counts a container's processes so far.
func Instances(lines []Line, container string) (n int) {
	for _, l := range lines {
		if l.Container == container && l.Kind == Start {
			n++
		}
	}
	return n
}
