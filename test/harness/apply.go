package harness

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
)

// Save replaces the manifest of a run that [Start] began, as editors do it: a new file takes the
// place of the old one.
func (r *Run) Save(manifest string) {
	r.t.Helper()
	next := r.file + ".new"
	if err := os.WriteFile(next, withServicePath(manifest, r.programs), 0o644); err != nil {
		r.t.Fatal(err)
	}
	if err := os.Rename(next, r.file); err != nil {
		r.t.Fatal(err)
	}
}

// withServicePath replaces the word SERVICE by the path of the scripted service.
func withServicePath(manifest, programs string) []byte {
	return bytes.ReplaceAll([]byte(manifest), []byte("SERVICE"), []byte(filepath.Join(programs, "service")))
}

// Apply saves the manifest and runs probity apply. It returns what that printed.
func (r *Run) Apply(manifest string) string {
	r.t.Helper()
	r.Save(manifest)
	out, err := exec.CommandContext(r.t.Context(), filepath.Join(r.programs, "probity"), "apply", "--state-dir", r.state, r.file).CombinedOutput()
	if err != nil {
		r.t.Errorf("probity apply: %v\n%s", err, out)
	}
	return string(out)
}
