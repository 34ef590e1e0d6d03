package process

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func openLog(t *testing.T, options LogOptions) *Log {
	t.Helper()
	l, err := new(Logs).Open(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// readLog reads all files of an instance, oldest first.
func readLog(t *testing.T, dir string, instance int) []LogEntry {
	t.Helper()
	files, err := LogFiles(dir, instance)
	if err != nil {
		t.Fatal(err)
	}
	var entries []LogEntry
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(data) {
			e, err := ParseLogEntry(bytes.TrimSuffix(line, []byte("\n")))
			if err != nil {
				t.Fatalf("%s: %q: %v", file, line, err)
			}
			entries = append(entries, e)
		}
	}
	return entries
}

func textOf(entries []LogEntry, stream Stream) string {
	var b strings.Builder
	for _, e := range entries {
		if e.Stream == stream {
			b.Write(e.Text)
			if !e.Partial {
				b.WriteByte('\n')
			}
		}
	}
	return b.String()
}

// capture runs a script with its output in l, to the end.
func capture(t *testing.T, l *Log, script string) {
	t.Helper()
	p := start(t, GroupStarter{}, Spec{Argv: []string{"sh", "-c", script}, Env: os.Environ(), Stdout: l.Stdout(), Stderr: l.Stderr()})
	l.CloseWriters()
	waitDone(t, p)
}

func TestLog(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pod", "app")
	before := time.Now()
	l := openLog(t, LogOptions{Dir: dir})
	capture(t, l, `echo one; printf '\0\377\r\n'; echo two >&2; printf 'no newline'`)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	entries := readLog(t, dir, 0)
	if got, want := textOf(entries, Stdout), "one\n\x00\xff\r\nno newline"; got != want {
		t.Errorf("stdout = %q, want %q", got, want)
	}
	if got, want := textOf(entries, Stderr), "two\n"; got != want {
		t.Errorf("stderr = %q, want %q", got, want)
	}
	for _, e := range entries {
		if e.Time.Before(before.Truncate(0)) || e.Time.After(time.Now()) {
			t.Errorf("time %v, want between %v and now", e.Time, before)
		}
	}
	info, err := os.Stat(logPath(dir, 0))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("file %v, %v, want mode 600", info, err)
	}
}

// TestLogHugeLine is one line of 100 MB. Only its end can be kept.
func TestLogHugeLine(t *testing.T) {
	dir := t.TempDir()
	l := openLog(t, LogOptions{Dir: dir})
	capture(t, l, `head -c 100000000 /dev/zero; echo; echo end`)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	entries := readLog(t, dir, 0)
	last, before := entries[len(entries)-1], entries[len(entries)-2]
	if string(last.Text) != "end" || before.Partial || !entries[0].Partial {
		t.Errorf("first entry partial %v, last ones %q partial %v, %q", entries[0].Partial, before.Text, before.Partial, last.Text)
	}
	files, err := LogFiles(dir, 0)
	if err != nil || len(files) != 5 {
		t.Errorf("files = %q, %v, want 5", files, err)
	}
	for _, file := range files {
		if info, err := os.Stat(file); err != nil || info.Size() > 10<<20 {
			t.Errorf("%s is larger than 10 MiB: %v, %v", file, info, err)
		}
	}
}

func TestLogRotation(t *testing.T) {
	const lines, size = 50, 100
	tests := []struct {
		name               string
		maxSize            int64
		maxFiles           int
		wantFiles, wantEnd int
	}{
		{"one file", 1000, 1, 1, 10},
		{"two files", 1000, 2, 2, 20},
		{"not yet full", 1000, 100, 5, 50},
		{"size between lines", 1099, 3, 3, 30},
		{"entries larger than a file", 1, 4, 4, 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			f := logFile{path: logPath(dir, 7), maxSize: tt.maxSize, maxFiles: tt.maxFiles}
			for i := range lines {
				if _, err := f.write(fmt.Appendf(nil, "%0*d\n", size-1, i)); err != nil {
					t.Fatal(err)
				}
			}
			if err := f.close(); err != nil {
				t.Fatal(err)
			}
			files, err := LogFiles(dir, 7)
			if err != nil || len(files) != tt.wantFiles {
				t.Fatalf("files = %q, %v, want %d", files, err, tt.wantFiles)
			}
			var got, want []byte
			for _, file := range files {
				data, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, data...)
			}
			for i := lines - tt.wantEnd; i < lines; i++ {
				want = fmt.Appendf(want, "%0*d\n", size-1, i)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%d bytes are kept, want the last %d", len(got), len(want))
			}
		})
	}
}

