package system

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestIsBeingWritten(t *testing.T) {
	path := filepath.Join(folder(t), "pod.yaml")
	if isBeingWritten(path) {
		t.Error("a file that is not there is written")
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if !isBeingWritten(path) {
		t.Error("an open file is not")
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	reader, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if isBeingWritten(path) || isBeingWritten(filepath.Dir(path)) || isBeingWritten("/dev/null") {
		t.Error("a file that is read, a folder or a device is written")
	}
}

// TestFileCutMidway: the first half of a document is valid, and is not taken for the whole while
// its writer has the file open.
func TestFileCutMidway(t *testing.T) {
	dir, said := folder(t), make(notices, 64)
	path := podOf(t, filepath.Join(dir, "pod.yaml"), "web", "Always", "exec sleep 60")
	s := started(t, t.Context(), Options{Manifests: []string{path}, StateDir: filepath.Join(dir, "state"), Notice: said.say})
	runs(t, s, "web")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteString("apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  terminationGracePeriodSeconds: 1\n  containers:\n" +
		"  - {name: first, image: app, command: [sleep, '61']}\n")
	time.Sleep(500 * time.Millisecond) // the writer takes its time
	_, second := f.WriteString("  - {name: second, image: app, command: [sleep, '62']}\n")
	if err := errors.Join(err, second, f.Close()); err != nil {
		t.Fatal(err)
	}
	// what is not applied is said of the second container too
	if before := said.want(t, "pod/web replaced"); !slices.ContainsFunc(before, func(line string) bool { return strings.Contains(line, "containers[1]") }) {
		t.Errorf("half of the Pod was applied: %q", before)
	}
}
