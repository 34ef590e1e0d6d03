package system

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// readNote reads what an earlier run noted in a file of the state folder; if there is none, nothing
// is changed.
func readNote(root *os.Root, name string, note any) error {
	data, err := root.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(data, note)
	}
	if err != nil {
		return fmt.Errorf("cannot read %s in the state folder: %w", name, err)
	}
	return nil
}

// newSuffix ends the name of a note that is being written.
const newSuffix = ".new"

// writeNote notes something for the next run. Whoever reads it sees all of it or nothing.
func writeNote(root *os.Root, name string, note any) error {
	data, err := json.MarshalIndent(note, "", "  ")
	if err == nil {
		err = root.WriteFile(name+newSuffix, append(data, '\n'), 0o600)
	}
	if err == nil {
		err = root.Rename(name+newSuffix, name)
	}
	if err != nil {
		return fmt.Errorf("cannot write %s in the state folder: %w", name, err)
	}
	return nil
}
