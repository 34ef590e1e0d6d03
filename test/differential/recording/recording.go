// Package recording keeps traces of a real kubelet in files: a line per track, so that a change can
// be read.
package recording

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"

	"github.com/probity-run/probity/test/differential/trace"
)

// Write writes a trace.
func Write(path string, t trace.Trace) error {
	head, err := json.Marshal(struct {
		Scenario string  `json:"scenario"`
		System   string  `json:"system"`
		Period   float64 `json:"period,omitempty"`
		Seconds  float64 `json:"seconds"`
	}{t.Scenario, t.System, t.Period, t.Seconds})
	if err != nil {
		return err
	}
	var out bytes.Buffer
	out.Write(head[:len(head)-1])
	out.WriteString(", \"tracks\": [\n")
	for i, track := range t.Tracks {
		line, err := json.Marshal(track)
		if err != nil {
			return err
		}
		out.Write(line)
		if i < len(t.Tracks)-1 {
			out.WriteByte(',')
		}
		out.WriteByte('\n')
	}
	out.WriteString("]}\n")
	return os.WriteFile(path, out.Bytes(), 0o644)
}

// Read reads what Write wrote.
func Read(path string) (t trace.Trace, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return t, err
	}
	if err := json.Unmarshal(data, &t); err != nil {
		return t, fmt.Errorf("cannot read the recording %s: %w", path, err)
	}
	return t, nil
}

// Refusals are what a system found wrong with manifests.
type Refusals struct {
	// System is who did, with the version.
	System string `json:"system"`
	// Causes are "field: message" by the id of the manifest; one that is accepted has none.
	Causes map[string][]string `json:"causes"`
}

// WriteRefusals writes them.
func WriteRefusals(path string, r Refusals) error {
	data, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(data, '\n'), 0o644)
}

// ReadRefusals reads what WriteRefusals wrote.
func ReadRefusals(path string) (r Refusals, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return r, fmt.Errorf("cannot read the recording %s: %w", path, err)
	}
	return r, nil
}
