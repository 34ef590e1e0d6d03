package system

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRunLog: the log of a run keeps its last files, each with whole lines, whoever is given a file
// gets the one that is written, and the next run begins anew.
func TestRunLog(t *testing.T) {
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	opened := 0
	log, err := createRunLog(root, 20, func(*os.File) error { opened++; return nil })
	if err != nil {
		t.Fatal(err)
	}
	for i := range 15 { // two lines fit into a file
		if _, err := fmt.Fprintf(log, "line %02d\n", i); err != nil {
			t.Fatal(err)
		}
	}
	if log.Name() != filepath.Join(dir, "run.log") || opened != 8 {
		t.Errorf("%s is written, and %d files were begun, want run.log and 8", log.Name(), opened)
	}
	want := map[string]string{"run.log": "line 14\n", "run.log.1": "line 12\nline 13\n", "run.log.4": "line 06\nline 07\n", "run.log.5": ""}
	for name, text := range want {
		if got, err := os.ReadFile(filepath.Join(dir, name)); string(got) != text || err != nil && text != "" {
			t.Errorf("%s is %q, %v, want %q", name, got, err, text)
		}
	}
	for _, entry := range runLogNames() {
		if !isStateName(entry) {
			t.Errorf("%s keeps probity clean from a state folder", entry)
		}
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := createRunLog(root, 20, func(*os.File) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	long := strings.Repeat("x", 50) + "\n"
	if n, err := again.Write([]byte(long)); n != len(long) || err != nil {
		t.Errorf("of a line that is longer than a file %d bytes were written, %v", n, err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*")); len(left) != 1 || err != nil {
		t.Errorf("the next run has %v, %v, want one file", left, err)
	}
}

// TestRunLogThatCannotBegin: a run goes on when another file of its log cannot be had, and the log
// says so.
func TestRunLogThatCannotBegin(t *testing.T) {
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	log, err := createRunLog(root, 10, func(*os.File) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	if err := root.Close(); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if n, err := fmt.Fprintf(log, "line %d\n", i); n != 7 || err != nil {
			t.Errorf("line %d: wrote %d bytes, %v", i, n, err)
		}
	}
	got, err := os.ReadFile(filepath.Join(dir, "run.log"))
	if want := "line 0\nprobity: cannot begin another file of this log: "; !strings.HasPrefix(string(got), want) || strings.Count(string(got), "line ") != 3 {
		t.Errorf("the log is %q, %v, want %q... and three lines", got, err, want)
	}
}
