package live

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/probity-run/probity/internal/process"
)

// TestLogFile: what is new is read once, in order, also when the file was rotated in between.
func TestLogFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "0.log")
	n := 0
	write := func(lines int) {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for range lines {
			n++
			if _, err := fmt.Fprintf(f, "2026-11-04T12:00:00.000000000Z stdout F line %d\n", n); err != nil {
				t.Fatal(err)
			}
		}
	}
	var log logFile
	defer log.close()
	seen := 0
	read := func() {
		t.Helper()
		files, err := process.LogFiles(dir, 0)
		if err != nil {
			t.Fatal(err)
		}
		entries, err := log.read(files)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			seen++
			if want := fmt.Sprintf("line %d", seen); string(e.Text) != want {
				t.Fatalf("read %q, want %q", e.Text, want)
			}
		}
	}
	write(3)
	read()
	write(2)
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	write(4)
	read()
	read()
	write(1)
	read()
	if seen != n {
		t.Errorf("%d of %d lines were read", seen, n)
	}
}

// TestLongLogFile: only the end of a long log is read, from the beginning of a line on.
func TestLongLogFile(t *testing.T) {
	dir := t.TempDir()
	f, err := os.Create(filepath.Join(dir, "0.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const lines = 20_000
	for i := range lines {
		if _, err := fmt.Fprintf(f, "2026-11-04T12:00:00.000000000Z stdout F line %d\n", i); err != nil {
			t.Fatal(err)
		}
	}
	var log logFile
	defer log.close()
	entries, err := log.read([]string{f.Name()})
	if err != nil || len(entries) == 0 || len(entries) > lines/2 {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
	for i, e := range entries {
		if want := fmt.Sprintf("line %d", lines-len(entries)+i); string(e.Text) != want {
			t.Fatalf("entry %d is %q, want %q", i, e.Text, want)
		}
	}
}
