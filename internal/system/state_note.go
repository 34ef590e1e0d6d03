package system

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/probity-run/probity/internal/ownfile"
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

// writeNote notes something for the next run. Whoever reads it sees all of it or nothing.
func writeNote(root *os.Root, name string, note any) error {
	data, err := json.MarshalIndent(note, "", "  ")
	if err == nil {
		err = ownfile.Write(root, name, append(data, '\n'))
	}
	if err != nil {
		return fmt.Errorf("cannot write %s in the state folder: %w", name, err)
	}
	return nil
}