func TestLogKeepsThePreviousInstance(t *testing.T) {
	dir := t.TempDir()
	for instance := range 4 {
		l := openLog(t, LogOptions{Dir: dir, Instance: instance, MaxSize: 1})
		capture(t, l, "echo first")
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "notes.log"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	l := openLog(t, LogOptions{Dir: dir, Instance: 4})
	capture(t, l, "echo last")
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if diff := cmp.Diff([]string{"3.log", "4.log", "notes.log"}, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

// TestLogTrouble has a disk that takes nothing: the program writes to its end, and the loss is
// counted and told once.
func TestLogTrouble(t *testing.T) {
	tests := []struct {
		name    string
		prepare func(t *testing.T, dir string)
		want    string
	}{
		{"full disk", func(t *testing.T, dir string) {
			if _, err := os.Stat("/dev/full"); err != nil {
				t.Skip("this system has no device that is always full: ", err)
			}
			if err := os.Symlink("/dev/full", logPath(dir, 0)); err != nil {
				t.Fatal(err)
			}
		}, "no space left"},
		{"folder that cannot be written", func(t *testing.T, dir string) {
			if err := os.Remove(dir); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(dir, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, "not a directory"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "app")
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			tt.prepare(t, dir)
			var told []error
			l := openLog(t, LogOptions{Dir: dir, OnError: func(err error) { told = append(told, err) }})
			capture(t, l, `i=0; while [ $i -lt 20000 ]; do echo "line $i of a program that talks"; i=$((i+1)); done`)
			err := l.Close()
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), dir) {
				t.Errorf("Close = %v, want %q and the folder in it", err, tt.want)
			}
			if len(told) != 1 {
				t.Errorf("OnError was told %q, want one error", told)
			}
			if got := l.Dropped(); got != 20000 {
				t.Errorf("dropped = %d, want 20000", got)
			}
		})
	}
}

// TestLogHeldOpen has a stranger who keeps the pipe after the end.
func TestLogHeldOpen(t *testing.T) {
	dir := t.TempDir()
	l := openLog(t, LogOptions{Dir: dir, DrainTimeout: 50 * time.Millisecond})
	holder := start(t, GroupStarter{}, Spec{Argv: []string{"sleep", "1000"}, Stdout: l.Stdout(), Stderr: l.Stderr()})
	if _, err := io.WriteString(l.Stdout(), "said in time\n"); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Errorf("Close = %v", err)
	}
	if got, want := textOf(readLog(t, dir, 0), Stdout), "said in time\n"; got != want {
		t.Errorf("log = %q, want %q", got, want)
	}
	if err := holder.Kill(); err != nil {
		t.Error(err)
	}
	waitDone(t, holder)
}

// TestLogPastTheDeadline has a process that did not come to read until the time for it was over: it
// reads what is there, and is not kept by a stranger who writes on and on.
func TestLogPastTheDeadline(t *testing.T) {
	const said = "said in time\n"
	for name, goesOn := range map[string]bool{"held open": false, "written to": true} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			l := openLog(t, LogOptions{Dir: dir})
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close() // nothing is to be written any more
			_, writeErr := io.WriteString(w, said)
			if err := errors.Join(writeErr, r.SetReadDeadline(time.Unix(1, 0))); err != nil {
				t.Fatal(err)
			}
			var stranger sync.WaitGroup
			if goesOn {
				stranger.Go(func() {
					for err := error(nil); err == nil; { // until nobody can read it
						_, err = io.WriteString(w, "more\n")
					}
				})
			}
			l.capture(r, Stdout)
			r.Close()
			stranger.Wait()
			if err := l.Close(); err != nil {
				t.Errorf("Close = %v", err)
			}
			if got := textOf(readLog(t, dir, 0), Stdout); !strings.HasPrefix(got, said) || !goesOn && got != said {
				t.Errorf("log = %.100q, want %q first", got, said)
			}
		})
	}
}

// TestLogCompleteness compares what arrives with what was written, byte by byte, through rotations
// that delete nothing.
func TestLogCompleteness(t *testing.T) {
	dir := t.TempDir()
	l := openLog(t, LogOptions{Dir: dir, MaxSize: 1 << 20, MaxFiles: 50})
	sum := filepath.Join(dir, "written")
	capture(t, l, fmt.Sprintf(`head -c 10000000 /dev/urandom | tee %s`, sum))
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(sum)
	if err != nil {
		t.Fatal(err)
	}
	got := textOf(readLog(t, dir, 0), Stdout)
	if len(got) != len(want) || sha256.Sum256([]byte(got)) != sha256.Sum256(want) {
		t.Errorf("%d bytes arrived, %d were written, or they differ", len(got), len(want))
	}
	if n := l.Dropped(); n != 0 {
		t.Errorf("dropped = %d, want 0", n)
	}
}

// BenchmarkLog is the throughput of lines of 100 bytes.
func BenchmarkLog(b *testing.B) {
	l, err := new(Logs).Open(LogOptions{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	chunk := bytes.Repeat([]byte(strings.Repeat("x", 99)+"\n"), 640)
	b.SetBytes(int64(len(chunk)))
	for b.Loop() {
		if _, err := l.Stdout().Write(chunk); err != nil {
			b.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		b.Fatal(err)
	}
}
